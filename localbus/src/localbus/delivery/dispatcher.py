"""The dispatcher: attempts each delivery, retries it while its policy permits, and then dead-letters it.

A delivery that does not end in the turn in which it begins is a record in the storage until it ends. A restarted engine
goes on with it: it attempts at once what had not begun or was under way, which may deliver a message twice.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Literal

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError, fix_of
from localbus.errors import AwsError
from localbus.journal import Journal, Loss
from localbus.protocol.service_model import Params
from localbus.resource_policy import Principal
from localbus.sqs.state import Sqs
from localbus.storage.documents import Document
from localbus.storage.storage import NotStoredError, Storage

log = logging.getLogger("localbus")

Outcome = Literal["delivered", "attempt_failed", "failed", "dead_lettered", "not_dead_lettered"]


class Delivery(ABC):
    """One message on its way to one target.

    The journal records it under `message_id` and `resource`, the ARN of a subscription or a target; `receipt` is the
    detail of success, None if that is not recorded. `principal` sends to the dead-letter queue, `keeps_by` says how to
    have one. `number` is the key of its record, if it has one, and `retry_at` the time of its last retry, or of the
    next one.
    """

    target_kind = "target"
    keeps_by = "Give the target a DeadLetterConfig to keep such events"
    number = 0
    retry_at: float | None = None
    message_id: str
    resource: str
    principal: Principal
    receipt: dict[str, str] | None

    @abstractmethod
    def attempt(self) -> Coroutine[Any, Any, None] | None:
        """Send the message, in this turn or by the coroutine. Raises DeliveryError."""

    @abstractmethod
    def dead_letter(self, error: DeliveryError) -> tuple[str, Params] | None:
        """Return the ARN of the dead-letter queue and SendMessage's input for it, or None without a queue."""

    @abstractmethod
    def route(self) -> tuple[str, str]:
        """Return the sender and the receiver for the log, such as a topic and an endpoint."""

    @abstractmethod
    def document(self) -> Document:
        """Return the delivery for the storage: an object with everything that its next attempt needs."""

    @abstractmethod
    def next_retry_s(self, now: float) -> float | None:
        """Return the delay before the next attempt in seconds, or None when the retry policy permits no more."""

    def throttle_s(self, _now: float) -> float:
        """Return how long the attempt must wait for the target's rate limit, in seconds."""
        return 0.0

    def obsolete(self) -> str | None:
        """Return why the message must not be retried, such as a subscription that has ended, or None."""
        return None

    def count(self, outcome: Outcome) -> None:  # noqa: B027 (a confirmation has no metrics)
        """Count what happened to the message, for the metrics of its service."""

    def reason(self, error: DeliveryError) -> str:
        """Return the error as the journal shows it."""
        return error.message


