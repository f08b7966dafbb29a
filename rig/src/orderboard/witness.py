"""A witness on the bus: a rule and a queue of its own that hear every outcome which the worker tells.

The table has one row an order, so it cannot show that one finished twice. The bus can: two different outcomes would be
two events. The template has no such queue because nobody but a measurement needs it; it is made here and removed after.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from orderboard_contracts.events import (
    CancellationRefused,
    Event,
    NotAnEvent,
    OrderCancelled,
    OrderCompleted,
    OrderRejected,
    parse_event,
)

from orderboard.ledger import Outcome
from orderboard.queues import BATCH
from orderboard.target import AWS_ERRORS, Target

_STOP_WITHIN_S: Final = 10
_PAUSE_AFTER_ERROR_S: Final = 0.2


class Witness:
    """Collects outcome events in a thread of its own, by receiving them from its queue."""

    def __init__(self, target: Target, queue_url: str) -> None:
        self._target = target
        self._queue_url = queue_url
        self._outcomes: list[Outcome] = []
        self._refused_cancellations: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="witness", daemon=True)
        self.first_outcome_at: float | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The final outcomes heard so far."""
        return tuple(self._outcomes)

    @property
    def finished(self) -> int:
        """How many different orders were heard to have ended."""
        return len({outcome.order_id for outcome in self.outcomes})

    @property
    def refused_cancellations(self) -> frozenset[str]:
        """The orders of which it was heard that a cancellation came too late."""
        return frozenset(self._refused_cancellations)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopping.set()
        self._thread.join(_STOP_WITHIN_S)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                messages = self._target.sqs.receive_message(
                    QueueUrl=self._queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1
                ).get("Messages", [])
                for message in messages:
                    self._hear(message["Body"])
                if messages:
                    self._target.sqs.delete_message_batch(
                        QueueUrl=self._queue_url,
                        Entries=[
                            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                            for number, message in enumerate(messages)
                        ],
                    )
            except AWS_ERRORS:  # a busy backend; what was not heard is still in the queue
                time.sleep(_PAUSE_AFTER_ERROR_S)

    def _hear(self, body: str) -> None:
        try:
            event = parse_event(json.loads(body)["detail"])
        except (NotAnEvent, ValueError, KeyError):
            return
        if (outcome := final_outcome(event)) is not None:
            self.first_outcome_at = self.first_outcome_at or time.time()
            self._outcomes.append(outcome)
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
def witness(target: Target) -> Iterator[Witness]:
    """Set a witness on the bus, and take it away afterwards."""
    bus_name = target.outputs.bus_name
    name = f"{bus_name}-witness"
    with ExitStack() as stack:
        queue_url = target.sqs.create_queue(QueueName=name)["QueueUrl"]
        stack.callback(target.sqs.delete_queue, QueueUrl=queue_url)
        queue_arn = target.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        rule_arn = target.events.put_rule(
            Name=name,
            EventBusName=bus_name,
            EventPattern=json.dumps({"source": ["orderboard.worker"]}),
            Description="What the worker tells, for a measurement.",
        )["RuleArn"]
        stack.callback(target.events.delete_rule, Name=name, EventBusName=bus_name)
        target.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": _policy(queue_arn, rule_arn)})
        target.events.put_targets(Rule=name, EventBusName=bus_name, Targets=[{"Id": "witness", "Arn": queue_arn}])
        stack.callback(target.events.remove_targets, Rule=name, EventBusName=bus_name, Ids=["witness"])
        listener = Witness(target, queue_url)
        listener.start()
        stack.callback(listener.stop)
        yield listener


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
