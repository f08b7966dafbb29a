"""The publisher: brings notifications and confirmations to the subscriptions of a topic.

Queues get a notification in the turn in which it is published, and therefore in the order of publishing.
"""

from __future__ import annotations

from localbus.background_tasks import BackgroundTasks
from localbus.delivery.attempt import DeliveryError
from localbus.delivery.dispatcher import Dispatcher
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.sns.captured_messages import CapturedMessage
from localbus.sns.delivery import CapturedDelivery, FunctionDelivery, NotificationDelivery, QueueDelivery, Senders
from localbus.sns.http_delivery import HttpDelivery, post_confirmation
from localbus.sns.notification import Notification, formatted
from localbus.sns.registry import Topics
from localbus.sns.signature import digest
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic


class Publisher:
    """Starts the deliveries of one engine's topics."""

    def __init__(self, journal: Journal, senders: Senders, tasks: BackgroundTasks, topics: Topics) -> None:
        self._journal = journal
        self._senders = senders
        self._tasks = tasks
        self._topics = topics
        self._dispatcher = Dispatcher(senders.clock, journal, senders.sqs, tasks)

    def publish(self, topic: Topic, notification: Notification) -> None:
        """Deliver the notification to every subscription whose filter policy accepts it, unless it is a duplicate."""
        if not topic.accept(notification):
            self._note("deduplicated", topic.arn, notification.message_id, notification.deduplication_id)
            return
        self._note("published", topic.arn, notification.message_id)
        for subscription in self._topics.subscriptions_of(topic):
            self.deliver(subscription, notification)

    def deliver(self, subscription: Subscription, notification: Notification, *, replayed: bool = False) -> None:
        """Deliver the notification to one subscription, if that is confirmed and its filter policy accepts it."""
        if not subscription.confirmed:
            return
        policy = subscription.filter_policy
        if policy is not None and not notification.is_accepted_by(policy, subscription.protocol):
            detail = {"scope": policy.scope, "policy": policy.text}
            self._note("filtered", subscription.arn, notification.message_id, detail)
            return
        delivery: NotificationDelivery
        match subscription.protocol:
            case "sqs":
                delivery = QueueDelivery(self._senders, subscription, notification, replayed=replayed)
            case "lambda":
                delivery = FunctionDelivery(self._senders, subscription, notification)
            case "http" | "https":
                delivery = HttpDelivery(self._senders, subscription, notification)
            case _:
                delivery = CapturedDelivery(self._senders, subscription, notification)
        self._dispatcher.deliver(delivery)

    def confirm(self, subscription: Subscription, document: dict[str, str], base_url: str) -> None:
        """Ask the endpoint to confirm the subscription, or report to it that the subscription has ended."""
        message_id, senders = document["MessageId"], self._senders
        self._note("confirmation_sent", subscription.arn, message_id)
        match subscription.protocol:
            case "http" | "https":
                self._tasks.start(self._confirm_by_http(subscription, document, base_url))
            case "sqs":
                text = formatted(document | digest(document, subscription.topic.signature_version))
                try:
                    senders.sqs.deliver(subscription.endpoint, {"MessageBody": text}, subscription.topic.principal)
                except AwsError as exc:
                    self._note("undelivered", subscription.arn, message_id, str(exc))
            case _:
                message = CapturedMessage(
                    senders.clock.now(),
                    subscription.protocol,
                    subscription.endpoint,
                    "AWS Notification - Subscription Confirmation",
                    document["Message"],
                    message_id,
                    subscription.topic.arn,
                    document["SubscribeURL"],
                )
                senders.captured.add(message)

    async def _confirm_by_http(self, subscription: Subscription, document: dict[str, str], base_url: str) -> None:
        try:
            await post_confirmation(subscription, document, self._senders.signer, base_url)
        except DeliveryError as exc:
            self._note("undelivered", subscription.arn, document["MessageId"], exc.message)

    def _note(self, event: str, resource: str, message_id: str, detail: object = None) -> None:
        self._journal.note(event, resource, message_id, self._senders.clock.now(), detail)
