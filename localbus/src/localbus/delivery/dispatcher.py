"""The dispatcher: attempts each delivery, retries it while its policy permits, and then dead-letters it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from functools import partial
from typing import Any

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service_model import Params
from localbus.resource_policy import Principal
from localbus.sqs.state import Sqs

log = logging.getLogger("localbus")

_ALLOW = ". Allow it in the target's policy, or start localbus with --no-policies"
_FIXES = dict.fromkeys(("AccessDeniedException", "AuthorizationErrorException", "NO_PERMISSIONS"), _ALLOW)


class Delivery(ABC):
    """One message on its way to one target.

    The journal records it under `message_id` and `resource`, the ARN of a subscription or a target; `receipt` is the
    detail of success. `principal` sends to the dead-letter queue.
    """

    target_kind = "target"
    message_id: str
    resource: str
    principal: Principal
    receipt: dict[str, str]

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
    def next_retry_s(self, now: float) -> float | None:
        """Return the delay before the next attempt in seconds, or None when the retry policy permits no more."""

    def throttle_s(self, _now: float) -> float:
        """Return how long the attempt must wait for the target's rate limit, in seconds."""
        return 0.0

    def reason(self, error: DeliveryError) -> str:
        """Return the error as the journal shows it."""
        return error.message


class Dispatcher:
    """Attempts deliveries. Those that wait do so in the engine's background tasks."""

    def __init__(self, clock: Clock, journal: Journal, sqs: Sqs, tasks: BackgroundTasks) -> None:
        self._clock = clock
        self._journal = journal
        self._sqs = sqs
        self._tasks = tasks

    def deliver(self, delivery: Delivery) -> None:
        """Attempt the delivery, in this turn unless a rate limit delays it."""
        wait_s = delivery.throttle_s(self._clock.now())
        if wait_s:
            self._tasks.schedule(wait_s, partial(self._attempt, delivery))
        else:
            self._attempt(delivery)

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
            self.note("delivered", delivery, delivery.receipt)
        else:
            self._tasks.start(self._finish(delivery, pending))

    async def _finish(self, delivery: Delivery, pending: Coroutine[Any, Any, None]) -> None:
        try:
            await pending
        except Exception as exc:  # noqa: BLE001 (the same boundary, for a target that is awaited)
            self._failed(delivery, _as_delivery_error(exc))
        else:
            self.note("delivered", delivery, delivery.receipt)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        reason = delivery.reason(error)
        delay_s = delivery.next_retry_s(self._clock.now()) if error.retryable else None
        if delay_s is None:
            self.note("undelivered", delivery, reason)
            outcome = self._dead_letter(delivery, error)
            fix = _FIXES.get(error.code, "")
            self._journal.report_loss(*delivery.route(), error.code, f"{reason.rstrip('.')}; {outcome}{fix}")
        else:
            self.note("retry_scheduled", delivery, {"reason": reason, "after_s": round(delay_s, 3)})
            self._tasks.schedule(delay_s, partial(self.deliver, delivery))

    def _dead_letter(self, delivery: Delivery, error: DeliveryError) -> str:
        """Send the message to the dead-letter queue; without one it is lost. Return what happened to it."""
        found = delivery.dead_letter(error)
        if found is None:
            reason = f"the {delivery.target_kind} has no dead-letter queue"
        else:
            queue_arn, entry = found
            try:
                self._sqs.deliver(queue_arn, entry, delivery.principal, is_dead_letter=True)
            except AwsError as exc:
                reason = f"the dead-letter queue did not accept it: {exc}".rstrip(".")
            else:
                self.note("dead_lettered", delivery, {"queue": queue_arn, "reason": delivery.reason(error)})
                return f"sent to the dead-letter queue {queue_arn}"
        self.note("dropped", delivery, reason)
        return f"dropped: {reason}"


def _as_delivery_error(error: Exception) -> DeliveryError:
    """Turn an unexpected exception, which is a fault of this engine, into an error of the delivery."""
    if isinstance(error, DeliveryError):
        return error
    log.error("delivery.failed", exc_info=error)
    return DeliveryError("INTERNAL_ERROR", str(error) or type(error).__name__)
