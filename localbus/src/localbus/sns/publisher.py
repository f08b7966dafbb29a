"""The publisher: brings notifications and confirmations to the subscriptions of a topic.

Queues get a notification in the turn in which it is published, and therefore in the order of publishing.
"""

from __future__ import annotations

from localbus.background_tasks import BackgroundTasks
from localbus.delivery.dispatcher import Delivery, Dispatcher
from localbus.event_pattern.pattern import Fields
from localbus.journal import Journal, Loss
from localbus.sns.confirmation import ConfirmationDelivery
from localbus.sns.delivery import (
    SUBSCRIPTION_ENDED,
    CapturedDelivery,
    FunctionDelivery,
    NotificationDelivery,
    QueueDelivery,
    Senders,
)
from localbus.sns.filter_policy import FilterPolicy
from localbus.sns.http_delivery import HttpDelivery
from localbus.sns.message_fields import Unsound
from localbus.sns.notification import Notification
from localbus.sns.registry import Topics
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic
from localbus.sqs.message import size_bytes
from localbus.storage.documents import Document

_DELIVERY = "sns.delivery"  # the kind of the records of deliveries under way
_CONFIRM = "Open its SubscribeURL, which the endpoint got (of e-mail: GET /_localbus/outbox)"
_FILTERED_OUT = "NumberOfNotificationsFilteredOut"
_SENDERS: dict[str, type[NotificationDelivery]] = {
    "sqs": QueueDelivery,
    "lambda": FunctionDelivery,
    "http": HttpDelivery,
    "https": HttpDelivery,
}


class Publisher:
    """Starts the deliveries of one engine's topics."""

    def __init__(self, journal: Journal, senders: Senders, tasks: BackgroundTasks, topics: Topics) -> None:
        self._journal = journal
        self._senders = senders
        self._tasks = tasks
        self._topics = topics
        self._dispatcher = Dispatcher(
            senders.clock, journal, senders.sqs, tasks, storage=senders.sqs.storage, kind=_DELIVERY
        )

    def publish(self, topic: Topic, notification: Notification) -> None:
        """Deliver the notification to every subscription whose filter policy accepts it, unless it is a duplicate."""
        if not topic.accept(notification):
            self._note("deduplicated", topic.arn, notification.message_id, notification.deduplication_id)
            return
        self._note("published", topic.arn, notification.message_id)
        topic.counts.add("NumberOfMessagesPublished")
        size = size_bytes(notification.message_for("default"), notification.filterable)
        topic.counts.record("PublishSize", size)
        for subscription in self._topics.subscriptions_of(topic):
            self.deliver(subscription, notification)

    def deliver(self, subscription: Subscription, notification: Notification, *, replayed: bool = False) -> None:
        """Deliver the notification to one subscription, if that is confirmed and its filter policy accepts it."""
        if not subscription.confirmed:
            self._withhold(subscription, notification.message_id, "the subscription is not confirmed", _CONFIRM)
            return
        replay = subscription.replay_policy
        if replay is not None and notification.at > replay.end:
            self._withhold(subscription, notification.message_id, "the replay has reached its EndingPoint")
            return
        policy = subscription.filter_policy
        if policy is not None:
            fields = notification.fields_for(policy.scope, subscription.protocol)
            if not policy.accepts(fields):
                self._filtered(subscription, policy, fields, notification.message_id)
                return
        self._dispatcher.deliver(self._delivery(subscription, notification, replayed=replayed))

    def _delivery(
        self, subscription: Subscription, notification: Notification, *, replayed: bool = False
    ) -> NotificationDelivery:
        sender = _SENDERS.get(subscription.protocol, CapturedDelivery)
        return sender(self._senders, subscription, notification, replayed=replayed)

    def replay(self, subscription: Subscription) -> None:
        """Deliver the archived messages of the subscription's ReplayPolicy again, if it is confirmed and has one."""
        archive, policy = subscription.topic.archive, subscription.replay_policy
        if archive is not None and policy is not None and subscription.confirmed:
            for notification in archive.between(policy.start, policy.end, self._senders.clock.now()):
                self.deliver(subscription, notification, replayed=True)

    def _withhold(self, subscription: Subscription, message_id: str, reason: str, fix: str = "") -> None:
        self._note("withheld", subscription.arn, message_id, reason)
        self._report("withheld", subscription, message_id, reason, reason, fix)

    def _report(  # noqa: PLR0917 (the fields of a loss)
        self, event: str, subscription: Subscription, message_id: str, code: str, reason: str, fix: str = ""
    ) -> None:
        route = subscription.topic.arn, subscription.shown_endpoint
        self._journal.on_loss(Loss(event, message_id, *route, code, reason, fix))

    def _filtered(
        self, subscription: Subscription, policy: FilterPolicy, fields: Fields | Unsound, message_id: str
    ) -> None:
        detail = {"scope": policy.scope, "policy": policy.text}
        subscription.topic.counts.add(_FILTERED_OUT)
        subscription.topic.counts.add(f"{_FILTERED_OUT}-{_ending(policy, fields)}")
        if isinstance(fields, Unsound):
            detail["reason"] = f"{fields.metric}: {fields.reason}"
            reason = f"no filter policy accepts the message, as {fields.reason}"
            self._report("filtered", subscription, message_id, fields.metric, reason)
        self._note("filtered", subscription.arn, message_id, detail)

    def confirm(self, subscription: Subscription, document: dict[str, str], base_url: str) -> None:
        """Ask the endpoint to confirm the subscription, or report to it that the subscription has ended."""
        self._note("confirmation_sent", subscription.arn, document["MessageId"])
        self._dispatcher.deliver(ConfirmationDelivery(self._senders, subscription, document, base_url))

    def restore(self) -> None:
        """Go on with the deliveries that were under way, when the engine starts."""
        self._dispatcher.restore(self._restored)

    def _restored(self, document: Document) -> Delivery | None:
        subscription = self._topics.restorable(document["subscription"])
        if "confirmation" in document:
            if subscription is None:
                return None
            return ConfirmationDelivery(self._senders, subscription, document["confirmation"], document["base_url"])
        notification = Notification.restored(document["notification"])
        if subscription is None or subscription.ended:
            self._note("dropped", document["subscription"], notification.message_id, SUBSCRIPTION_ENDED)
            topic, _, _ = document["subscription"].rpartition(":")
            route = topic, document["subscription"]
            self._journal.on_loss(Loss("dropped", notification.message_id, *route, "Obsolete", SUBSCRIPTION_ENDED))
            return None
        delivery = self._delivery(subscription, notification)
        delivery.retries = document["retries"]
        return delivery

    def _note(self, event: str, resource: str, message_id: str, detail: object = None) -> None:
        self._journal.note(event, resource, message_id, self._senders.clock.now(), detail)


def _ending(policy: FilterPolicy, fields: Fields | Unsound) -> str:
    """Return the ending of the metric by which a message is counted that a filter policy rejects."""
    if isinstance(fields, Unsound):
        return fields.metric
    return policy.scope if fields or policy.scope == "MessageBody" else "NoMessageAttributes"
