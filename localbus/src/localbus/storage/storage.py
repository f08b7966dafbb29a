"""Storage as the services see it: changed state is reported here, and read back when the engine starts.

`Storage` keeps nothing: all state is in memory. `DurableStorage` writes what has changed, together for all requests of
a moment, before any of them is answered.

State is either a record (a document with a kind, an owner and a key) or rows of a table that a `Writer` keeps. A record
is encoded when it is written, so several changes of a moment cost one write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from localbus.storage.documents import Document


class NotStoredError(Exception):
    """A commit failed: the disk is full, for example. The change is kept in memory and written once there is room."""


class Record(NamedTuple):
    """A stored record. `owner` is empty for one that belongs to no other resource."""

    owner: str
    key: str
    document: Document


class Writer(Protocol):
    """Rows in tables, for state that is too much for records. `Storage.touch` announces a change."""

    def write(self, database: sqlite3.Connection) -> None:
        """Write what has changed since `written` was called, within the transaction of a commit."""

    def written(self) -> None:
        """Forget what `write` has written: the commit has succeeded."""


class Storage:
    """No storage: state ends with the engine."""

    is_durable = False

    def save(self, kind: str, key: str, document: Callable[[], Document], owner: str = "") -> None:
        """Write a record, new or changed, with the document that the function returns at the commit."""

    def delete(self, kind: str, key: str, owner: str = "") -> None:
        """Delete a record, if there is one."""

    def delete_owned(self, kind: str, owner: str) -> None:
        """Delete all records of a kind and an owner."""

    def forget(self, prefix: str) -> None:
        """Drop the changes that are not written yet of all kinds with this prefix, after a transaction was undone."""

    def touch(self) -> None:
        """Commit soon: a writer has something to write."""

    async def stored(self) -> None:
        """Return once all changes are on disk. Raises NotStoredError."""

    def records(self, kind: str) -> Iterator[Record]:
        """Yield the records of a kind, in the order of their creation. Only when the engine starts."""
        yield from ()

    def close(self) -> None:
        """Write what is left, and close the files."""
