"""The timeline of one order: its record, its messages, and every step that a part of the system knows of.

The sources are the order's row, the messages in the queues, the services' logs, and localbus's journal. `show` and the
console render it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from boto3.dynamodb.types import TypeDeserializer
from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert
from orderboard_contracts.record import OrderRecord, parse_record

from orderboard.errors import UsageError
from orderboard.orders.browse import BrowseUnavailableError, StoredMessage, browse
from orderboard.orders.dead_letters import DeadLetter, dead_letter, dead_letter_queues, order_id_in
from orderboard.orders.journal import DescribedEntry, Tone, describe, trace
from orderboard.orders.queues import peek
from orderboard.system.localbus import JournalEntry
from orderboard.system.target import Target

_SAME_CLOCK_WITHIN_S: Final = 5.0
_IDS: Final = ("correlation_id", "event_id", "bus_event_id", "message_id")
# Fields that every line has, and ids that are kept apart.
_NO_FIELDS: Final = frozenset(
    (*("timestamp", "level", "message", "service", "logger", "taskName", "order_id"), *_IDS),
)
_TITLES: Final = {
    "order.accepted": "Accepted by order-api, published to SNS and EventBridge",
    "cancellation.accepted": "Cancellation accepted, published",
    "message.retry_scheduled": "Handling failed; a retry is scheduled",
    "message.poison": "Handling failed; no retry can help",
    "message.given_back": "Released unhandled",
    "message.lost": "The worker lost its lease on the message",
    "order.completed": "Completed",
    "order.rejected": "Rejected",
    "order.cancelled": "Cancelled before it was made",
    "order.cancellation_pending": "The cancellation came first: a tombstone waits for the order",
    "order.cancellation_refused": "Cancellation refused: too late",
}
_BAD: Final = frozenset(("message.poison", "message.retry_scheduled", "message.lost", "order.rejected"))


@dataclass(frozen=True)
class LogLine:
    """A line that a service logged about the order."""

    at: datetime
    service: str
    level: str
    event: str
    fields: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One thing that happened; still: a state that lasts."""

    at_s: float
    who: str
    title: str
    tone: Tone = "plain"
    details: dict[str, str] = field(default_factory=dict)
    still: bool = False


