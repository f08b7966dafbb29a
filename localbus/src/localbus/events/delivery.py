"""Bringing an event to a target: again and again while that may help, and to the dead-letter queue when it does not.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from localbus.clock import Clock, Wake
from localbus.errors import AwsError
from localbus.events.bus import Rule, Target
from localbus.events.event import Event
from localbus.events.input_transformer import NoInputError
from localbus.journal import Journal
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import traced
from localbus.sqs.state import Sqs

log = logging.getLogger("localbus")

MAX_RETRIES = 185
MAX_AGE_S = 86_400
# AWS names no figures for its exponential backoff; these spend 185 retries in about a day, as its defaults do.
FIRST_RETRY_S = 1.0
SLOWEST_RETRY_S = 600.0


class UndeliveredError(Exception):
    """A target did not take an event. `again` says whether another attempt may help."""

    def __init__(self, code: str, message: str, *, again: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.again = again


@dataclass(eq=False)
class Delivery:
    """One event on its way to one target."""

    event: Event
    rule: Rule
    target: Target
    body: str
    retries: int = 0
    wake: Wake | None = None
    message_id: str | None = None  # under which a queue took it, or a bus in another region


Sender = Callable[[Delivery], Awaitable[None] | None]  # raises UndeliveredError


class Deliveries:
    """All that is under way. `senders` has a function for each service that can be a target."""

    def __init__(self, clock: Clock, journal: Journal, sqs: Sqs, senders: Mapping[str, Sender]) -> None:
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self.senders = dict(senders)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[Delivery] = set()

    def start(self, event: Event, rule: Rule, target: Target) -> None:
        """Bring the event to the target: at once where that takes no waiting."""
        try:
            body = target.input(event, rule.arn)
        except NoInputError as exc:  # AWS does not say so, and does not try again
            self._journal.note("dropped", target.arn, event.event_id, self._clock.now(), str(exc))
            return
        self._attempt(Delivery(event, rule, target, body))

    async def stop(self) -> None:
        """Give up on everything."""
        for delivery in self._waiting:
            if delivery.wake is not None:
                delivery.wake.cancel()
        self._waiting.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _attempt(self, delivery: Delivery) -> None:
        self._waiting.discard(delivery)
        try:
            result = self.senders[delivery.target.service](delivery)
        except Exception as exc:  # noqa: BLE001 (the boundary: what one target does never harms the others)
            self._failed(delivery, _as_undelivered(exc))
            return
        if result is None:
            self._note_delivered(delivery)
            return
        task = asyncio.ensure_future(self._finish(delivery, result))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, delivery: Delivery, result: Awaitable[None]) -> None:
        try:
            await result
        except Exception as exc:  # noqa: BLE001 (the same boundary, for a target that took its time)
            self._failed(delivery, _as_undelivered(exc))
        else:
            self._note_delivered(delivery)

    def _failed(self, delivery: Delivery, error: UndeliveredError) -> None:
        exhausted = None
        if error.again:
            delay_s = retry_delay_s(delivery.retries, delivery.event.event_id)
            exhausted = _exhausted(delivery, self._clock.now() + delay_s)
            if exhausted is None:
                self._note("retry_scheduled", delivery, {"reason": str(error), "after_s": round(delay_s, 3)})
                delivery.retries += 1
                self._waiting.add(delivery)
                delivery.wake = self._clock.call_at(self._clock.now() + delay_s, lambda: self._attempt(delivery))
                return
        self._note("undelivered", delivery, str(error))
        self._bury(delivery, error, exhausted)

    def _bury(self, delivery: Delivery, error: UndeliveredError, exhausted: str | None) -> None:
        """Send the event, as it was before any transformation, to the dead-letter queue; without one it is lost."""
        queue_arn = delivery.target.dead_letter_arn
        if queue_arn is None:
            self._note("dropped", delivery, "the target has no dead-letter queue")
            return
        entry = {"MessageBody": delivery.event.text, "MessageAttributes": _attributes(delivery, error, exhausted)}
        try:
            self._sqs.deliver(queue_arn, traced(entry, delivery.event.trace_header), delivery.rule.principal)
        except AwsError as exc:
            self._note("dropped", delivery, f"the dead-letter queue did not take it: {exc}")
        else:
            self._note("dead_lettered", delivery, {"queue": queue_arn, "reason": str(error)})

    def _note_delivered(self, delivery: Delivery) -> None:
        detail = {"rule": delivery.rule.arn}
        if delivery.message_id is not None:
            detail["message_id"] = delivery.message_id
        self._note("delivered", delivery, detail)

    def _note(self, what: str, delivery: Delivery, detail: object) -> None:
        self._journal.note(what, delivery.target.arn, delivery.event.event_id, self._clock.now(), detail)


def _as_undelivered(error: Exception) -> UndeliveredError:
    """What is not a target's refusal is a fault of this engine."""
    if isinstance(error, UndeliveredError):
        return error
    log.error("event.delivery_failed", exc_info=error)
    return UndeliveredError("INTERNAL_ERROR", str(error) or type(error).__name__)


def retry_delay_s(retries: int, event_id: str) -> float:
    """How long to wait before the next attempt: twice as long each time, and up to half of it left to chance."""
    chance = zlib.crc32(f"{event_id}/{retries}".encode()) / 2**32
    return min(FIRST_RETRY_S * 2.0 ** min(retries, 20), SLOWEST_RETRY_S) * (1 - chance / 2)


def _exhausted(delivery: Delivery, next_at: float) -> str | None:
    """Which limit of the retry policy forbids another attempt at that time, if one does."""
    policy = delivery.target.given.get("RetryPolicy", {})
    if delivery.retries >= policy.get("MaximumRetryAttempts", MAX_RETRIES):
        return "MaximumRetryAttempts"
    if next_at > delivery.event.ingested_at + policy.get("MaximumEventAgeInSeconds", MAX_AGE_S):
        return "MaximumEventAgeInSeconds"
    return None


def _attributes(delivery: Delivery, error: UndeliveredError, exhausted: str | None) -> Params:
    """What EventBridge says of an event that it could not deliver."""
    known = {
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message[:1024] or error.code,
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "RETRY_ATTEMPTS": str(delivery.retries),
        "RULE_ARN": delivery.rule.arn,
        "TARGET_ARN": delivery.target.arn,
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in known.items() if value is not None}
