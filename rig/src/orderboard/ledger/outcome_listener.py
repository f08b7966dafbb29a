"""Records every outcome that the worker publishes, through a rule and a queue made for one measurement.

The table has one row an order, so it cannot show that an order finished twice. The bus can: two different outcomes are
two events.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from botocore.exceptions import EndpointConnectionError, HTTPClientError
from orderboard_contracts.events import (
    Event,
    NotAnEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRejected,
    parse_event,
)

from orderboard.ledger.ledger import Outcome
from orderboard.ledger.leftovers import listener_prefix, owner
from orderboard.ledger.queue_reader import QueueReader
from orderboard.resources.policy import Sender, send_policy
from orderboard.system.target import Target

# Short, as a receive whose answer was lost delays the verdict for so long.
_VISIBILITY_TIMEOUT_S: Final = "10"

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
    sqs, events, bus_name = target.sqs, target.events, target.outputs.bus_name
    # A new name each time: a queue name can be used again only 60 seconds after it was deleted.
    name = f"{listener_prefix(target)}{secrets.token_hex(3)}"
    with ExitStack() as stack:
        queue_url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": _VISIBILITY_TIMEOUT_S})[
            "QueueUrl"
        ]
        stack.callback(_remove, target, name, queue_url)
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule_arn = events.put_rule(
            Name=name,
            EventBusName=bus_name,
            EventPattern=json.dumps({"source": ["orderboard.worker"]}),
            Description=f"The worker's outcomes, for a measurement by {owner()}",
        )["RuleArn"]
        sqs.set_queue_attributes(
            QueueUrl=queue_url, Attributes={"Policy": send_policy(Sender("events.amazonaws.com", rule_arn), queue_arn)}
        )
        events.put_targets(Rule=name, EventBusName=bus_name, Targets=[{"Id": "outcomes", "Arn": queue_arn}])
        listener = OutcomeListener(name, on_outcome)
        with QueueReader(target, queue_url, listener.receive, name="outcomes", threads=threads):
            yield listener


def _remove(target: Target, name: str, queue_url: str) -> None:
    events, bus_name = target.events, target.outputs.bus_name
    with suppress(EndpointConnectionError, HTTPClientError):
        with suppress(events.exceptions.ResourceNotFoundException):  # it was not created
            events.remove_targets(Rule=name, EventBusName=bus_name, Ids=["outcomes"])
            events.delete_rule(Name=name, EventBusName=bus_name)
        target.sqs.delete_queue(QueueUrl=queue_url)
