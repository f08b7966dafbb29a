"""The state of a running burst for its page and for Prometheus: written by the runner's thread, once a second.

A viewer gets `start` with the plan, a `tick` with all seconds so far, then one a second, `end` with the verdict, and
`bye` when the command ends. What is sent is made once for all viewers, and only if there are any.
"""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from orderboard.burst.export.metrics import Metrics
from orderboard.burst.measure.recorder import Second
from orderboard.burst.model import Settings, Summary, TimelineRow
from orderboard.burst.report.now import Now, rates_of
from orderboard.burst.stop import Stop

# Answers and outcomes of a second arrive until so much later; then its row is final.
_LATE_S: Final = 3
# Latencies of a second are counted again for so long: an outcome may come before the answer to its order.
_COUNTED_FOR_S: Final = 30

Send = Callable[[str], None]


class Feed:
    """The current burst of the command: a View of it, and its viewers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._viewers: list[Send] = []
        self._start = self._end = ""
        self._tick: dict[str, Any] | None = None
        self._rows: list[dict[str, Any]] = []
        self._shown: tuple[object, ...] = ()
        self._counted: dict[int, _Counted] = {}
        self.metrics: Metrics | None = None
        self._stop = Stop()

    def begin(self, settings: Settings, stop: Stop, *, answers_only: bool = False) -> None:
        """Show another burst from now on. answers_only: its stack is not read."""
        columns = list(TimelineRow.model_fields)
        self._stop = stop
        self.metrics = Metrics(settings, answers=dict.fromkeys(("acknowledged", "refused", "unavailable"), 0))
        self._rows, self._counted, self._shown = [], {}, ()
        with self._lock:
            self._start = _event(
                "start",
                {"settings": settings.model_dump(mode="json"), "columns": columns, "ledger": not answers_only},
            )
            self._tick, self._end = None, ""
        self._send(self._start)

    def update(self, now: Now) -> None:
        """Take the state, if a second or the phase has passed."""
        shown = (int(now.at_s), now.loading, len(now.marks), now.stopping)
        if now.at_s < 0 or shown == self._shown:
            return
        self._shown = shown
        self._count(now)
        first = max(0, int(now.at_s) - _LATE_S)
        rows = [row.model_dump() for row in now.timeline.rows(first, int(now.at_s) - 1)]
        with self._lock:
            self._rows[first:] = rows
            self._tick = _state(now)
            text = _event("tick", {**self._tick, "rows": rows}) if self._viewers else ""
        if text:
            self._send(text)

    def judging(self) -> None:
        """Show nothing new: the page says that it waits."""

    def end(self, summary: Summary, report: str) -> None:
        """Show the verdict, and where the report is."""
        if self.metrics is not None:
            self.metrics.verdict = summary.verdict
        found = summary.verdict
        text = f"{found.headline}."
        text = f"{text} {summary.broken_off}" if summary.broken_off else text
        with self._lock:
            self._end = _event("end", {"valid": found.good, "text": text, "report": report})
        self._send(self._end)

    def close(self) -> None:
        """Let every viewer go."""
        self._send(_event("bye", {}))

    def stop_load(self) -> bool:
        """Stop the load as Ctrl-C does; return False if it was stopped before."""
        if self._stop.by:
            return False
        self._stop.request("The page")
        return True

    def watch(self, send: Send) -> Callable[[], None]:
        """Send everything so far, and then what comes; return a function that ends it."""
        with self._lock:
            self._viewers.append(send)
            rows = self._rows
            tick = "" if self._tick is None else _event("tick", {**self._tick, "rows": rows})
            for text in filter(None, (self._start, tick, self._end)):
                send(text)
        return lambda: self._leave(send)

    def _leave(self, send: Send) -> None:
        with self._lock, suppress(ValueError):
            self._viewers.remove(send)

    def _send(self, text: str) -> None:
        with self._lock:
            for send in tuple(self._viewers):
                try:
                    send(text)
                except RuntimeError:  # its event loop has ended
                    self._viewers.remove(send)

    def _count(self, now: Now) -> None:
        metrics = self.metrics
        if metrics is None:
            return
        recorder = now.recorder
        metrics.sent, metrics.finished = now.sent, recorder.finished
        metrics.gauges = {
            "unfinished_orders": recorder.unfinished,
            "oldest_unfinished_seconds": recorder.oldest_age_s(now.at_s) or 0.0,
            "backlog_messages": now.sample.backlog,
            "dead_letter_messages": now.sample.dead_letters,
            "workers": now.workers,
        }
        for number in range(max(0, int(now.at_s) - _COUNTED_FOR_S), int(now.at_s) + 1):
            if (second := recorder.seconds.get(number)) is not None:
                self._count_second(metrics, number, second)
        self._counted.pop(int(now.at_s) - _COUNTED_FOR_S - 1, None)

    def _count_second(self, metrics: Metrics, number: int, second: Second) -> None:
        """Add what is new in a second."""
        before = self._counted.get(number, _Counted(0, 0, 0, 0))
        metrics.accept.add(second.accept_ms[before.accepted :])
        metrics.end_to_end.add(second.end_to_end_ms[before.finished :])
        counted = _Counted(len(second.accept_ms), len(second.end_to_end_ms), second.refused, second.unavailable)
        for answer, count in (
            ("acknowledged", counted.accepted - before.accepted),
            ("refused", counted.refused - before.refused),
            ("unavailable", counted.unavailable - before.unavailable),
        ):
            metrics.answers[answer] += count
        self._counted[number] = counted


class _Counted(NamedTuple):
    """Orders of a second that were counted already."""

    accepted: int
    finished: int
    refused: int
    unavailable: int


def _state(now: Now) -> dict[str, Any]:
    recorder, rates, planned = now.recorder, rates_of(now), now.next_fault
    return {
        "at_s": round(now.at_s, 1),
        "loading": now.loading,
        "load_s": recorder.last_answer_s,
        "stopping": now.stopping,
        "waits_for": now.waits_for,
        "workers": now.workers,
        "orders": now.sent if recorder.planned is None else recorder.planned,
        "sent": now.sent,
        "accepted": recorder.accepted,
        "finished": recorder.finished,
        "due": recorder.finished + recorder.unfinished,
        "backlog": now.sample.backlog,
        "dead_letters": now.sample.dead_letters,
        "oldest_age_s": recorder.oldest_age_s(now.at_s),
        "alerts": now.alerts,
        "planned": None if planned is None else {"at_s": planned.at_s, "text": str(planned)},
        "marks": [mark.model_dump() for mark in now.marks],
        "last": {
            "accepted": rates.accepted,
            "finished": rates.finished,
            "accept_p50_ms": rates.accept_ms[0],
            "accept_p99_ms": rates.accept_ms[1],
            "end_to_end_p50_ms": rates.end_to_end_ms[0],
            "end_to_end_p99_ms": rates.end_to_end_ms[1],
        },
    }


def _event(name: str, document: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n"
