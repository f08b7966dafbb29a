"""The timelines of orders for the page: several pages that ask at once cause one look."""

import threading
import time
from typing import Any, Final

from orderboard.console.source import Source
from orderboard.console.trace import Journal
from orderboard.orders.timeline import Sources

_KEPT_S: Final = 0.9
_MAX_KEPT: Final = 100


class Follower:
    """Reads timelines, and keeps each for a moment."""

    def __init__(self, source: Source, journal: Journal) -> None:
        self._source = source
        self._journal = journal
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def story(self, order_id: str) -> dict[str, Any]:
        """The order's timeline as JSON."""
        with self._lock:
            read_at, document = self._kept.get(order_id, (float("-inf"), {}))
            if time.monotonic() - read_at < _KEPT_S:
                return document
            self._kept = {} if len(self._kept) > _MAX_KEPT else self._kept
            document = self._sources().timeline(order_id).document()
            self._kept[order_id] = (time.monotonic(), document)
            return document

    def message_ids(self, order_id: str) -> set[str]:
        """The ids of the order's messages: those in the queues and those in the services' logs."""
        return self._sources().message_ids(order_id)

    def _sources(self) -> Sources:
        source = self._source
        return Sources(
            source.target(), source.logs_dir, source.localbus(), self._journal.endpoints, queue_url=source.queue_url
        )
