"""Durable storage: what has changed is written in one commit for all requests of a moment (group commit)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from localbus.storage.database import Database
from localbus.storage.documents import Document
from localbus.storage.records import Records
from localbus.storage.storage import NotStoredError, Record, Storage, Writer

log = logging.getLogger("localbus")

_RETRY_S = 0.25
_SHRINK_EVERY_S = 1.0
_SHRINK_AGAIN_S = 0.02
_SHRINK_PAGES = 100
_SPARE_PAGES = 25


class DurableStorage(Storage):
    """The storage of one engine, in a folder.

    A change is in memory at once and on disk with the next commit, which runs when the event loop has handled what it
    had to read. `is_pending` is true until then. After a commit that failed the changes stay, `failure` is its reason,
    and the commit is tried again. A service that writes at once, within the transaction, adds to `on_rollback` what it
    has to do when the transaction is undone.
    """

    is_durable = True

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self._database = Database(folder, fsync=fsync)
        self.connection = self._database.connection
        self.failure: str | None = None
        self.is_pending = False
        self.on_rollback: list[Callable[[], None]] = []
        self._records = Records(self._database)
        self._writers: list[Writer] = [self._records]
        self._is_closed = False
        self._broken: sqlite3.OperationalError | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._shrink_timer: asyncio.TimerHandle | None = None
        self._retry_timer: asyncio.TimerHandle | None = None

    # Changes

    def save(self, kind: str, key: str, document: Callable[[], Document], owner: str = "") -> None:
        """Write a record, new or changed, with the document that the function returns at the commit."""
        self._records.save(kind, owner, key, document)
        self.touch()

    def delete(self, kind: str, key: str, owner: str = "") -> None:
        """Delete a record, if there is one."""
        self._records.delete(kind, owner, key)
        self.touch()

    def delete_owned(self, kind: str, owner: str) -> None:
        """Delete all records of a kind and an owner."""
        self._records.delete_owned(kind, owner)
        self.touch()

    def touch(self) -> None:
        """Commit soon."""
        if not self.is_pending:
            self.is_pending = True
            asyncio.get_running_loop().call_soon(self.commit)

    def add_writer(self, writer: Writer, schema: str) -> None:
        """Let a writer take part in each commit. Its tables are created if they do not exist."""
        with self._database.damage_named():
            self.connection.executescript(schema)
        self._writers.append(writer)

    def write(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute a statement in the transaction of the next commit, for a service that writes at once.

        If it fails (the disk is full) SQLite may have undone the transaction, so nothing of it is committed.
        """
        self.touch()
        if self._broken is not None:
            raise self._broken
        try:
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN")
            return self.connection.execute(statement, values)
        except sqlite3.OperationalError as exc:
            self._broken = exc
            raise

    def forget(self, prefix: str) -> None:
        """Drop the changes that are not written yet of all kinds with this prefix, after a transaction was undone."""
        self._records.forget(prefix)

    # Commits

    async def stored(self) -> None:
        """Return once all changes are on disk. Raises NotStoredError."""
        if self.is_pending or self.failure is not None:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    def commit(self) -> None:
        """Write all changes, if there are any."""
        if not self.is_pending or self._is_closed:
            return
        self.is_pending = False
        waiting, self._waiting = self._waiting, []
        try:
            self._write()
        except Exception as exc:  # noqa: BLE001 (whatever it is, requests must not wait for ever)
            self._fail(exc)
            for one in waiting:
                if not one.done():
                    one.set_exception(NotStoredError(self.failure))
        else:
            self._succeed()
            for one in waiting:
                if not one.done():
                    one.set_result(None)

    def _write(self) -> None:
        database, execute = self._database, self.connection.execute
        if self._broken is not None:
            raise self._broken
        if not self.connection.in_transaction:
            execute("BEGIN")
        for writer in self._writers:
            writer.write(self.connection)
        database.count_commit()
        execute("COMMIT")
        database.committed()

    def _succeed(self) -> None:
        for writer in self._writers:
            writer.written()
        if self.failure is not None:
            log.warning("storage.recovered")
            self.failure = None
        if self._shrink_timer is None:
            self._shrink_timer = asyncio.get_running_loop().call_later(_SHRINK_EVERY_S, self._shrink_later)

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            log.error("storage.failed %s", error, exc_info=None if isinstance(error, sqlite3.Error) else error)
            self._retry_timer = asyncio.get_running_loop().call_later(_RETRY_S, self._retry)
        self.failure = f"{self._database.path}: {error}"
        self._broken = None
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        for follow in self.on_rollback:
            follow()

    def _retry(self) -> None:
        """Try the commit that failed again, until it succeeds."""
        self._retry_timer = None
        if self.failure is not None and self.retry_now() is not None:
            self._retry_timer = asyncio.get_running_loop().call_later(_RETRY_S, self._retry)

    def retry_now(self) -> str | None:
        """Try to write what a failed commit has left. Return the reason if it fails again."""
        if self.failure is not None:
            self.touch()
            self.commit()
        return self.failure

    def _shrink_later(self) -> None:
        self._shrink_timer = None
        if self.shrink():
            self._shrink_timer = asyncio.get_running_loop().call_later(_SHRINK_AGAIN_S, self._shrink_later)

    def shrink(self) -> bool:
        """Return some free pages to the file system if they are a third of all. Return whether there are more."""
        if self.failure is not None or self.connection.in_transaction:
            return False
        execute = self.connection.execute
        free, pages = (execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
        if free * 3 <= pages or free <= _SPARE_PAGES:
            return False
        execute(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})").fetchall()
        return True

    # The start and the end

    def records(self, kind: str) -> Iterator[Record]:
        """Return the records of a kind, in the order of their creation. Raises DataFolderError for a damaged one."""
        return self._records.load(kind)

    def damaged(self, reason: str) -> Exception:
        """Return the error for a row that does not contain what was written."""
        return self._database.damaged(reason)

    def close(self) -> None:
        """Write what is left, and close the files."""
        for timer in (self._shrink_timer, self._retry_timer):
            if timer is not None:
                timer.cancel()
        self.commit()
        self._is_closed = True
        self._database.close()
