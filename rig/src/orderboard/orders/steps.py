"""The steps of an order: from the services' logs, its row, localbus's journal, and the queues."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from orderboard_contracts.alert import Alert, NotAnAlert, parse_alert
from orderboard_contracts.record import OrderRecord

from orderboard.orders.browse import StoredMessage
from orderboard.orders.dead_letters import dead_letter
from orderboard.orders.journal import DescribedEntry, Tone
from orderboard.orders.service_logs import LogLine

_SAME_CLOCK_WITHIN_S: Final = 5.0
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
class Step:
    """One thing that happened; still: a state that lasts."""

    at_s: float
    who: str
    title: str
    tone: Tone = "plain"
    details: dict[str, str] = field(default_factory=dict)
    still: bool = False


@dataclass(frozen=True)
class Clocks:
    """The services' time, the queues' time, and when messages arrived by the services' clock, if known."""

    now_s: float
    queue_time_s: float
    arrivals: Mapping[str, float]

    def arrival(self, message: StoredMessage) -> float:
        """Return the time at which the message arrived, by the services' clock; now if that is unknown."""
        if message.sent_at_s is not None and abs(self.queue_time_s - self.now_s) <= _SAME_CLOCK_WITHIN_S:
            return message.sent_at_s
        return self.arrivals.get(message.message_id, self.now_s)


def arrivals(journal: Iterable[DescribedEntry]) -> dict[str, float]:
    """Times by the services' clock at which messages arrived in their queues, by message id."""
    entered = {"sent": "", "delivered": "message_id"}
    return {
        each.details.get(entered[each.event], each.message_id): each.at_s for each in journal if each.event in entered
    }


def is_dead(queue: str) -> bool:
    """Return true for a dead-letter queue, `undelivered` included."""
    return queue.endswith(("-dlq", "-undelivered"))


def alert_in(queue: str, message: StoredMessage) -> Alert | None:
    """Return the alert in a message of the inbox; None for other messages."""
    try:
        return parse_alert(message.body) if queue.endswith("-inbox") else None
    except NotAnAlert:
        return None


def logged(log: Iterable[LogLine]) -> Iterator[Step]:
    """Steps that the services logged."""
    for line in log:
        details = {**{name: str(value) for name, value in line.fields.items()}, **line.ids}
        for name in ("correlation_id", "trace_id", "span_id"):
            details.pop(name, None)
        yield Step(
            at_s=line.at.timestamp(),
            who=details.pop("worker_id", line.service),
            title=_TITLES.get(line.event, line.event),
            tone="bad" if line.event in _BAD else "good" if line.event == "order.completed" else "plain",
            details=details,
        )


def from_record(record: OrderRecord | None) -> Iterator[Step]:
    """Steps that the order's row shows."""
    if record is None:
        return
    if record.placed_at is not None:
        yield Step(record.placed_at.timestamp(), "order-api", "Placed")
    details = {"status": record.status, "receive_count": str(record.receive_count or "unknown")}
    if record.rejection_reason is not None:
        details["reason"] = record.rejection_reason
    yield Step(record.recorded_at.timestamp(), record.worker_id or "worker", "Recorded in the table", "good", details)


def journalled(journal: Iterable[DescribedEntry]) -> Iterator[Step]:
    """Steps in localbus's journal."""
    for each in journal:
        details = dict(each.details)
        if each.message_id:
            details.setdefault("message_id", each.message_id)
        yield Step(each.at_s, each.who, each.title, each.tone, details)


def in_queues(messages: Iterable[tuple[str, StoredMessage]], clocks: Clocks) -> Iterator[Step]:
    """States of the messages that are in a queue, and announcements in the inbox."""
    for queue, message in messages:
        details = {"message_id": message.message_id, "receive_count": str(message.receive_count or 0)}
        who, now_s = f"SQS {queue}", clocks.now_s
        if queue.endswith("-inbox"):
            alert = alert_in(queue, message)
            details = {"text": "" if alert is None else alert.text, **details}
            yield Step(clocks.arrival(message), "notifier", "Announced", "good", details)
        elif is_dead(queue):
            title = f"In the dead-letter queue: {dead_letter(queue, message.to_message()).reason}"
            yield Step(now_s, who, title, "bad", details, still=True)
        else:
            title = "Waiting to be received" if message.visible else "In flight: a consumer has it, or a retry is due"
            if message.sent_at_s is not None:
                details["in_queue_s"] = f"{max(0.0, clocks.queue_time_s - message.sent_at_s):.1f}"
            yield Step(now_s, who, title, "waiting", details, still=True)
