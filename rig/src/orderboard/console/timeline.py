"""Order timelines, localbus's journal and messages of queues: what the page shows about single orders and messages."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.orders.browse import BrowseUnavailableError, browse
from orderboard.orders.journal import describe, trace
from orderboard.orders.timeline import Sources
from orderboard.system.localbus import JournalEntry, Localbus

_ENTRIES: Final = 200
_MESSAGES: Final = 50
_KEPT_S: Final = 0.9
_KEPT: Final = 100
_ENDPOINTS_KEPT_S: Final = 60.0


class Timelines:
    """Timelines and journal of the current system, read once for all pages that ask at the same time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}
        self._endpoints: tuple[float, dict[str, str]] = (float("-inf"), {})

    def order(self, order_id: str) -> dict[str, Any]:
        """Return an order's timeline up to now."""
        return self._shared(("order", order_id), lambda: self._sources().timeline(order_id).document())

    def journal(self, queue: str = "", id_: str = "") -> dict[str, Any]:
        """Return the last entries, newest first: all, of a queue, of a message or of an order, by its id."""
        engine = self._source.localbus()
        if engine is None:
            backend = self._source.target().endpoint.name
            return {"entries": [], "why_not": f"Only localbus keeps a journal; the backend is {backend}."}
        found = self._shared(
            ("journal", queue, id_),
            lambda: self._document(engine.entries(last=_ENTRIES, resource=queue, message_id=id_)),
        )
        if not id_ or found["entries"]:
            return found
        try:
            order_id = str(UUID(id_))
        except ValueError as exc:
            raise UsageError(f"{id_} is not the id of a message or an order: expected 36 characters.") from exc
        return self._shared(("journal of order", order_id), lambda: self._journal_of_order(engine, order_id))

    def _journal_of_order(self, engine: Localbus, order_id: str) -> dict[str, Any]:
        return self._document(trace(engine.of_message, self._sources().message_ids(order_id)))

    def _document(self, entries: list[JournalEntry]) -> dict[str, Any]:
        endpoints = self._subscription_endpoints()
        return {"entries": [asdict(describe(entry, endpoints)) for entry in reversed(entries)], "why_not": None}

    def _sources(self) -> Sources:
        source = self._source
        endpoints = self._subscription_endpoints
        return Sources(source.target(), source.logs_dir, source.localbus(), endpoints, queue_url=source.queue_url)

    def _subscription_endpoints(self) -> dict[str, str]:
        read_at, found = self._endpoints
        if time.monotonic() - read_at > _ENDPOINTS_KEPT_S:
            found = self._source.target().subscription_endpoints()
            self._endpoints = (time.monotonic(), found)
        return found

    def _shared(self, key: tuple[str, ...], read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._lock:
            read_at, kept = self._kept.get(key, (float("-inf"), {}))
            if time.monotonic() - read_at < _KEPT_S:
                return kept
            if len(self._kept) > _KEPT:
                self._kept.clear()
            found = read()
            self._kept[key] = (time.monotonic(), found)
            return found


def messages(source: Source, key: str) -> dict[str, Any]:
    """Return the first messages of a queue by its short name, such as work or work.dlq; UsageError if unknown."""
    target = source.target()
    short, _, dead = key.partition(".")
    names = target.outputs.queue_pairs.get(short)
    name = None if names is None else names[1] if dead == "dlq" else names[0]
    if name is None:
        raise UsageError(f"Unknown queue {key}.")
    try:
        found = browse(target.endpoint, source.queue_url(name))
    except BrowseUnavailableError as exc:
        return {"queue": name, "count": None, "messages": [], "why_not": str(exc)}
    now_s = source.backend_now()
    shown = [
        {**each.document(), "age_s": None if each.sent_at_s is None else max(0.0, now_s - each.sent_at_s)}
        for each in found[:_MESSAGES]
    ]
    return {"queue": name, "count": len(found), "messages": shown, "why_not": None}
