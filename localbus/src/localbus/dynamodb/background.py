"""Work on the rows of a table, some at a time because requests wait meanwhile: copies, removed tables, time to live.

Items are deleted when they expire, where AWS may take days. One that expired more than five years ago stays, as on AWS.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from localbus.clock import Clock, TimerHandle
from localbus.dynamodb.backup import RowCopy
from localbus.dynamodb.store import Key, Rows, Store
from localbus.dynamodb.table import Table
from localbus.errors import AwsError
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage

_DISCARDED_AT_ONCE = 500
_OLDEST_S = 5 * 365 * 86400
_EXPIRED_AT_ONCE = 500
_FULL_DISK_PAUSE_S = 0.25

Given = TypeVar("Given")


class Background:
    """The copies under way, and the rows of removed tables and backups that are still there."""

    def __init__(self, storage: Storage, store: Store) -> None:
        self._storage = storage
        self._store = store
        self._copies: list[RowCopy] = []
        self._discarded: dict[int, Rows] = {}

    def soon(self, step: Callable[[Given], None], given: Given) -> None:
        """Call a step once other requests have run; while the disk is full, a little later."""
        is_full = isinstance(self._storage, DurableStorage) and self._storage.failure is not None
        asyncio.get_running_loop().call_later(_FULL_DISK_PAUSE_S if is_full else 0, step, given)

    def stop(self) -> None:
        """End everything: the engine stops."""
        self.forget()

    def forget(self) -> None:
        """End everything: the writes since the last commit were undone. Copies under way fail."""
        self._copies.clear()
        self._discarded.clear()

    def copy(self, source: Rows, target: Rows, at: float | None = None) -> RowCopy | Coroutine[Any, Any, RowCopy]:
        """Copy rows to new ones; of many some, and the rest in the coroutine, between other requests.

        If it fails, the new rows are discarded.
        """
        copy = RowCopy(source, target, at)
        self._copies.append(copy)
        return self._copy_rest(copy) if self._copy_some(copy) else copy

    async def _copy_rest(self, copy: RowCopy) -> RowCopy:
        try:
            is_more = True
            while is_more:
                await asyncio.sleep(0)
                is_more = self._copy_some(copy)
        except asyncio.CancelledError:  # the client has left, or the engine stops
            self._end(copy)
            raise
        return copy

    def _copy_some(self, copy: RowCopy) -> bool:
        """Copy the next rows. Return whether there are more."""
        if copy not in self._copies:
            raise AwsError("InternalServerError", "The copy was undone, as the disk is full.")
        try:
            with self._store.transaction():
                is_more = copy.step()
        except BaseException:
            self._end(copy)
            raise
        if not is_more:
            copy.end()
            self._copies.remove(copy)
        return is_more

    def _end(self, copy: RowCopy) -> None:
        """End a copy that is not complete."""
        if copy in self._copies:
            copy.end()
            self._copies.remove(copy)
            self.discard(copy.target)

    def discard(self, rows: Rows) -> None:
        """Delete rows; of many some, and the rest in the background."""
        self._discarded[rows.number] = rows
        self._discard_some(rows)

    def discard_later(self, found: Iterable[Rows]) -> None:
        """Delete rows in the background."""
        for rows in found:
            self._discarded[rows.number] = rows
            self.soon(self._discard_some, rows)

    def _discard_some(self, rows: Rows) -> None:
        if self._discarded.get(rows.number) is not rows:
            return
        if not rows.copies:  # which end first
            with self._store.transaction():
                if not rows.drop_some(_DISCARDED_AT_ONCE):
                    del self._discarded[rows.number]
                    return
        self.soon(self._discard_some, rows)


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
            for place, sort in rows.expired(self._oldest, int(self._clock.now()), _EXPIRED_AT_ONCE):
                self._table.delete(Key(place, sort))
        self.look()

    def look(self) -> None:
        """Set the timer by the items that are there."""
        rows = self._table.rows
        self._timer, self._due = None, math.inf
        upcoming = rows.next_expiry(self._oldest)
        if upcoming is not None:
            self._schedule(max(upcoming, self._clock.now()))
