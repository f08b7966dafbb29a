"""One order's story as steps in time, for a page that follows it live: who did what, when, and how long after the last.

Made of what every part knows: the services' logs, the order's row, the queues as they lie, the dead letters, and the
backend's own journal where it keeps one (localbus).
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard_contracts.record import OrderRecord

from orderboard.console.board import queue_names
from orderboard.console.journal import Told, Tone, tell
from orderboard.console.peek import CannotPeekError, Peeked, peek
from orderboard.console.source import Source
from orderboard.console.trace import Journal, trace
from orderboard.orders.dead_letters import dead_letter
from orderboard.orders.queues import Message
from orderboard.orders.timeline import LogLine, log_lines, recorded

_KEPT_S: Final = 0.9
_STORIES: Final = 100
_SAME_TIME_WITHIN_S: Final = 5.0
_TITLES: Final = {
    "order.accepted": "Accepted by order-api, published to SNS and EventBridge",
    "cancellation.accepted": "Cancellation accepted, published",
    "message.retry_scheduled": "Handling failed; to be tried again",
    "message.poison": "Handling failed; no retry can help",
    "message.given_back": "Given back unhandled",
    "message.lost": "The worker lost hold of the message",
    "order.completed": "Completed",
    "order.rejected": "Rejected",
    "order.cancelled": "Cancelled before it was made",
    "order.cancellation_pending": "The cancellation came first: a tombstone waits for the order",
    "order.cancellation_refused": "Cancellation refused: too late",
}
_BAD: Final = frozenset(("message.poison", "message.retry_scheduled", "message.lost", "order.rejected"))


@dataclass(frozen=True)
class Step:
    """One thing that happened, or that is still so."""

    at_s: float
    who: str
    title: str
    tone: Tone = "plain"
    details: dict[str, str] = field(default_factory=dict)
    still: bool = False


class Follower:
    """Tells stories. Asked by several pages at once it looks once."""

    def __init__(self, source: Source, journal: Journal) -> None:
        self._source = source
        self._journal = journal
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, dict[str, Any]]] = {}

    def story(self, order_id: str) -> dict[str, Any]:
        """The story so far."""
        with self._lock:
            at, told = self._told.get(order_id, (0.0, {}))
            if time.monotonic() - at < _KEPT_S:
                return told
            self._told = {} if len(self._told) > _STORIES else self._told
            told = self._tell(order_id)
            self._told[order_id] = (time.monotonic(), told)
            return told

    def message_ids(self, order_id: str) -> set[str]:
        """The ids under which messages about the order are known: from the services' logs, and where they lie now."""
        lying, _ = self._lying(order_id)
        return _ids(self._lines(order_id), lying)

    def _tell(self, order_id: str) -> dict[str, Any]:
        record = recorded(self._source.target(), order_id)
        lying, blind = self._lying(order_id)
        lines = self._lines(order_id, *(message.message_id for _, message in lying))
        behind_s = self._source.backend_now() - time.time()
        told, unknown = self._journalled(_ids(lines, lying), behind_s)
        if told:  # of a message that it cannot handle the worker logs the message's id only
            lines = self._lines(order_id, *{each.message_id for each in told})
        if blind is not None:
            unknown.append(f"Messages are not shown: {blind}")
        if self._source.logs_dir is None:
            unknown.append("No logs: the services do not run on this machine.")
        same_time = abs(behind_s) <= _SAME_TIME_WITHIN_S
        return story_document(order_id, record, lines, lying, journal=told, unknown=unknown, same_time=same_time)

    def _lines(self, *names: str) -> list[LogLine]:
        logs_dir = self._source.logs_dir
        return [] if logs_dir is None else log_lines(logs_dir, names)

    def _journalled(self, ids: set[str], behind_s: float) -> tuple[list[Told], list[str]]:
        """What localbus's journal tells, where that is the backend, and what keeps it from being told."""
        engine = self._source.localbus()
        if engine is None:
            return [], []
        if abs(behind_s) > _SAME_TIME_WITHIN_S:
            return [], ["localbus's clock is not that of the services: what its journal has is in the Journal only."]
        endpoints = self._journal.endpoints()
        return [tell(entry, endpoints) for entry in trace(engine.of_message, sorted(ids))], []

    def _lying(self, order_id: str) -> tuple[list[tuple[str, Peeked]], str | None]:
        """Where messages about the order lie, and why that is not known."""
        target, found = self._source.target(), []
        try:
            for name, dlq in queue_names(target.outputs).values():
                for queue in (name, dlq) if dlq is not None else (name,):
                    messages = peek(target.endpoint, self._source.queue_url(queue), containing=order_id)
                    found += [(queue, each) for each in messages]
        except CannotPeekError as exc:
            return found, str(exc)
        return found, None


