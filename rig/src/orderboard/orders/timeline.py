"""The timeline of one order: its record, its messages, and every step that a part of the system knows of.

The sources are the order's row, the messages in the queues, the services' logs, and localbus's journal. `show` and the
console render it.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from boto3.dynamodb.types import TypeDeserializer
from orderboard_contracts.alert import Alert
from orderboard_contracts.record import OrderRecord, parse_record
from orderboard_contracts.trace_carrier import trace_id_of

from orderboard.errors import UsageError
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage, browse
from orderboard.orders.dead_letters import DeadLetter, dead_letter, dead_letter_queues, order_id_in
from orderboard.orders.journal import LEFT_THE_QUEUE, DescribedEntry, describe, in_real_time, purges, trace
from orderboard.orders.queues import peek
from orderboard.orders.service_logs import LogLine, log_lines, logged_order_ids
from orderboard.orders.steps import (
    Clocks,
    Step,
    alert_in,
    arrivals,
    from_record,
    in_queues,
    is_dead,
    journalled,
    logged,
)
from orderboard.system.localbus import JournalEntry
from orderboard.system.target import Target

_MISSING_AFTER_S: Final = 5.0  # without any step: a message may be between two queues


@dataclass(frozen=True)
class OrderTimeline:
    """Everything known of one order. record is None until a worker has recorded it; unknown says what is missing.

    missing: it was accepted, and nothing holds it any more.
    """

    order_id: str
    record: OrderRecord | None
    dead_letters: tuple[DeadLetter, ...]
    alerts: tuple[Alert, ...]
    log: tuple[LogLine, ...]
    steps: tuple[Step, ...]
    unknown: tuple[str, ...]
    missing: bool = False

    @property
    def known(self) -> bool:
        """True if anything is known of the order."""
        return bool(self.record or self.steps)

    @property
    def status(self) -> str:
        """The recorded status; else dead-lettered, missing, on its way or unknown."""
        if self.record is not None:
            return self.record.status
        if self.missing:
            return "missing"
        return "dead-lettered" if self.dead_letters else "on its way" if self.steps else "unknown"

    @property
    def trace_id(self) -> str | None:
        """The id of its trace, by which a collector finds its spans and `logs` its lines."""
        return next((line.ids["trace_id"] for line in self.log if "trace_id" in line.ids), None) or (
            None if self.record is None else trace_id_of(self.record)
        )

    @property
    def waited_s(self) -> float | None:
        """Seconds from accepted to recorded."""
        if self.record is None or self.record.placed_at is None:
            return None
        return (self.record.recorded_at - self.record.placed_at).total_seconds()

    def document(self) -> dict[str, Any]:
        """The order, its status and its steps as JSON; each step has the seconds since the one before."""
        before = (None, *(step.at_s for step in self.steps))
        return {
            "order_id": self.order_id,
            "status": self.status,
            "steps": [
                {**asdict(step), "gap_s": None if last is None else step.at_s - last}
                for step, last in zip(self.steps, before, strict=False)
            ],
            "order": None if self.record is None else self.record.model_dump(mode="json", exclude_none=True),
            "unknown": list(self.unknown),
        }


class Journal(Protocol):
    """localbus's journal, and the clock that it goes by."""

    def of_message(self, message_id: str) -> list[JournalEntry]:
        """The entries of a message."""

    def last_purge(self, queue_arn: str) -> JournalEntry | None:
        """The last purge of a queue."""

    def now(self) -> float:
        """localbus's time in seconds since 1970."""


