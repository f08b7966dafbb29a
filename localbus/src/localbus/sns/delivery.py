"""Deliveries of a notification to one subscription: an SQS queue, a Lambda function, or a captured message.

HTTP endpoints are in `http_delivery`, retries and dead-lettering in `localbus.delivery`.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError, invoke_function
from localbus.delivery.dispatcher import Delivery, Outcome
from localbus.errors import AwsError
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import with_trace_header
from localbus.sns.delivery_policy import AWS_ENDPOINT_POLICY, RetryPolicy
from localbus.sns.notification import Notification
from localbus.sns.platform_application import PlatformApplications
from localbus.sns.signature import Signer
from localbus.sns.subscription import Subscription
from localbus.sqs.state import Sqs
from localbus.storage.documents import Document
from localbus.storage.storage import Storage
from localbus.upstream.client import UpstreamClient

_CAPTURED = "sns.captured"  # the kind of the records of captured messages, by number
SUBSCRIPTION_ENDED = "the subscription has ended"
_METRICS: Final[Mapping[Outcome, str]] = {
    "delivered": "NumberOfNotificationsDelivered",
    "attempt_failed": "NumberOfNotificationsFailed",
    "failed": "NumberOfNotificationsFailed",
    "dead_lettered": "NumberOfNotificationsRedrivenToDlq",
    "not_dead_lettered": "NumberOfNotificationsFailedToRedriveToDlq",
}
MAX_SMS_CHARACTERS = 1_600  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


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

    def __init__(self, storage: Storage, capacity: int = 10_000) -> None:
        self._storage = storage
        self._last_number = 0
        self._messages: deque[CapturedMessage] = deque(maxlen=capacity)

    def restore(self) -> None:
        """Read the messages from the storage, when the engine starts."""
        for _, key, document in self._storage.records(_CAPTURED):
            self._last_number = int(key)
            self._messages.append(CapturedMessage(**{"subject": None, **document}))

    def add(self, message: CapturedMessage) -> None:
        """Capture a message. The oldest is dropped when there are too many."""
        if len(self._messages) == self._messages.maxlen:
            self._storage.delete(_CAPTURED, str(self._last_number - len(self._messages) + 1))
        self._messages.append(message)
        self._last_number += 1
        self._storage.save(_CAPTURED, str(self._last_number), message.document)

    def matching(self, to: str | None = None, protocol: str | None = None) -> Iterator[CapturedMessage]:
        """Yield the messages to this address, by this protocol, or all."""
        for message in list(self._messages):
            if (not to or message.to == to) and (not protocol or message.protocol == protocol):
                yield message


@dataclass(frozen=True)
class Senders:
    """The parts of the engine by which notifications leave a topic."""

    clock: Clock
    sqs: Sqs
    upstream: UpstreamClient
    captured: CapturedMessages
    platforms: PlatformApplications
    signer: Signer
    enforce_policies: bool


class NotificationDelivery(Delivery):
    """One notification for one subscription, after so many retries.

    Source of the dead letter's form: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """

    target_kind = "subscription"
    keeps_by = "Give the subscription a RedrivePolicy to keep such messages"
    retry_policy: RetryPolicy | None = None

    def __init__(
        self, senders: Senders, subscription: Subscription, notification: Notification, *, replayed: bool = False
    ) -> None:
        self.message_id = notification.message_id
        self.resource = subscription.arn
        self.principal = subscription.topic.principal
        self.receipt = {"endpoint": subscription.shown_endpoint}
        self.senders = senders
        self.subscription = subscription
        self.notification = notification
        self.retries = 0
        self._replayed = replayed

    def document(self) -> Document:
        """Return the delivery for the storage."""
        notification = self.notification.document()
        return {"subscription": self.resource, "notification": notification, "retries": self.retries}

    def obsolete(self) -> str | None:
        """Return a reason once the subscription has ended."""
        return SUBSCRIPTION_ENDED if self.subscription.ended else None

    def count(self, outcome: Outcome) -> None:
        """Count the notification: over HTTP each attempt that fails, by other protocols the last one.

        Source: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
        """
        if outcome != "attempt_failed" or self.subscription.protocol.startswith("http"):
            self.subscription.topic.counts.add(_METRICS[outcome])

    def route(self) -> tuple[str, str]:
        """Return the topic and the endpoint."""
        return self.subscription.topic.arn, self.subscription.shown_endpoint

    def next_retry_s(self, _now: float) -> float | None:
        """Return the next delay of the delivery policy in seconds."""
        delay_s = self.retry_policy.delay_s(self.retries) if self.retry_policy is not None else None
        self.retries += delay_s is not None
        return delay_s

    def dead_letter(self, _error: DeliveryError) -> tuple[str, Params] | None:
        """Return the queue and what the subscriber would have got."""
        queue_arn = self.subscription.dead_letter_arn
        return (queue_arn, self.entry(queue_arn)) if queue_arn is not None else None

    def entry(self, queue_arn: str) -> Params:
        """Return the notification as SendMessage's input for this queue."""
        subscription, notification = self.subscription, self.notification
        entry: Params = {"MessageBody": self.body()}
        if subscription.raw and notification.attributes:
            entry["MessageAttributes"] = notification.attributes
        fifo_queue = queue_arn.endswith(".fifo")
        if notification.group_id is not None and fifo_queue == subscription.topic.fifo:
            entry["MessageGroupId"] = notification.group_id
        if notification.deduplication_id is not None and fifo_queue:
            entry["MessageDeduplicationId"] = notification.deduplication_id
        return with_trace_header(entry, notification.trace_header)

    def body(self) -> str:
        """Return the message as it is for raw delivery, else in its envelope."""
        subscription, protocol = self.subscription, self.subscription.protocol
        if subscription.raw:
            return self.notification.message_for(protocol)
        signer = self.senders.signer.for_protocol(protocol)
        return self.notification.envelope(subscription.arn, protocol, replayed=self._replayed, signer=signer)


