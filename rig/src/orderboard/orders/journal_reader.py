"""Reads localbus's journal as a person asks for it: all of it, a queue, a message or an order; once or as it grows."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from orderboard.errors import RigError, UsageError
from orderboard.orders.journal import trace
from orderboard.orders.order_id import resolve_order_id
from orderboard.orders.timeline import Sources
from orderboard.system.localbus import JournalEntry, Localbus

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_POLL_S: Final = 0.3
_RESTARTS_WITHIN_S: Final = 15.0

Read = Callable[[], list[JournalEntry]]


@dataclass(frozen=True)
class JournalReader:
    """The journal of an engine. sources: of the system on it, for orders; None without one."""

    engine: Localbus
    sources: Sources | None = None

    def of_id(self, typed: str) -> Read:
        """Return a function that reads what happened to a message, or an order, and to what it became.

        Raise UsageError for what is not an id, and RigError if neither a message nor an order has it.
        """
        text = typed.strip().lower()
        if _ID.fullmatch(text) is not None and self.engine.of_message(text):
            return lambda: trace(self.engine.of_message, [text])
        if self.sources is None:
            if _ID.fullmatch(text) is None:
                raise UsageError(f"{typed!r} is not the id of a message: expected 36 characters.")
            raise RigError(_nothing(typed))
        sources, order_id = self.sources, resolve_order_id(typed, self.sources.order_ids)

        def read() -> list[JournalEntry]:
            return trace(self.engine.of_message, sorted(sources.message_ids(order_id)))

        if not read():
            raise RigError(_nothing(typed))
        return read

    def all(self, last: int, resource: str = "") -> Read:
        """Return a function that reads the last entries, of a resource or all; after the first time, the new ones."""
        seen: int | None = None

        def read() -> list[JournalEntry]:
            nonlocal seen
            if seen is None:
                found = self.engine.entries(last=last, resource=resource)
            elif not (found := self.engine.entries(resource=resource, after=seen)) and self._restarted(seen):
                found = self.engine.entries(resource=resource)
            seen = found[-1].number if found else seen or 0
            return found

        return read

    def _restarted(self, number: int) -> bool:
        """Return whether the engine counts from 1 again."""
        newest = self.engine.entries(last=1)
        return bool(newest) and newest[-1].number < number


def follow_entries(read: Read) -> Iterator[JournalEntry]:
    """Yield each entry once, for ever. Wait for an engine that is started again; raise RigError if it stays away."""
    before: set[tuple[int, float, str]] = set()
    away_since_s: float | None = None
    while True:
        try:
            found = read()
        except RigError:
            away_since_s = away_since_s or time.monotonic()
            if time.monotonic() > away_since_s + _RESTARTS_WITHIN_S:
                raise
        else:
            away_since_s = None
            keys = [(each.number, each.at, each.event) for each in found]
            yield from (each for each, key in zip(found, keys, strict=True) if key not in before)
            before = set(keys)
        time.sleep(_POLL_S)


def _nothing(typed: str) -> str:
    return f"The journal has nothing of {typed}. It keeps the last 50,000 entries, until the backend ends."
