"""E-mail, SMS and push notifications: captured to be read instead of sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from localbus.sns.notification import Notification
from localbus.sns.subscription import Subscription


@dataclass(frozen=True)
class CapturedMessage:
    """One e-mail, SMS or push notification; the last has the protocol `application` and an endpoint's ARN in `to`.

    `link` confirms a subscription or ends one.
    """

    at: float
    protocol: str
    to: str
    subject: str | None
    message: str
    message_id: str
    topic_arn: str | None = None
    link: str | None = None

    def document(self) -> dict[str, object]:
        """Return the message for JSON, without what it does not have."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class CapturedMessages:
    """The latest captured messages, oldest first."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._messages: deque[CapturedMessage] = deque(maxlen=capacity)

    def add(self, message: CapturedMessage) -> None:
        """Capture a message. The oldest is dropped when there are too many."""
        self._messages.append(message)

    def matching(self, to: str | None = None, protocol: str | None = None) -> Iterator[CapturedMessage]:
        """Yield the messages to this address, by this protocol, or all."""
        for message in list(self._messages):
            if (not to or message.to == to) and (not protocol or message.protocol == protocol):
                yield message


def captured_notification(
    at: float, subscription: Subscription, notification: Notification, text: str
) -> CapturedMessage:
    """Return a notification as its subscriber would get it by e-mail, SMS or push."""
    email = subscription.protocol.startswith("email")
    return CapturedMessage(
        at,
        subscription.protocol,
        subscription.endpoint,
        notification.subject or ("AWS Notification Message" if email else None),
        text,
        notification.message_id,
        subscription.topic.arn,
        notification.unsubscribe_url(subscription.arn) if email else None,
    )


def captured_confirmation(at: float, subscription: Subscription, document: Mapping[str, str]) -> CapturedMessage:
    """Return the e-mail that asks to confirm a subscription, or reports its end."""
    return CapturedMessage(
        at,
        subscription.protocol,
        subscription.endpoint,
        "AWS Notification - Subscription Confirmation",
        document["Message"],
        document["MessageId"],
        subscription.topic.arn,
        document["SubscribeURL"],
    )
