"""The records of a durable engine: documents by kind, owner and key.

A series is the records of one kind and owner. A row has its number in place of their texts, which are longer than many
documents.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from localbus.storage.database import Database
from localbus.storage.documents import Document, checksum, decode, encode
from localbus.storage.storage import Record

_ADD_SERIES = "INSERT OR IGNORE INTO series VALUES (?, ?, ?)"
_SAVE = """\
INSERT INTO records (series, key, document, checksum) VALUES (?, ?, ?, ?)
ON CONFLICT (series, key) DO UPDATE SET document = excluded.document, checksum = excluded.checksum"""
_DELETE = "DELETE FROM records WHERE series = ? AND key = ?"
_EMPTY = "DELETE FROM records WHERE series = ?"
_DELETE_SERIES = "DELETE FROM series WHERE id = ?"
_SELECT = """\
SELECT owner, key, document, checksum FROM records JOIN series ON series.id = records.series
WHERE kind = ? ORDER BY number"""


class Records:
    """The writer of records. A document is encoded when it is written, so several changes cost one write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed: dict[tuple[str, str, str], Callable[[], Document] | None] = {}
        self._emptied: dict[tuple[str, str], None] = {}
        with database.damage_named():
            found = database.connection.execute("SELECT id, kind, owner FROM series").fetchall()
        self._series: dict[tuple[str, str], int] = {(kind, owner): number for number, kind, owner in found}
        self._last_series = max(self._series.values(), default=0)
        self._new_series: list[tuple[int, str, str]] = []
        self._deleted_series: list[tuple[str, str]] = []

    def save(self, kind: str, owner: str, key: str, document: Callable[[], Document]) -> None:
        """Write a record, new or changed, with the document that the function returns at the commit."""
        self._changed[kind, owner, key] = document

    def delete(self, kind: str, owner: str, key: str) -> None:
        """Delete a record, if there is one."""
        self._changed[kind, owner, key] = None

    def delete_owned(self, kind: str, owner: str) -> None:
        """Delete all records of a kind and an owner."""
        for name in [name for name in self._changed if name[:2] == (kind, owner)]:
            del self._changed[name]
        self._emptied[kind, owner] = None

    def forget(self, prefix: str) -> None:
        """Drop the changes that are not written yet of all kinds with this prefix."""
        self._changed = {name: change for name, change in self._changed.items() if not name[0].startswith(prefix)}
        self._emptied = {name: None for name in self._emptied if not name[0].startswith(prefix)}

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed since `written` was called, within the transaction of a commit."""
        if not self._changed and not self._emptied:
            return
        emptied = {self._series[name]: name for name in self._emptied if name in self._series}
        database.executemany(_EMPTY, [(series,) for series in emptied])
        saved: list[tuple[int, str, bytes, int]] = []
        deleted: list[tuple[int, str]] = []
        for (kind, owner, key), document in self._changed.items():
            if document is not None:
                data = encode(document())
                saved.append((self._number(kind, owner), key, data, checksum(data)))
            elif (kind, owner) in self._series:
                deleted.append((self._series[kind, owner], key))
        database.executemany(_ADD_SERIES, self._new_series)
        database.executemany(_DELETE, deleted)
        database.executemany(_SAVE, saved)
        for series, *_ in saved:
            emptied.pop(series, None)
        database.executemany(_DELETE_SERIES, [(series,) for series in emptied])
        self._deleted_series = list(emptied.values())

    def written(self) -> None:
        """Forget what is written."""
        self._changed.clear()
        self._emptied.clear()
        self._new_series.clear()
        for name in self._deleted_series:
            del self._series[name]
        self._deleted_series.clear()

    def _number(self, kind: str, owner: str) -> int:
        found = self._series.get((kind, owner))
        if found is None:
            found = self._last_series = self._series[kind, owner] = self._last_series + 1
            self._new_series.append((found, kind, owner))
        return found

    def load(self, kind: str) -> Iterator[Record]:
        """Yield the records of a kind, in the order of their creation. Raises DataFolderError for a damaged one."""
        with self._database.damage_named():
            for owner, key, data, expected in self._database.connection.execute(_SELECT, (kind,)):
                if checksum(data) != expected:
                    raise self._database.damaged(f"the checksum of the {kind} record {key} is wrong")
                yield Record(owner, key, decode(data))