class Dispatcher:
    """Attempts deliveries. Those that wait do so in the engine's background tasks, and as records of a kind."""

    def __init__(
        self, clock: Clock, journal: Journal, sqs: Sqs, tasks: BackgroundTasks, *, storage: Storage, kind: str
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._tasks = tasks
        self._storage = storage
        self._kind = kind
        self._last_number = 0

    def deliver(self, delivery: Delivery) -> None:
        """Attempt the delivery, in this turn unless a rate limit delays it."""
        wait_s = delivery.throttle_s(self._clock.now())
        if wait_s:
            self._store_once(delivery)
            self._tasks.schedule(wait_s, partial(self._attempt, delivery))
        else:
            self._attempt(delivery)

    def restore(self, read: Callable[[Document], Delivery | None]) -> None:
        """Go on with the stored deliveries, when the engine starts.

        `read` returns the delivery of a document, or None if its subscription or target has ended.
        """
        for _, key, document in list(self._storage.records(self._kind)):
            self._last_number = max(self._last_number, int(key))
            delivery = read(document)
            if delivery is None:
                self._storage.delete(self._kind, key)
                continue
            delivery.number = int(key)
            delivery.retry_at = document["retry_at"]
            if delivery.retry_at is None:
                self.deliver(delivery)
            else:
                self._wait_for_retry(delivery, delivery.retry_at)

    def note(self, event: str, delivery: Delivery, detail: object) -> None:
        """Record in the journal what happened to a delivery."""
        self._journal.note(event, delivery.resource, delivery.message_id, self._clock.now(), detail)

    def _attempt(self, delivery: Delivery) -> None:
        try:
            pending = delivery.attempt()
        except Exception as exc:  # noqa: BLE001 (the boundary: a failing target never harms the others)
            self._failed(delivery, _as_delivery_error(exc))
            return
        if pending is None:
            self._delivered(delivery)
        else:
            self._store_once(delivery)
            self._tasks.start(self._finish(delivery, pending))

    async def _finish(self, delivery: Delivery, pending: Coroutine[Any, Any, None]) -> None:
        try:
            await pending
        except Exception as exc:  # noqa: BLE001 (the same boundary, for a target that is awaited)
            self._failed(delivery, _as_delivery_error(exc))
        else:
            self._delivered(delivery)

    def _delivered(self, delivery: Delivery) -> None:
        delivery.count("delivered")
        if delivery.receipt is not None:
            self.note("delivered", delivery, delivery.receipt)
        self._forget(delivery)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        now, reason = self._clock.now(), delivery.reason(error)
        delay_s = delivery.next_retry_s(now) if error.retryable else None
        delivery.count("attempt_failed" if delay_s is not None else "failed")
        if delay_s is None:
            self.note("undelivered", delivery, reason)
            self._dead_letter(delivery, error)
            self._forget(delivery)
        else:
            self.note("retry_scheduled", delivery, {"reason": reason, "after_s": round(delay_s, 3)})
            text = f"{reason.rstrip('.')}; the next attempt is in {delay_s:.1f} s"
            self._report("retry_scheduled", delivery, error.code, text, error.fix)
            delivery.retry_at = now + delay_s
            self._store(delivery)
            self._wait_for_retry(delivery, delivery.retry_at)

    def _wait_for_retry(self, delivery: Delivery, at: float) -> None:
        self._tasks.schedule(max(0.0, at - self._clock.now()), partial(self._retry, delivery))

    def _retry(self, delivery: Delivery) -> None:
        reason = delivery.obsolete()
        if reason is None:
            self.deliver(delivery)
        else:
            self.note("dropped", delivery, reason)
            self._report("dropped", delivery, "Obsolete", reason)
            self._forget(delivery)

    def _report(self, event: str, delivery: Delivery, code: str, reason: str, fix: str = "") -> None:
        """Report that the message does not reach its target."""
        self._journal.on_loss(Loss(event, delivery.message_id, *delivery.route(), code, reason, fix))

    # Records

    def _store_once(self, delivery: Delivery) -> None:
        """Store a delivery that waits or is under way, unless a retry is stored already."""
        if not delivery.number:
            self._store(delivery)

    def _store(self, delivery: Delivery) -> None:
        if not self._storage.is_durable:
            return
        if not delivery.number:
            self._last_number += 1
            delivery.number = self._last_number
        self._storage.save(
            self._kind, str(delivery.number), lambda: {"retry_at": delivery.retry_at, **delivery.document()}
        )

    def _forget(self, delivery: Delivery) -> None:
        """Delete the record of a delivery that has ended."""
        if delivery.number:
            self._storage.delete(self._kind, str(delivery.number))

    def _dead_letter(self, delivery: Delivery, error: DeliveryError) -> None:
        """Send the message to the dead-letter queue; without one it is lost."""
        why, fix = delivery.reason(error), error.fix
        try:
            found = delivery.dead_letter(error)
            if found is not None:
                queue_arn, entry = found
                message_id = self._sqs.deliver(queue_arn, entry, delivery.principal, is_dead_letter=True)
        except AwsError as exc:
            reason, fix = f"the dead-letter queue did not accept it: {exc}".rstrip("."), fix_of(exc.code)
        except Exception as exc:  # the same boundary: the journal has the reason of every loss
            log.exception("delivery.failed")
            reason = f"the dead-letter queue did not get it: {str(exc) or type(exc).__name__}"
        else:
            if found is not None:
                delivery.count("dead_lettered")
                detail = {"queue": queue_arn, "reason": why, "message_id": message_id}
                self.note("dead_lettered", delivery, detail)
                self._report("dead_lettered", delivery, error.code, f"{why.rstrip('.')}; it is in {queue_arn}", fix)
                return
            self._drop(
                delivery, error, f"the {delivery.target_kind} has no dead-letter queue", fix or delivery.keeps_by
            )
            return
        delivery.count("not_dead_lettered")
        self._drop(delivery, error, reason, fix)

    def _drop(self, delivery: Delivery, error: DeliveryError, reason: str, fix: str) -> None:
        """Report that the message is lost."""
        self.note("dropped", delivery, reason)
        self._report("dropped", delivery, error.code, f"{delivery.reason(error).rstrip('.')}; {reason}", fix)


def _as_delivery_error(error: Exception) -> DeliveryError:
    """Turn an unexpected exception, which is a fault of this engine or a full disk, into an error of the delivery."""
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, NotStoredError):
        return DeliveryError("INTERNAL_ERROR", str(error), retryable=True)
    log.error("delivery.failed", exc_info=error)
    return DeliveryError("INTERNAL_ERROR", str(error) or type(error).__name__)
