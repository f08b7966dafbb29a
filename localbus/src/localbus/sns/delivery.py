"""Bringing a notification to the subscriptions of its topic: queues at once, the others by requests of their own.

Queues get it in the same turn, in the order of publishing. What cannot be delivered is tried again as the delivery
policy says, when it is the other side's fault, and then goes to the subscription's dead-letter queue.
Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
and https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from localbus.background_tasks import Errands
from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import traced
from localbus.sns import letters
from localbus.sns.captured_messages import Outbox
from localbus.sns.endpoints import RemoteEndpoints, UndeliverableError
from localbus.sns.notification import Notification, laid_out
from localbus.sns.platform_application import PlatformApplications
from localbus.sns.signature import Signer, digest
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic
from localbus.sqs.state import Sqs

Send = Callable[[], Awaitable[None]]

_VERIFIED = {"http", "https"}  # where AWS asks subscribers to verify signatures


class Courier:
    """Everything that is on its way."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        remote: RemoteEndpoints,
        *,
        outbox: Outbox,
        platforms: PlatformApplications,
        sign_everything: bool = False,
    ) -> None:
        self.signer = Signer()
        self._sign_everything = sign_everything
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._outbox = outbox
        self._platforms = platforms
        self._remote = remote
        self._errands = Errands(clock)

    def publish(self, topic: Topic, notification: Notification) -> None:
        """Bring the notification to every subscription that wants it."""
        self._journal.note("published", topic.arn, notification.message_id, self._clock.now())
        for subscription in list(topic.subscriptions.values()):
            self.deliver(subscription, notification)

    def deliver(self, subscription: Subscription, notification: Notification, *, replayed: bool = False) -> None:
        """Bring the notification to one subscription, if that is confirmed and wants it."""
        if not subscription.confirmed:
            return
        policy = subscription.filter_policy
        if policy is not None and not notification.is_wanted_by(policy, subscription.protocol):
            self._note("filtered", subscription, notification, {"scope": policy.scope, "policy": policy.text})
            return
        match subscription.protocol:
            case "sqs":
                self._to_queue(subscription, notification, replayed=replayed)
            case "lambda":
                send = partial(self._invoke, subscription, notification)
                self._attempt(subscription, notification, self._remote.function_pauses(), send)
            case "http" | "https":
                send = partial(self._post, subscription, notification)
                self._attempt(subscription, notification, iter(subscription.http_pauses()), send)
            case "application":
                self._to_device(subscription, notification)
            case _:
                self._to_outbox(subscription, notification)

    def confirm(self, subscription: Subscription, document: dict[str, str], base_url: str) -> None:
        """Ask the other side whether it wants the subscription, or tell it that it has ended."""
        version = subscription.topic.signature_version
        self._journal.note("confirmation_sent", subscription.arn, document["MessageId"], self._clock.now())
        match subscription.protocol:
            case "http" | "https":
                self._errands.begin(self._confirm_by_http(subscription, document, base_url))
            case "sqs":
                text = laid_out(document | digest(document, version))
                try:
                    self._sqs.deliver(subscription.endpoint, {"MessageBody": text}, subscription.topic.principal)
                except AwsError as exc:
                    self._journal.note(
                        "undelivered", subscription.arn, document["MessageId"], self._clock.now(), str(exc)
                    )
            case _:
                self._outbox.put(letters.asking(self._clock.now(), subscription, document))

    async def stop(self) -> None:
        """Give up on everything."""
        await self._errands.stop()

    # Queues, letters and devices

    def _to_queue(self, subscription: Subscription, notification: Notification, *, replayed: bool) -> None:
        entry = self._entry(subscription, notification, subscription.endpoint, replayed=replayed)
        try:
            content = notification.raw_content(subscription.protocol) if subscription.raw else None
            message_id = self._sqs.deliver(subscription.endpoint, entry, subscription.topic.principal, content)
        except AwsError as exc:
            self._give_up(subscription, notification, exc.message)
        else:
            self._note("delivered", subscription, notification, {"message_id": message_id})

    def _entry(
        self, subscription: Subscription, notification: Notification, queue_arn: str, *, replayed: bool = False
    ) -> Params:
        """The notification as SendMessage's input."""
        entry: Params = {"MessageBody": self._body(subscription, notification, replayed=replayed)}
        if subscription.raw and notification.attributes:
            entry["MessageAttributes"] = notification.attributes
        fifo_queue = queue_arn.endswith(".fifo")
        if notification.group_id is not None and fifo_queue == subscription.topic.fifo:
            entry["MessageGroupId"] = notification.group_id
        if notification.deduplication_id is not None and fifo_queue:
            entry["MessageDeduplicationId"] = notification.deduplication_id
        return traced(entry, notification.trace_header)

    def _body(self, subscription: Subscription, notification: Notification, *, replayed: bool = False) -> str:
        if subscription.raw:
            return notification.message_for(subscription.protocol)
        signer = self._signer_for(subscription.protocol)
        return notification.envelope(subscription.arn, subscription.protocol, replayed=replayed, signer=signer)

    def _signer_for(self, protocol: str) -> Signer | None:
        """Who signs what goes out by this protocol; None leaves a digest in the place of the signature."""
        return self.signer if self._sign_everything or protocol in _VERIFIED else None

    def _to_outbox(self, subscription: Subscription, notification: Notification) -> None:
        protocol = subscription.protocol
        if protocol == "email-json":
            text = notification.envelope(subscription.arn, protocol, signer=self._signer_for(protocol))
        else:
            text = notification.message_for(protocol)
        self._put(subscription, notification, text)

    def _to_device(self, subscription: Subscription, notification: Notification) -> None:
        """The text is that for the push service which reaches the device."""
        endpoint = self._platforms.find_endpoint(subscription.endpoint)
        if endpoint is None or not endpoint.enabled:
            reason = "Endpoint is disabled" if endpoint is not None else "Endpoint does not exist"
            self._give_up(subscription, notification, reason)
            return
        self._put(subscription, notification, notification.message_for(endpoint.platform))

    def _put(self, subscription: Subscription, notification: Notification, text: str) -> None:
        self._outbox.put(letters.delivered(self._clock.now(), subscription, notification, text))
        self._note("delivered", subscription, notification, {"outbox": subscription.endpoint})

    # Functions and HTTP endpoints

    def _attempt(
        self, subscription: Subscription, notification: Notification, pauses: Iterator[float], send: Send
    ) -> None:
        """Send when it is the subscription's turn."""
        wait_s = subscription.take_turn(self._clock.now())
        try_it = partial(self._try, subscription, notification, pauses, send)
        self._errands.later(wait_s, lambda: self._errands.begin(try_it()))

    async def _try(
        self, subscription: Subscription, notification: Notification, pauses: Iterator[float], send: Send
    ) -> None:
        try:
            await send()
        except UndeliverableError as exc:
            pause_s = next(pauses, None) if exc.again else None
            if pause_s is None:
                self._give_up(subscription, notification, str(exc))
                return
            self._note("retry_scheduled", subscription, notification, {"reason": str(exc), "after_s": pause_s})
            self._errands.later(pause_s, partial(self._attempt, subscription, notification, pauses, send))
        else:
            self._note("delivered", subscription, notification, {"endpoint": subscription.endpoint})

    async def _invoke(self, subscription: Subscription, notification: Notification) -> None:
        event = notification.function_event(subscription.arn, signer=self._signer_for("lambda"))
        await self._remote.invoke(subscription, subscription.topic.principal, event)

    async def _post(self, subscription: Subscription, notification: Notification) -> None:
        await self._remote.post(subscription, notification, await self._http_body(subscription, notification))

    async def _http_body(self, subscription: Subscription, notification: Notification) -> str:
        """What goes out by HTTP. Signing takes a while, so that is done in a thread."""
        if subscription.raw:
            return self._body(subscription, notification)
        return await asyncio.to_thread(self._body, subscription, notification)

    async def _confirm_by_http(self, subscription: Subscription, document: dict[str, str], base_url: str) -> None:
        version = subscription.topic.signature_version
        signed = document | await asyncio.to_thread(self.signer.sign, document, version, base_url)
        try:
            await self._remote.confirm(subscription, document["MessageId"], document["Type"], laid_out(signed))
        except UndeliverableError as exc:
            self._journal.note("undelivered", subscription.arn, document["MessageId"], self._clock.now(), str(exc))

    # When nothing helps

    def _give_up(self, subscription: Subscription, notification: Notification, reason: str) -> None:
        self._note("undelivered", subscription, notification, reason)
        queue_arn = subscription.dead_letter_arn
        if queue_arn is None:
            self._note("dropped", subscription, notification, "the subscription has no dead-letter queue")
            return
        entry = self._entry(subscription, notification, queue_arn)
        try:
            self._sqs.deliver(queue_arn, entry, subscription.topic.principal)
        except AwsError as exc:
            reason = f"the dead-letter queue did not take it: {exc.message}"
            self._note("dropped", subscription, notification, reason)
        else:
            self._note("dead_lettered", subscription, notification, {"queue": queue_arn, "reason": reason})

    def _note(self, event: str, subscription: Subscription, notification: Notification, detail: object) -> None:
        self._journal.note(event, subscription.arn, notification.message_id, self._clock.now(), detail)
