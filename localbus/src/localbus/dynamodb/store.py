"""Rows on disk, in SQLite: the items of a table as JSON bytes, by key and by the keys of its indexes.

A row has the place of its partition key (`p`), its sort key (`r`, empty without one), its time to live (`e`), the time
of its writing (`w`), its size by AWS's rules and its item. Each secondary index adds two columns, both null in a row
that is not in the index. The history of a table has the rows that were replaced or deleted, with that time (`until`).
"""

# ruff: noqa: S608 (the names of tables and columns are made here; values are parameters)

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Protocol

from localbus.storage.database import temporary_database
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage

_CACHE_KIB = 2 * 1024
_TRANSACTION = ("BEGIN", ("ROLLBACK",), "COMMIT")
_PARTS = ("SAVEPOINT part", ("ROLLBACK TO part", "RELEASE part"), "RELEASE part")

Write = Callable[..., sqlite3.Cursor]
IndexKey = tuple[bytes, bytes] | tuple[None, None]
NOT_INDEXED: IndexKey = (None, None)


class Key(NamedTuple):
    """A primary key: the place of the partition key and the sort key's bytes."""

    partition: bytes
    sort: bytes


class Row(NamedTuple):
    """The values of a row: its key, its time to live, the time of its writing, its size, its JSON and its index keys.

    Times are seconds since 1970. The time of writing is None in a table without a history.
    """

    key: Key
    expires: int | None
    written: float | None
    size: int
    item: bytes
    index_keys: Sequence[IndexKey]


class Copy(Protocol):
    """A copy of rows that is being made."""

    def before_change(self, key: Key) -> None:
        """Copy a row that is about to be replaced or deleted, if its turn has not come."""

    def after_insert(self, number: int) -> None:
        """Take note of a new row, which may have the number of one that was deleted."""


@dataclass(frozen=True)
class Range:
    """Rows of one partition, or of all partitions between two places, in an index or (None) in the table itself.

    `after` is the position of the last row read: the key in the index, and the primary key. Bounds on the sort key are
    bytes with whether they are inclusive.
    """

    index: int | None = None
    partition: bytes | None = None
    places: tuple[bytes, bytes | None] = (b"", None)
    low: tuple[bytes, bool] | None = None
    high: tuple[bytes, bool] | None = None
    forward: bool = True
    after: tuple[bytes, ...] | None = None