@dataclass(frozen=True)
class OrderTimeline:
    """Everything known of one order. record is None until a worker has recorded it; unknown says what is missing."""

    order_id: str
    record: OrderRecord | None
    dead_letters: tuple[DeadLetter, ...]
    alerts: tuple[Alert, ...]
    log: tuple[LogLine, ...]
    steps: tuple[Step, ...]
    unknown: tuple[str, ...]

    @property
    def known(self) -> bool:
        """True if anything is known of the order."""
        return bool(self.record or self.steps)

    @property
    def status(self) -> str:
        """The recorded status; else dead-lettered, on its way or unknown."""
        if self.record is not None:
            return self.record.status
        return "dead-lettered" if self.dead_letters else "on its way" if self.steps else "unknown"

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
        behind_s = 0.0 if self.journal is None else self.journal.now() - time.time()
        same_clock = abs(behind_s) <= _SAME_CLOCK_WITHIN_S
        journal: list[DescribedEntry] = []
        if self.journal is not None and same_clock:
            entries = trace(self.journal.of_message, sorted(_ids(log, messages)))
            endpoints = self.endpoints()
            journal = [describe(entry, endpoints) for entry in entries]
        elif self.journal is not None:
            unknown += ["localbus's clock is not the services' clock: its journal is shown under Journal only."]
        if journal:  # of a message that it cannot parse, the worker logs the message's id only
            log = self._log(order_id, *{each.message_id for each in journal})
        if self.logs_dir is None:
            unknown += ["No logs: the services do not run on this machine."]
        return timeline(order_id, record, log, messages, journal=journal, unknown=unknown, same_clock=same_clock)

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
    same_clock: bool = True,
) -> OrderTimeline:
    """Put everything in order. messages: those that are in a queue now, each with the queue's name.

    same_clock: the queues go by the services' clock. If they do not, what only the queues know comes last.
    """
    letters = [dead_letter(queue, each.to_message()) for queue, each in messages if _is_dead(queue)]
    alerts = {each.id: each for queue, message in messages if (each := _alert(queue, message)) is not None}
    happened = [*_logged(log), *_recorded(record), *_journalled(journal)]
    now_s = time.time() if same_clock else max((step.at_s for step in happened), default=time.time())
    steps = [*happened, *_in_queues(messages, now_s, same_clock=same_clock)]
    return OrderTimeline(
        order_id=order_id,
        record=record,
        dead_letters=tuple(letters),
        alerts=tuple(each for each in alerts.values() if each.order_id == order_id),
        log=tuple(log),
        steps=tuple(sorted(steps, key=lambda step: step.at_s)),
        unknown=tuple(unknown),
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


def logged_order_ids(logs_dir: Path, start: str) -> set[str]:
    """The ids that start with this text in the services' logs."""
    logged = (str(entry.get("order_id", "")) for _, entry in _entries(logs_dir, [start]))
    return {each for each in logged if each.startswith(start)}


def log_lines(logs_dir: Path, names: Sequence[str]) -> list[LogLine]:
    """The lines of the services' logs with one of these ids as the value of a field, oldest first."""
    found = (
        _log_line(entry, service)
        for service, entry in _entries(logs_dir, names)
        if any(name in value for value in map(_values, entry.values()) for name in names)
    )
    return sorted(found, key=lambda line: line.at)


def _values(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else (value,)


def _entries(logs_dir: Path, texts: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines that contain one of these texts, parsed, each with the name of its file."""
    for path in sorted(logs_dir.glob("*.log")):
        with path.open(errors="replace") as lines:
            for line in lines:
                if not any(text in line for text in texts):
                    continue
                try:
                    entry = json.loads(line)
                    datetime.fromisoformat(entry["timestamp"])
                except (ValueError, KeyError, TypeError):  # not a line of our services
                    continue
                yield path.stem, entry


def _log_line(entry: dict[str, Any], default_service: str) -> LogLine:
    return LogLine(
        at=datetime.fromisoformat(entry["timestamp"]).astimezone(),
        service=str(entry.get("service", default_service)),
        level=str(entry.get("level", "")),
        event=str(entry.get("message", "")),
        fields={name: value for name, value in entry.items() if name not in _NO_FIELDS},
        ids={name: str(entry[name]) for name in _IDS if name in entry},
    )


def _ids(log: Iterable[LogLine], messages: Iterable[tuple[str, StoredMessage]]) -> set[str]:
    logged = {line.ids[name] for line in log for name in ("message_id", "bus_event_id") if name in line.ids}
    return logged | {message.message_id for _, message in messages}


def _is_dead(queue: str) -> bool:
    return queue.endswith(("-dlq", "-undelivered"))


def _alert(queue: str, message: StoredMessage) -> Alert | None:
    try:
        return parse_alert(message.body) if queue.endswith("-inbox") else None
    except NotAnAlert:
        return None


def _logged(log: Iterable[LogLine]) -> Iterator[Step]:
    for line in log:
        details = {**{name: str(value) for name, value in line.fields.items()}, **line.ids}
        details.pop("correlation_id", None)
        yield Step(
            at_s=line.at.timestamp(),
            who=details.pop("worker_id", line.service),
            title=_TITLES.get(line.event, line.event),
            tone="bad" if line.event in _BAD else "good" if line.event == "order.completed" else "plain",
            details=details,
        )


def _recorded(record: OrderRecord | None) -> Iterator[Step]:
    if record is None:
        return
    if record.placed_at is not None:
        yield Step(record.placed_at.timestamp(), "order-api", "Placed")
    details = {"status": record.status, "receive_count": str(record.receive_count or "unknown")}
    if record.rejection_reason is not None:
        details["reason"] = record.rejection_reason
    yield Step(record.recorded_at.timestamp(), record.worker_id or "worker", "Recorded in the table", "good", details)


def _journalled(journal: Iterable[DescribedEntry]) -> Iterator[Step]:
    for each in journal:
        details = dict(each.details)
        if each.message_id:
            details.setdefault("message_id", each.message_id)
        yield Step(each.at_s, each.who, each.title, each.tone, details)


def _in_queues(messages: Iterable[tuple[str, StoredMessage]], now_s: float, *, same_clock: bool) -> Iterator[Step]:
    for queue, message in messages:
        details = {"message_id": message.message_id, "receive_count": str(message.receive_count or 0)}
        at_s = message.sent_at_s if same_clock and message.sent_at_s is not None else now_s
        who = f"SQS {queue}"
        if queue.endswith("-inbox"):
            alert = _alert(queue, message)
            yield Step(at_s, "notifier", "Announced", "good", {"text": "" if alert is None else alert.text, **details})
        elif _is_dead(queue):
            title = f"In the dead-letter queue: {dead_letter(queue, message.to_message()).reason}"
            yield Step(now_s, who, title, "bad", details, still=True)
        else:
            title = "Waiting to be received" if message.visible else "In flight: a consumer has it, or a retry is due"
            waited = {"in_queue_s": f"{now_s - at_s:.1f}"} if same_clock else {}
            yield Step(now_s, who, title, "waiting", {**details, **waited}, still=True)
