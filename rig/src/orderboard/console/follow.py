"""One order's story as steps in time, for a page that follows it live: who did what, when, and how long after the last.

Made of what every part knows: the services' logs, the order's row, the queues as they lie, the dead letters.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from orderboard_contracts.record import OrderRecord

from orderboard.console.board import queue_names
from orderboard.console.peek import CannotPeekError, Peeked, peek
from orderboard.console.source import Source
from orderboard.letters import dead_letter
from orderboard.queues import Message
from orderboard.story import LogLine, log_lines, recorded

Tone = Literal["plain", "good", "bad", "waiting"]

_KEPT_S: Final = 0.9
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
    """One thing that happened, or that is so now (tone waiting)."""

    at_s: float
    who: str
    title: str
    tone: Tone = "plain"
    details: dict[str, str] = field(default_factory=dict)


class Follower:
    """Tells stories. Asked by several pages at once it looks once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, dict[str, Any]]] = {}

    def story(self, order_id: str) -> dict[str, Any]:
        """The story so far."""
        with self._lock:
            at, told = self._told.get(order_id, (0.0, {}))
            if time.monotonic() - at < _KEPT_S:
                return told
            self._told = {order_id: (0.0, {})} if len(self._told) > 100 else self._told
            told = self._tell(order_id)
            self._told[order_id] = (time.monotonic(), told)
            return told

    def _tell(self, order_id: str) -> dict[str, Any]:
        target = self._source.target()
        record = recorded(target, order_id)
        lying, blind = self._lying(order_id)
        message_ids = tuple(message.message_id for _, message in lying)
        logs_dir = self._source.logs_dir
        lines = [] if logs_dir is None else log_lines(logs_dir, (order_id, *message_ids))
        return story_document(order_id, record, lines, lying, blind=blind, has_logs=logs_dir is not None)

    def _lying(self, order_id: str) -> tuple[list[tuple[str, Peeked]], str | None]:
        """Where messages about the order lie, and why that is not known."""
        target, found = self._source.target(), []
        try:
            for name, dlq in queue_names(target.outputs).values():
                for queue in (name, dlq) if dlq is not None else (name,):
                    messages = peek(target.endpoint, self._source.queue_url(queue))
                    found += [(queue, each) for each in messages if order_id in each.body]
        except CannotPeekError as exc:
            return found, str(exc)
        return found, None


def story_document(
    order_id: str,
    record: OrderRecord | None,
    lines: list[LogLine],
    lying: list[tuple[str, Peeked]],
    *,
    blind: str | None,
    has_logs: bool,
) -> dict[str, Any]:
    """Put the steps in order. lying: the queues where messages about the order are now."""
    steps = sorted([*_logged(lines), *_recorded(record), *_lies(lying, time.time())], key=lambda step: step.at_s)
    before = [None, *(step.at_s for step in steps)]
    dead = any(queue.endswith(("-dlq", "-undelivered")) for queue, _ in lying)
    status = record.status if record is not None else "dead-lettered" if dead else "on its way" if steps else "unknown"
    not_seen = [] if blind is None else [f"Messages are not shown: {blind}"]
    if not has_logs:
        not_seen.append("No logs: the services do not run on this machine.")
    return {
        "order_id": order_id,
        "status": status,
        "steps": [
            {**vars(step), "gap_s": None if last is None else step.at_s - last}
            for step, last in zip(steps, before, strict=False)
        ],
        "order": None if record is None else record.model_dump(mode="json", exclude_none=True),
        "unknown": not_seen,
    }


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


def _lies(lying: list[tuple[str, Peeked]], now_s: float) -> Iterator[Step]:
    for queue, message in lying:
        details = {"message_id": message.message_id, "receive_count": str(message.receive_count or 0)}
        at_s = message.sent_at_s or now_s
        if queue.endswith("-inbox"):
            document = message.document()["body"]
            text = str(document.get("text", "")) if isinstance(document, dict) else ""
            yield Step(at_s, "notifier", "Announced", "good", {"text": text, **details})
        elif queue.endswith(("-dlq", "-undelivered")):
            letter = dead_letter(
                queue, Message(message.message_id, message.body, "", message.receive_count or 0, message.attributes)
            )
            yield Step(now_s, queue, f"Rests in the dead-letter queue: {letter.reason}", "bad", details)
        else:
            where = "Waits to be received" if message.visible else "In the hands of a consumer, or hidden until a retry"
            yield Step(now_s, queue, where, "waiting", {**details, "in_queue_s": f"{now_s - at_s:.1f}"})