class Store:
    """The database of all tables: that of a durable engine, or a temporary file, which ends with the process.

    In a durable engine each write is in the transaction of the next commit.
    """

    def __init__(self, storage: Storage) -> None:
        self._durable = storage if isinstance(storage, DurableStorage) else None
        self.database = self._durable.connection if self._durable is not None else temporary_database(_CACHE_KIB)
        self.write: Write = self._durable.write if self._durable is not None else self.database.execute
        self.last_number = 0

    def create(self) -> Rows:
        """Create the rows of a new table."""
        self.last_number += 1
        rows = Rows(self.database, self.write, self.last_number)
        rows.create()
        return rows

    def unknown(self, known: Collection[int]) -> list[Rows]:
        """Return the rows that belong to none of these numbers: of tables that were deleted just before a kill."""
        names = self.database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 't[0-9]*'")
        numbers = {int(name[1:].removesuffix("_old")) for (name,) in names}
        return [self.open(number) for number in sorted(numbers.difference(known))]

    def open(self, number: int, indexes: Iterable[int] = (), last_index: int = 0) -> Rows:
        """Return the rows of a table that is there, with the numbers of its indexes."""
        self.last_number = max(self.last_number, number)
        return Rows(self.database, self.write, number, indexes, last_index)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all writes of the block, or none of them if it raises."""
        begin, undo, end = _PARTS if self._durable is not None else _TRANSACTION
        self.write(begin)
        try:
            yield
        except BaseException:
            for statement in undo:
                self.write(statement)
            raise
        self.write(end)

    def close(self) -> None:
        """Remove everything that is not stored."""
        if self._durable is None:
            self.database.close()


class Rows:
    """The rows of one table, with the numbers of its indexes."""

    def __init__(
        self,
        database: sqlite3.Connection,
        write: Write,
        number: int,
        indexes: Iterable[int] = (),
        last_index: int = 0,
    ) -> None:
        self.execute = database.execute
        self.write = write
        self.number = number
        self.last_index = last_index
        self.copies: list[Copy] = []  # that are being made of these rows
        self.name = f"t{number}"
        self._indexes = list(indexes)
        self._prepare()

    def create(self) -> None:
        """Create the table of the rows."""
        name = self.name
        columns = "p BLOB NOT NULL, r BLOB NOT NULL, e INTEGER, w REAL, size INTEGER NOT NULL, item BLOB NOT NULL"
        self.write(f"CREATE TABLE {name} ({columns})")
        self.write(f"CREATE UNIQUE INDEX {name}_key ON {name} (p, r)")

    def _prepare(self) -> None:
        """Write the statements for the present columns."""
        name, keys = self.name, [column for number in self._indexes for column in (f"p{number}", f"r{number}")]
        columns = ["p", "r", "e", "w", "size", "item", *keys]
        places = ", ".join(f"?{at}" for at in range(1, len(columns) + 1))
        changes = ", ".join(f"{column} = ?{at}" for at, column in enumerate(columns, 1) if at > 2)
        self._insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"
        self._update = f"UPDATE {name} SET {changes} WHERE p = ?1 AND r = ?2"
        found = ", ".join(f"{column} = ?" for column in ("e", *keys))
        self._reindex = f"UPDATE {name} SET {found} WHERE rowid = ?"
        places_in_indexes = "".join(f", p{number}" for number in self._indexes)
        self._select = f"SELECT size, item{places_in_indexes} FROM {name} WHERE p = ? AND r = ?"
        self._select_after = f"SELECT rowid, size, item{places_in_indexes} FROM {name} WHERE rowid > ? LIMIT ?"
        self._delete = f"DELETE FROM {name} WHERE p = ? AND r = ?"
        self._expired = f"SELECT p, r FROM {name} WHERE e > ? AND e <= ? ORDER BY e LIMIT ?"

    def insert(self, row: Row) -> bool:
        """Add a row. Return False, and add nothing, if there is one of its key."""
        done = self.write(self._insert, _values(row))
        for copy in self.copies:
            if done.rowcount == 1 and done.lastrowid is not None:
                copy.after_insert(done.lastrowid)
        return done.rowcount == 1

    def update(self, row: Row) -> None:
        """Replace the row of the same key."""
        for copy in self.copies:
            copy.before_change(row.key)
        self.write(self._update, _values(row))

    def reindex(self, number: int, expires: int | None, index_keys: Sequence[IndexKey]) -> None:
        """Set the index keys and the time to live of a row by its number, and nothing else."""
        self.write(self._reindex, [expires, *chain.from_iterable(index_keys), number])

    def get(self, key: Key) -> tuple[int, bytes, *tuple[bytes | None, ...]] | None:
        """Return the size and the item of a row, and its place in each index."""
        found: tuple[int, bytes, *tuple[bytes | None, ...]] | None = self.execute(self._select, key).fetchone()
        return found

    def delete(self, key: Key) -> None:
        """Remove a row."""
        for copy in self.copies:
            copy.before_change(key)
        self.write(self._delete, key)

    def drop_some(self, limit: int) -> bool:
        """Remove the next rows, and with the last ones the table itself. Return whether there are more."""
        tables = [name for name in (f"{self.name}_old", self.name) if self._exists(name)]
        for name in tables:
            some = f"SELECT rowid FROM {name} LIMIT ?"
            if self.write(f"DELETE FROM {name} WHERE rowid IN ({some})", (limit,)).rowcount == limit:
                return True
        for name in tables:
            self.write(f"DROP TABLE {name}")
        return False

    def _exists(self, name: str) -> bool:
        found = self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return found.fetchone() is not None

    def after(self, number: int, limit: int) -> list[tuple[Any, ...]]:
        """Return number, size, item and the place in each index of the rows after one, in the order of creation."""
        return self.execute(self._select_after, (number, limit)).fetchall()

    def read(self, wanted: Range) -> sqlite3.Cursor:
        """Return a cursor on size and item of the rows of a range, in its order. It must be closed."""
        number = wanted.index
        p, r = ("p", "r") if number is None else (f"p{number}", f"r{number}")
        clauses, values = self._bounds(wanted, p, r)
        keys = (r, "p", "r") if number is not None else (r,)
        if wanted.partition is None:
            keys = (p, *keys)
        if wanted.after is not None:
            sign = ">" if wanted.forward else "<"
            clauses.append(f"({', '.join(keys)}) {sign} ({', '.join('?' * len(keys))})")
            values += wanted.after[-len(keys) :]
        direction = "" if wanted.forward else " DESC"
        order = ", ".join(f"{key}{direction}" for key in keys)
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        return self.execute(f"SELECT size, item FROM {self.name} {where} ORDER BY {order}", values)

    def _bounds(self, wanted: Range, p: str, r: str) -> tuple[list[str], list[bytes]]:
        clauses, values = ([] if wanted.index is None else [f"{p} IS NOT NULL"]), list[bytes]()
        if wanted.partition is not None:
            clauses, values = [f"{p} = ?"], [wanted.partition]
        else:
            first, end = wanted.places
            for place, sign in ((first, ">="), (end, "<")):
                if place:
                    clauses.append(f"{p} {sign} ?")
                    values.append(place)
        for bound, sign in ((wanted.low, ">"), (wanted.high, "<")):
            if bound is not None:
                clauses.append(f"{r} {sign}{'=' if bound[1] else ''} ?")
                values.append(bound[0])
        return clauses, values

    # Indexes and time to live

    def add_index(self) -> int:
        """Add an index and return its number. Its keys are set by `update`."""
        self.last_index += 1
        number = self.last_index
        p, r = f"p{number}", f"r{number}"
        for column in (p, r):
            self.write(f"ALTER TABLE {self.name} ADD COLUMN {column} BLOB")
        self.write(f"CREATE INDEX {self.name}_{p} ON {self.name} ({p}, {r}, p, r) WHERE {p} IS NOT NULL")
        self._indexes.append(number)
        self._prepare()
        return number

    def remove_index(self, number: int) -> None:
        """Remove an index. Its columns stay, empty: removing them would rewrite every row."""
        self.write(f"DROP INDEX {self.name}_p{number}")
        self._indexes.remove(number)
        self._prepare()

    def index_expiry(self) -> None:
        """Let rows be found by their time to live."""
        self.write(f"CREATE INDEX IF NOT EXISTS {self.name}_e ON {self.name} (e) WHERE e IS NOT NULL")

    def expired(self, after: int, until: int, limit: int) -> list[tuple[bytes, bytes]]:
        """Return the keys of rows whose time to live is between two times, the oldest first."""
        return self.execute(self._expired, (after, until, limit)).fetchall()

    def next_expiry(self, after: int) -> int | None:
        """Return the earliest time to live after a time."""
        found: int | None = self.execute(f"SELECT min(e) FROM {self.name} WHERE e > ?", (after,)).fetchone()[0]
        return found

    # Backups

    def keep_history(self) -> None:
        """Keep the rows that are replaced or deleted from now on, for copies of earlier times."""
        columns = "p BLOB, r BLOB, w REAL, until REAL, size INTEGER, item BLOB"
        self.write(f"CREATE TABLE {self.name}_old ({columns})")
        self.write(f"CREATE INDEX {self.name}_old_until ON {self.name}_old (until)")

    def drop_history(self) -> None:
        """Forget the rows of the past."""
        self.write(f"DROP TABLE {self.name}_old")

    def remember(self, key: Key, now: float, oldest: float) -> None:
        """Add the row of a key to the history, before it is replaced or deleted. Forget those before `oldest`."""
        name = self.name
        columns = "p, r, w, ?, size, item"
        self.write(f"INSERT INTO {name}_old SELECT {columns} FROM {name} WHERE p = ? AND r = ?", (now, *key))
        self.write(f"DELETE FROM {name}_old WHERE until < ?", (oldest,))


def _values(row: Row) -> list[object]:
    return [*row.key, row.expires, row.written, row.size, row.item, *chain.from_iterable(row.index_keys)]
