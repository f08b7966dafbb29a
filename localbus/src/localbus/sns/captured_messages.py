"""E-mail, SMS and push notifications: captured to be read instead of sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass


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