@dataclass(frozen=True)
class Sources:
    """The sources of timelines.

    logs_dir: None where the services log elsewhere. journal: None where the backend keeps none. endpoints: the endpoint
    of each SNS subscription by ARN, asked for only with a journal. receives: on AWS, where queues cannot be read
    otherwise, receive from the inbox and the dead-letter queues.
    """

    target: Target
    logs_dir: Path | None = None
    journal: Journal | None = None
    endpoints: Callable[[], Mapping[str, str]] = dict
    queue_url: Callable[[str], str] | None = None
    receives: bool = False

    def timeline(self, order_id: str) -> OrderTimeline:
        """Read every source."""
        record = recorded(self.target, order_id)
        messages, unknown = self._messages(order_id)
        log = self._log(order_id, *(message.message_id for _, message in messages))
        journal: list[DescribedEntry] = []
        if self.journal is not None:
            journal = self._of_journal(self.journal, log, messages)
        if journal:  # of a message that it cannot parse, the worker logs the message's id only
            log = self._log(order_id, *{each.message_id for each in journal})
        if self.logs_dir is None:
            unknown += ["No logs: the services do not run on this machine."]
        return timeline(
            order_id,
            record,
            log,
            messages,
            journal=journal,
            unknown=unknown,
            queue_time_s=None if self.journal is None else self.journal.now(),
            everything_read=not unknown and self.target.endpoint.local,
        )

    def _of_journal(
        self, journal: Journal, log: Sequence[LogLine], messages: Sequence[tuple[str, StoredMessage]]
    ) -> list[DescribedEntry]:
        """The entries of the order's messages, at their real times."""
        entries, endpoints = trace(journal.of_message, sorted(_ids(log, messages))), self.endpoints()
        entries += purges(entries, endpoints, {each.message_id for _, each in messages}, journal.last_purge)
        found = []
        for entry, clock in map(in_real_time, entries):
            described = describe(entry, endpoints)
            found.append(replace(described, details={**described.details, **clock}))
        return found

    def message_ids(self, order_id: str) -> set[str]:
        """The ids of the order's messages: those in the queues and those in the services' logs."""
        return _ids(self._log(order_id), self._messages(order_id)[0])

    def order_ids(self, start: str) -> set[str]:
        """The ids of the orders that start with this text: recorded, in the queues, or in the services' logs.

        This reads the whole table, so on AWS, where that costs money, it raises UsageError.
        """
        if not self.target.endpoint.local:
            raise UsageError("On AWS, give the whole order id: to find it by its start would read every order.")
        logged = set[str]() if self.logs_dir is None else logged_order_ids(self.logs_dir, start)
        held = {order_id_in(message.body) or "" for _, message in self._containing(start)[0]}
        return recorded_order_ids(self.target, start) | {each for each in logged | held if each.startswith(start)}

    def _log(self, *names: str) -> list[LogLine]:
        return [] if self.logs_dir is None else log_lines(self.logs_dir, names)

    def _messages(self, order_id: str) -> tuple[list[tuple[str, StoredMessage]], list[str]]:
        """The order's messages, each with its queue, and the reason if they cannot be read."""
        found, unknown = self._containing(order_id)
        return [(queue, each) for queue, each in found if order_id_in(each.body) == order_id], unknown

    def _containing(self, text: str) -> tuple[list[tuple[str, StoredMessage]], list[str]]:
        """The messages with this text, each with its queue, and the reason if they cannot be read."""
        target, queue_url = self.target, self.queue_url or self.target.queue_url
        found: list[tuple[str, StoredMessage]] = []
        try:
            for queue in target.outputs.queues:
                found += [(queue, each) for each in browse(target.endpoint, queue_url(queue), containing=text)]
        except BrowseUnavailableError as exc:
            if not self.receives:
                return found, [f"Messages are not shown: {exc}"]
            for queue in (target.outputs.inbox_queue, *dead_letter_queues(target)):
                found += [
                    (queue, StoredMessage(each.message_id, each.body, None, each.receive_count, None, each.attributes))
                    for each in peek(target.sqs, queue_url(queue))
                    if text in each.body
                ]
        return found, []


def timeline(
    order_id: str,
    record: OrderRecord | None,
    log: Sequence[LogLine],
    messages: Sequence[tuple[str, StoredMessage]],
    *,
    journal: Sequence[DescribedEntry] = (),
    unknown: Sequence[str] = (),
    queue_time_s: float | None = None,
    everything_read: bool = False,
) -> OrderTimeline:
    """Put everything in order. messages: those that are in a queue now, each with the queue's name.

    queue_time_s: the time by the queues' clock, None if it is the services' clock. everything_read: no queue and no log
    is unknown, so an order that is nowhere is missing.
    """
    now_s = time.time()
    clocks = Clocks(now_s, now_s if queue_time_s is None else queue_time_s, arrivals(journal))
    left = {(each.who, each.message_id) for each in journal if each.event in LEFT_THE_QUEUE}
    # The journal is read after the queues: by then a message may have been deleted.
    held = [(queue, each) for queue, each in messages if (f"SQS {queue}", each.message_id) not in left]
    letters = [dead_letter(queue, each.to_message()) for queue, each in held if is_dead(queue)]
    alerts = {each.id: each for queue, message in held if (each := alert_in(queue, message)) is not None}
    happened = [*logged(log), *from_record(record), *journalled(journal)]
    steps = sorted([*happened, *in_queues(held, clocks)], key=lambda step: (step.still, step.at_s))
    retried = bool(journal) and journal[-1].event == "retry_scheduled"
    idle_s = now_s - max((step.at_s for step in happened), default=now_s)
    return OrderTimeline(
        order_id=order_id,
        record=record,
        dead_letters=tuple(letters),
        alerts=tuple(each for each in alerts.values() if each.order_id == order_id),
        log=tuple(log),
        steps=tuple(steps),
        unknown=tuple(unknown),
        missing=everything_read and record is None and not held and not retried and idle_s > _MISSING_AFTER_S,
    )


def recorded(target: Target, order_id: str) -> OrderRecord | None:
    """The order's row, None until a worker has written it."""
    item = target.dynamodb.get_item(
        TableName=target.outputs.orders_table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
    ).get("Item")
    if item is None:
        return None
    deserialize = TypeDeserializer().deserialize
    return parse_record({name: deserialize(value) for name, value in item.items()})


def recorded_order_ids(target: Target, start: str) -> set[str]:
    """The ids in the table that start with this text."""
    pages = target.dynamodb.get_paginator("scan").paginate(
        TableName=target.outputs.orders_table,
        ProjectionExpression="order_id",
        FilterExpression="begins_with(order_id, :start)",
        ExpressionAttributeValues={":start": {"S": start}},
    )
    return {row["order_id"]["S"] for page in pages for row in page["Items"]}


def _ids(log: Iterable[LogLine], messages: Iterable[tuple[str, StoredMessage]]) -> set[str]:
    logged = {line.ids[name] for line in log for name in ("message_id", "bus_event_id") if name in line.ids}
    return logged | {message.message_id for _, message in messages}
