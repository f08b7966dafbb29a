"""Losses in the log: a line for the first message of a kind that went astray, and a count for those that follow.

AWS accepts most of these messages without an error, so nothing else in a terminal or a test shows the loss.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from localbus.journal import Loss

COUNTED_FOR_S: Final = 10.0
MAX_LINES: Final = 20  # in this time
MAX_TOTALS: Final = 1_000

log = logging.getLogger("localbus")

_VERBS: Final = {
    "dead_lettered": "dead-lettered",
    "dropped": "dropped",
    "expired": "dropped",
    "filtered": "filtered out",
    "invocation_failed": "not processed",
    "moved": "dead-lettered",
    "retry_scheduled": "delayed",
    "undelivered": "dropped",
    "withheld": "withheld",
}


class Losses:
    """The losses of one engine, in real time. `report` is the journal's `on_loss`."""

    def __init__(self) -> None:
        self._more: dict[tuple[str, ...], int] = {}
        self._totals: dict[tuple[str, ...], tuple[int, Loss]] = {}  # with the latest of its kind
        self._other_kinds = 0
        self._timer: asyncio.TimerHandle | None = None

    def report(self, loss: Loss) -> None:
        """Log a loss, or count it."""
        self._add(loss)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COUNTED_FOR_S, self.flush)
        if loss.kind in self._more:
            self._more[loss.kind] += 1
        elif len(self._more) == MAX_LINES:
            self._other_kinds += 1
        else:
            self._more[loss.kind] = 0
            reason, fix = _line(loss.reason).rstrip("."), f" {loss.fix}." if loss.fix else ""
            way = _way(loss.source, loss.target)
            log.warning("%s message %s%s: %s.%s", _VERBS[loss.event], loss.message_id, way, reason, fix)

    def totals(self) -> list[dict[str, object]]:
        """Return every kind of loss since the start, with its count, and the reason and fix of the latest."""
        return [
            {"count": count, **{name: value for name, value in loss._asdict().items() if name != "message_id"}}
            for count, loss in self._totals.values()
        ]

    def _add(self, loss: Loss) -> None:
        count, _ = self._totals.get(loss.kind, (0, loss))
        if count or len(self._totals) < MAX_TOTALS:
            self._totals[loss.kind] = count + 1, loss

    def flush(self) -> None:
        """Log what was counted, and begin again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for (event, source, target, code), more in self._more.items():
            if more:
                way, reason = _way(source, target), f" ({code})" if code != event else ""
                text = "%s %d more%s%s. Each of them: GET /_localbus/journal?event=%s"
                log.warning(text, _VERBS[event], more, way, reason, event)
        if self._other_kinds:
            log.warning("%d more losses of other kinds: GET /_localbus/journal has each of them", self._other_kinds)
        self._more.clear()
        self._other_kinds = 0


def _line(text: str) -> str:
    """Return a text that may hold what a target has answered as one line for a terminal."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _way(source: str, target: str) -> str:
    return f" from {source} to {target}" if target else f" of {source}"
