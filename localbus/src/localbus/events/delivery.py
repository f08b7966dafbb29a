"""Delivery of an event to a target: EventBridge's retry policy, and the form of its dead letters.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError
from localbus.delivery.dispatcher import Delivery, Dispatcher, Outcome
from localbus.events.bus import Buses, Rule, Target
from localbus.events.event import Event
from localbus.events.input_transformer import InvalidInputError
from localbus.input_values import is_unicode
from localbus.journal import Journal, Loss
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import with_trace_header
from localbus.storage.documents import Document

MAX_RETRIES = 185
MAX_AGE_S = 86_400
# AWS names no figures for its exponential backoff; these spend 185 retries in about a day, as its defaults do.
FIRST_RETRY_S = 1.0
SLOWEST_RETRY_S = 600.0
_METRICS: Final[Mapping[Outcome, tuple[str, ...]]] = {
    "delivered": ("Invocations", "InvocationAttempts", "SuccessfulInvocationAttempts"),
    "attempt_failed": ("InvocationAttempts", "RetryInvocationAttempts"),
    "failed": ("Invocations", "InvocationAttempts", "FailedInvocations"),
    "dead_lettered": ("InvocationsSentToDlq",),
    "not_dead_lettered": ("InvocationsFailedToBeSentToDlq",),
}


class EventDelivery(Delivery):
    """One event for one target. The sender adds `message_id` to the receipt where the event gets another id."""

    receipt: dict[str, str]

    def __init__(self, event: Event, rule: Rule, target: Target, body: str, send: Sender, *, retries: int = 0) -> None:
        self.message_id = event.event_id
        self.resource = target.arn
        self.principal = rule.principal
        self.receipt = {"rule": rule.arn}
        self.event = event
        self.rule = rule
        self.target = target
        self.body = body
        self._send = send
        self.retry_after_s = 0.0  # the least delay that the target asks for
        self._retries = retries
        self._exhausted: str | None = None

    def attempt(self) -> Coroutine[Any, Any, None] | None:
        """Send the event by the target's service. Raises DeliveryError for an input that is not UTF-8."""
        if not is_unicode(self.body):
            raise DeliveryError("SDK_CLIENT_ERROR", "the target's input is not UTF-8: it has half of a surrogate pair")
        return self._send(self)

    def count(self, outcome: Outcome) -> None:
        """Count the event, attempt by attempt.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
        """
        for metric in _METRICS[outcome]:
            self.rule.counts.add(metric)

    def route(self) -> tuple[str, str]:
        """Return the rule and the target."""
        return self.rule.arn, self.target.arn

    def reason(self, error: DeliveryError) -> str:
        """Return the error with EventBridge's code."""
        return str(error)

    def document(self) -> Document:
        """Return the delivery for the storage, with the target as it was: a change does not end a delivery."""
        return {
            "event": self.event.text,
            "ingested_at": self.event.ingested_at,
            "trace_header": self.event.trace_header,
            "hops": self.event.hops,
            "rule": self.rule.arn,
            "target": self.target.given,
            "body": self.body,
            "retries": self._retries,
        }

    def next_retry_s(self, now: float) -> float | None:
        """Return the delay in seconds, unless the number of retries or the event's age exceeds the policy's limit."""
        policy = self.target.given.get("RetryPolicy", {})
        delay_s = max(retry_delay_s(self._retries, self.message_id), self.retry_after_s)
        if self._retries >= policy.get("MaximumRetryAttempts", MAX_RETRIES):
            self._exhausted = "MaximumRetryAttempts"
        elif now + delay_s > self.event.ingested_at + policy.get("MaximumEventAgeInSeconds", MAX_AGE_S):
            self._exhausted = "MaximumEventAgeInSeconds"
        else:
            self._retries += 1
            return delay_s
        return None

    def dead_letter(self, error: DeliveryError) -> tuple[str, Params] | None:
        """Return the event as it was before any transformation, with the error in attributes."""
        queue_arn = self.target.dead_letter_arn
        if queue_arn is None:
            return None
        known = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message[:1024] or error.code,
            "EXHAUSTED_RETRY_CONDITION": self._exhausted,
            "RETRY_ATTEMPTS": str(self._retries),
            "RULE_ARN": self.rule.arn,
            "TARGET_ARN": self.target.arn,
        }
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in known.items() if text}
        entry = {"MessageBody": self.event.text, "MessageAttributes": attributes}
        return queue_arn, with_trace_header(entry, self.event.trace_header)


Sender = Callable[[EventDelivery], Coroutine[Any, Any, None] | None]  # raises DeliveryError


class EventDeliveries:
    """Starts deliveries of events. `senders` has a function for each service that can be a target."""

    def __init__(self, clock: Clock, journal: Journal, dispatcher: Dispatcher, senders: Mapping[str, Sender]) -> None:
        self._clock = clock
        self._journal = journal
        self._dispatcher = dispatcher
        self.senders = dict(senders)

    def start(self, event: Event, rule: Rule, target: Target) -> None:
        """Deliver the event to the target, in this turn if the target's service permits."""
        try:
            body = target.input(event, rule.arn)
        except InvalidInputError as exc:  # AWS reports nothing and does not retry
            self._journal.note("dropped", target.arn, event.event_id, self._clock.now(), str(exc))
            fix = "Quote the template's variables as its JSON needs, and give the target valid input"
            self._journal.on_loss(Loss("dropped", event.event_id, rule.arn, target.arn, "InvalidInput", str(exc), fix))
            return
        self._dispatcher.deliver(EventDelivery(event, rule, target, body, self.senders[target.service]))

    def restore(self, buses: Buses) -> None:
        """Go on with the stored deliveries, when the engine starts."""

        def read(stored: Document) -> EventDelivery:
            event = Event(json.loads(stored["event"]), stored["ingested_at"], stored["trace_header"])
            event.hops = stored["hops"]
            rule, target = buses.rule_of(stored["rule"]), Target.of(stored["target"])
            send = self.senders[target.service]
            return EventDelivery(event, rule, target, stored["body"], send, retries=stored["retries"])

        self._dispatcher.restore(read)


def retry_delay_s(retries: int, event_id: str) -> float:
    """Return the delay before the next attempt: it doubles each time, less a random part of up to half."""
    random = zlib.crc32(f"{event_id}/{retries}".encode()) / 2**32
    return min(FIRST_RETRY_S * 2.0 ** min(retries, 20), SLOWEST_RETRY_S) * (1 - random / 2)
