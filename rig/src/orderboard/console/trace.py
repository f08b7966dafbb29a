"""Asks localbus's journal: for the last that happened, to a queue, to a message, or to all messages of an order."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from orderboard.console.source import Source
from orderboard.orders.journal import describe, trace
from orderboard.system.localbus import JournalEntry, Localbus

_SHOWN: Final = 200
_KEPT_S: Final = 0.9
_ENDPOINTS_KEPT_S: Final = 60.0

ELSEWHERE: Final = "Only localbus keeps a journal; this backend is {}."


class Journal:
    """Asked by several pages at once for the same it asks localbus once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._endpoints: tuple[float, dict[str, str]] = (float("-inf"), {})

    def document(self, *, queue: str = "", message_id: str = "") -> dict[str, Any]:
        """The last entries, newest first, for the page."""
        return self._shared(
            (queue, message_id),
            lambda engine: engine.entries(last=_SHOWN, resource=queue, message_id=message_id),
        )

    def of_order(self, order_id: str, ids: Callable[[], Iterable[str]]) -> dict[str, Any]:
        """What happened to the messages of an order. ids: those that are known of it."""
        return self._shared(("order", order_id), lambda engine: trace(engine.of_message, ids()))

    def endpoints(self) -> dict[str, str]:
        """Where each subscription of the two topics leads, by its ARN."""
        asked_at, found = self._endpoints
        if time.monotonic() - asked_at > _ENDPOINTS_KEPT_S:
            found = self._source.target().subscription_endpoints()
            self._endpoints = (time.monotonic(), found)
        return found

    def _shared(self, key: tuple[str, str], ask: Callable[[Localbus], list[JournalEntry]]) -> dict[str, Any]:
        with self._lock:
            asked_at, kept = self._kept.get(key, (float("-inf"), {}))
            if time.monotonic() - asked_at < _KEPT_S:
                return kept
            engine = self._source.localbus()
            if engine is None:
                return {"entries": [], "why_not": ELSEWHERE.format(self._source.target().endpoint.name)}
            told = [asdict(describe(entry, self.endpoints())) for entry in reversed(ask(engine))]
            self._kept = {} if len(self._kept) > 100 else self._kept
            self._kept[key] = (time.monotonic(), document := {"entries": told, "why_not": None})
            return document
