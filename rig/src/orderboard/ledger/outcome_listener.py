"""Records every outcome that the worker publishes, through a rule and a queue made for one measurement.

The table has one row an order, so it cannot show that an order finished twice. The bus can: two different outcomes are
two events.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orderboard_contracts.events import (
    Event,
    NotAnEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRejected,
    parse_event,
)

from orderboard.ledger.bus_queue import bus_queue
from orderboard.ledger.ledger import Outcome
from orderboard.ledger.queue_reader import QueueReader
from orderboard.system.target import Target

# Gets an outcome, and the time.monotonic() at which it came.
OnOutcome = Callable[[Outcome, float], None]


def _ignore(_outcome: Outcome, _at: float) -> None:
    pass


class OutcomeListener:
    """The final outcomes received so far. on_outcome is called with each of them at once."""

    def __init__(self, queue: str, on_outcome: OnOutcome = _ignore) -> None:
        self.queue = queue  # its name
        self._on_outcome = on_outcome
        self._outcomes: list[Outcome] = []
        self._finished: set[str] = set()
        self.first_outcome_at: float | None = None  # time.monotonic()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The final outcomes, repeated deliveries included."""
        return tuple(self._outcomes)

    @property
    def finished(self) -> int:
        """The number of different orders that have a final outcome."""
        return len(self._finished)

    def receive(self, body: str, at: float) -> None:
        """Record the outcome in the body of a message that came at time.monotonic(); other messages are ignored."""
        try:
            document = json.loads(body)
            event = parse_event(document["detail"])
        except (NotAnEvent, ValueError, KeyError):
            return
        if (outcome := final_outcome(event, str(document.get("id", "")))) is not None:
            self.first_outcome_at = min(at, self.first_outcome_at or at)
            self._outcomes.append(outcome)
            self._finished.add(outcome.order_id)
            self._on_outcome(outcome, at)


def final_outcome(event: Event, bus_event_id: str = "") -> Outcome | None:
    """The final outcome that the event states; None when the event ends no order."""
    match event:
        case OrderCompleted():
            return Outcome(event.id, event.subject, "completed", bus_event_id)
        case OrderRejected(data=data) if data.reason != "idempotency_conflict":
            return Outcome(event.id, event.subject, "rejected", bus_event_id)
        case OrderCancelled():
            return Outcome(event.id, event.subject, "cancelled", bus_event_id)
        case _:
            return None


@contextmanager
def listen_for_outcomes(
    target: Target, on_outcome: OnOutcome = _ignore, *, threads: int = 1
) -> Iterator[OutcomeListener]:
    """Create the rule and the queue, receive until the block ends, then delete both (unless the backend has gone)."""
    pattern = {"source": ["orderboard.worker"]}
    with bus_queue(target, pattern, "The worker's outcomes, for a measurement") as queue:
        listener = OutcomeListener(queue.name, on_outcome)
        with QueueReader(target, queue.url, listener.receive, name="outcomes", threads=threads):
            yield listener