class QueueDelivery(NotificationDelivery):
    """A notification for an SQS queue, which accepts it in the same turn or never."""

    def attempt(self) -> None:
        """Send the message to the queue."""
        subscription = self.subscription
        try:
            entry = self.entry(subscription.endpoint)
            content = self.notification.raw_content("sqs") if subscription.raw else None
            message_id = self.senders.sqs.deliver(subscription.endpoint, entry, self.principal, content)
        except AwsError as exc:
            raise DeliveryError(exc.code, exc.message) from exc
        self.receipt = {"message_id": message_id}


class FunctionDelivery(NotificationDelivery):
    """A notification for a Lambda function, which is retried for 23 days."""

    retry_policy = AWS_ENDPOINT_POLICY

    async def attempt(self) -> None:
        """Invoke the function at the upstream."""
        senders, arn = self.senders, self.subscription.endpoint
        event = self.notification.function_event(self.resource, signer=senders.signer.for_protocol("lambda"))
        await invoke_function(senders.upstream, arn, event, self.principal, enforce_policies=senders.enforce_policies)


class CapturedDelivery(NotificationDelivery):
    """A notification by e-mail, SMS or push, which is captured."""

    def attempt(self) -> None:
        """Capture the message, with the link of an e-mail."""
        subscription, notification = self.subscription, self.notification
        email = subscription.protocol.startswith("email")
        self.senders.captured.add(
            CapturedMessage(
                self.senders.clock.now(),
                subscription.protocol,
                subscription.endpoint,
                notification.subject or ("AWS Notification Message" if email else None),
                self._text(),
                notification.message_id,
                subscription.topic.arn,
                notification.unsubscribe_url(subscription.arn) if email else None,
            )
        )
        self.receipt = {"outbox": subscription.endpoint}

    def _text(self) -> str:
        """Return the message for the protocol: for email-json in an envelope, for a device by its push service."""
        subscription, notification = self.subscription, self.notification
        match subscription.protocol:
            case "email-json":
                return self.body()
            case "application":
                endpoint = self.senders.platforms.find_endpoint(subscription.endpoint)
                if endpoint is None:
                    raise DeliveryError("EndpointNotFound", "Endpoint does not exist")
                if not endpoint.enabled:
                    raise DeliveryError("EndpointDisabled", "Endpoint is disabled")
                return notification.message_for(endpoint.platform)
            case protocol:
                text = notification.message_for(protocol)
                if protocol == "sms" and len(text) > MAX_SMS_CHARACTERS:
                    error = f"an SMS has at most {MAX_SMS_CHARACTERS} characters, and the message has {len(text)}"
                    raise DeliveryError("MessageTooLong", error)
                return text
