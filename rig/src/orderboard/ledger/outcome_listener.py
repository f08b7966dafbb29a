"""A witness on the bus: a rule and a queue of its own that hear every outcome which the worker tells.

The table has one row an order, so it cannot show that one finished twice. The bus can: two different outcomes would be
two events. The template has no such queue because nobody but a measurement needs it; it is made here and removed after.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from botocore.exceptions import EndpointConnectionError, HTTPClientError
from orderboard_contracts.events import (
    CancellationRefused,
    Event,
    NotAnEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRejected,
    parse_event,
)

from orderboard.ledger.ledger import Outcome
from orderboard.ledger.queue_reader import Reader
from orderboard.system.target import Target


class Witness:
    """Collects outcome events, and tells each final one to whoever wants to know at once."""

    def __init__(self, queue: str, told: Callable[[Outcome], None] | None = None) -> None:
        self.queue = queue  # its name
        self._told = told
        self._outcomes: list[Outcome] = []
        self._finished: set[str] = set()
        self._refused_cancellations: set[str] = set()
        self.first_outcome_at: float | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The final outcomes heard so far."""
        return tuple(self._outcomes)

    @property
    def finished(self) -> int:
        """How many different orders were heard to have ended."""
        return len(self._finished)

    @property
    def refused_cancellations(self) -> frozenset[str]:
        """The orders of which it was heard that a cancellation came too late."""
        return frozenset(self._refused_cancellations)

    def hear(self, body: str) -> None:
        """Note what a message of the witness's queue says."""
        try:
            event = parse_event(json.loads(body)["detail"])
        except (NotAnEvent, ValueError, KeyError):
            return
        if (outcome := final_outcome(event)) is not None:
            self.first_outcome_at = self.first_outcome_at or time.time()
            self._outcomes.append(outcome)
            self._finished.add(outcome.order_id)
            if self._told is not None:
                self._told(outcome)
        elif isinstance(event, CancellationRefused):
            self._refused_cancellations.add(event.subject)


def final_outcome(event: Event) -> Outcome | None:
    """What the event says of where its order ended; None when it says nothing of that."""
    match event:
        case OrderCompleted():
            return Outcome(event.id, event.subject, "completed")
        case OrderRejected(data=data) if data.reason != "idempotency_conflict":
            return Outcome(event.id, event.subject, "rejected")
        case OrderCancelled():
            return Outcome(event.id, event.subject, "cancelled")
        case _:
            return None


@contextmanager
def witness(target: Target, told: Callable[[Outcome], None] | None = None, *, threads: int = 1) -> Iterator[Witness]:
    """Set a witness on the bus, and take it away afterwards, unless the backend has gone."""
    bus_name = target.outputs.bus_name
    # A name of its own: for a minute, no queue may be called like one that was deleted.
    name = f"{bus_name}-witness-{secrets.token_hex(3)}"
    with ExitStack() as stack:
        queue_url = target.sqs.create_queue(QueueName=name)["QueueUrl"]
        stack.callback(_remove, target, name, queue_url)
        queue_arn = target.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        rule_arn = target.events.put_rule(
            Name=name,
            EventBusName=bus_name,
            EventPattern=json.dumps({"source": ["orderboard.worker"]}),
            Description="What the worker tells, for a measurement.",
        )["RuleArn"]
        target.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": _policy(queue_arn, rule_arn)})
        target.events.put_targets(Rule=name, EventBusName=bus_name, Targets=[{"Id": "witness", "Arn": queue_arn}])
        heard = Witness(name, told)
        reader = Reader(target, queue_url, heard.hear, name="witness", threads=threads)
        reader.start()
        stack.callback(reader.stop)
        yield heard


def _remove(target: Target, name: str, queue_url: str) -> None:
    events, bus_name = target.events, target.outputs.bus_name
    with suppress(EndpointConnectionError, HTTPClientError):
        with suppress(events.exceptions.ResourceNotFoundException):  # it was not made
            events.remove_targets(Rule=name, EventBusName=bus_name, Ids=["witness"])
            events.delete_rule(Name=name, EventBusName=bus_name)
        target.sqs.delete_queue(QueueUrl=queue_url)


def _policy(queue_arn: str, rule_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
                }
            ],
        }
    )