def _ids(lines: list[LogLine], lying: list[tuple[str, Peeked]]) -> set[str]:
    logged = {line.ids[name] for line in lines for name in ("message_id", "bus_event_id") if name in line.ids}
    return logged | {message.message_id for _, message in lying}


def story_document(
    order_id: str,
    record: OrderRecord | None,
    lines: list[LogLine],
    lying: list[tuple[str, Peeked]],
    *,
    journal: list[Told],
    unknown: list[str],
    same_time: bool = True,
) -> dict[str, Any]:
    """Put the steps in order. lying: the queues where messages about the order are now.

    same_time: whether the queues go by the services' clock. If not, what only they know comes last.
    """
    happened = [*_logged(lines), *_recorded(record), *_journalled(journal)]
    now_s = time.time() if same_time else max((step.at_s for step in happened), default=time.time())
    steps = sorted([*happened, *_lies(lying, now_s, same_time=same_time)], key=lambda step: step.at_s)
    before = [None, *(step.at_s for step in steps)]
    dead = any(queue.endswith(("-dlq", "-undelivered")) for queue, _ in lying)
    status = record.status if record is not None else "dead-lettered" if dead else "on its way" if steps else "unknown"
    return {
        "order_id": order_id,
        "status": status,
        "steps": [
            {**vars(step), "gap_s": None if last is None else step.at_s - last}
            for step, last in zip(steps, before, strict=False)
        ],
        "order": None if record is None else record.model_dump(mode="json", exclude_none=True),
        "unknown": unknown,
    }


def _journalled(journal: list[Told]) -> Iterator[Step]:
    for each in journal:
        details = dict(each.details)
        if each.message_id:
            details.setdefault("message_id", each.message_id)
        yield Step(each.at_s, each.who, each.title, each.tone, details)


def _logged(lines: list[LogLine]) -> Iterator[Step]:
    for line in lines:
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


def _lies(lying: list[tuple[str, Peeked]], now_s: float, *, same_time: bool) -> Iterator[Step]:
    for queue, message in lying:
        details = {"message_id": message.message_id, "receive_count": str(message.receive_count or 0)}
        at_s = message.sent_at_s if same_time and message.sent_at_s is not None else now_s
        if queue.endswith("-inbox"):
            document = message.document()["body"]
            text = str(document.get("text", "")) if isinstance(document, dict) else ""
            yield Step(at_s, "notifier", "Announced", "good", {"text": text, **details})
        elif queue.endswith(("-dlq", "-undelivered")):
            letter = dead_letter(
                queue, Message(message.message_id, message.body, "", message.receive_count or 0, message.attributes)
            )
            yield Step(
                now_s, f"SQS {queue}", f"Rests in the dead-letter queue: {letter.reason}", "bad", details, still=True
            )
        else:
            where = "Waits to be received" if message.visible else "In the hands of a consumer, or hidden until a retry"
            waited = {"in_queue_s": f"{now_s - at_s:.1f}"} if same_time else {}
            yield Step(now_s, f"SQS {queue}", where, "waiting", {**details, **waited}, still=True)
