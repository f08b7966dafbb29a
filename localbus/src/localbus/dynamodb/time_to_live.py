"""Time to live: deletes the items of a table when they expire, where AWS may take days.

An item that expired more than five years ago stays, as on AWS.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
"""

from __future__ import annotations

import math

from localbus.clock import Clock, TimerHandle
from localbus.dynamodb.store import Key, Store
from localbus.dynamodb.table import Table

_OLDEST_S = 5 * 365 * 86400
_DELETED_AT_ONCE = 500


class Expiry:
    """The timer of one table. It is due when the next item expires."""

    def __init__(self, clock: Clock, store: Store, table: Table) -> None:
        self._clock = clock
        self._store = store
        self._table = table
        self._timer: TimerHandle | None = None
        self._due = math.inf

    def note(self, expires: int) -> None:
        """Take note of an item's time to live."""
        if expires < self._due and expires > self._oldest:
            self._schedule(expires)

    def stop(self) -> None:
        """Delete no more items."""
        if self._timer is not None:
            self._timer.cancel()
        self._due = -math.inf

    @property
    def _oldest(self) -> int:
        return int(self._clock.now()) - _OLDEST_S

    def _schedule(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = when
        self._timer = self._clock.call_at(when, self._delete)

    def _delete(self) -> None:
        """Delete expired items, some at a time because requests wait meanwhile, and set the timer again."""
        rows = self._table.rows
        with self._store.transaction():
            for place, sort in rows.expired(self._oldest, int(self._clock.now()), _DELETED_AT_ONCE):
                self._table.delete(Key(place, sort))
        self.look()

    def look(self) -> None:
        """Set the timer by the items that are there."""
        rows = self._table.rows
        self._timer, self._due = None, math.inf
        upcoming = rows.next_expiry(self._oldest)
        if upcoming is not None:
            self._schedule(max(upcoming, self._clock.now()))
