"""The database file of a data folder: its version, its lock, and the check for damage.

The folder has three files: `localbus.db` (with `localbus.db-wal` beside it), `lock`, and `commits`, which counts the
acknowledged commits outside the database. A database that has fewer has lost some, however intact it looks: SQLite
takes a damaged write-ahead log for the end of one that the last write did not complete.
Sources: https://www.sqlite.org/walformat.html and https://www.sqlite.org/pragma.html
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

VERSION = 2
APPLICATION_ID = 0x6C6F6362  # "locb"
_COUNTER = struct.Struct("<q")
_CACHE_KIB = 8 * 1024
_MAX_WAL_BYTES = 4 * 1024 * 1024
_SERIES = "CREATE TABLE series (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, UNIQUE (kind, owner))"
_RECORDS = """\
CREATE TABLE records (
  number INTEGER PRIMARY KEY, series INTEGER NOT NULL, key TEXT NOT NULL, document BLOB NOT NULL,
  checksum INTEGER NOT NULL, UNIQUE (series, key)
)"""
# In format 1 each record had its kind and owner.
_FROM_1 = (
    _SERIES,
    "INSERT INTO series (kind, owner) SELECT DISTINCT kind, owner FROM records",
    "ALTER TABLE records RENAME TO old_records",
    _RECORDS,
    """\
INSERT INTO records SELECT number, id, key, document, checksum
FROM old_records JOIN series USING (kind, owner) ORDER BY number""",
    "DROP TABLE old_records",
)
_COMMITS = "CREATE TABLE commits (number INTEGER NOT NULL)"


def temporary_database(cache_kib: int) -> sqlite3.Connection:
    """Return a database in a temporary file, which ends with the process."""
    database = sqlite3.connect("", isolation_level=None, cached_statements=512, check_same_thread=False)
    settings = {"journal_mode": "MEMORY", "synchronous": "OFF", "locking_mode": "EXCLUSIVE", "cache_size": -cache_kib}
    for name, value in settings.items():
        database.execute(f"PRAGMA {name} = {value}")
    return database


class DataFolderError(Exception):
    """A data folder that cannot be used. The message names the file and the fix."""


class Database:
    """The open database of a folder, which no other engine can open until `close`."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        """Open or create it. Raises DataFolderError."""
        self.path = folder / "localbus.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
            self._counter = _counter(folder / "commits")
        except OSError as exc:
            text = f"cannot read or write {exc.filename}: {exc.strerror}."
            raise DataFolderError(f"{text} Name another folder with --data DIR.") from exc
        try:
            with self.damage_named():
                self.connection = self._open(fsync=fsync)
        except BaseException:
            os.close(self._lock)
            raise
        self.commits = self._counted()

    def _open(self, *, fsync: bool) -> sqlite3.Connection:
        is_new = not self.path.exists() or not self.path.stat().st_size
        if not is_new:
            self._check()
        elif self._counted():
            raise self.damaged("it is missing, and had acknowledged commits")
        connection = sqlite3.connect(self.path, isolation_level=None, cached_statements=512, check_same_thread=False)
        connection.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'OFF'}")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if is_new:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {_MAX_WAL_BYTES}")
        if not connection.execute("PRAGMA application_id").fetchone()[0]:
            self._upgrade(connection, (_SERIES, _RECORDS, _COMMITS, "INSERT INTO commits VALUES (0)"))
        elif connection.execute("PRAGMA user_version").fetchone()[0] == 1:
            self._upgrade(connection, _FROM_1)
        return connection

    def _upgrade(self, connection: sqlite3.Connection, statements: Sequence[str]) -> None:
        """Bring an empty file, or one of an earlier format, to the present format, whole or not at all."""
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _check(self) -> None:
        """Raise DataFolderError for a file that is damaged or of a later version.

        It is opened for reading only: closing it otherwise moves the write-ahead log, however damaged, into the file.
        """
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            application, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            if not application:
                if self._counted():
                    raise self.damaged("it is empty, and had acknowledged commits")
                return  # it ended while it created the file
            if application != APPLICATION_ID:
                text = f"{self.path} is a database of another program."
                raise DataFolderError(f"{text} Name another folder with --data DIR.")
            if not 1 <= version <= VERSION:
                text = f"{self.path} has the format {version}, and this localbus reads format {VERSION}."
                raise DataFolderError(f"{text} Use the localbus that wrote it, or another folder with --data DIR.")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise self.damaged(found.splitlines()[-1])
            missing = self._counted() - connection.execute("SELECT number FROM commits").fetchone()[0]
            if missing > 0:
                raise self.damaged(f"its last {missing} acknowledged commits are missing")

    def damaged(self, reason: str) -> DataFolderError:
        """Return the error for a file that does not contain what was written."""
        text = f"{self.path} is damaged: {reason}. Nothing was changed."
        return DataFolderError(f"{text} Restore a copy of the folder, or name another with --data DIR.")

    @contextmanager
    def damage_named(self) -> Iterator[None]:
        """Raise DataFolderError for an error of SQLite in the block."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            raise self.damaged(str(exc)) from exc

    def _counted(self) -> int:
        counted: int = _COUNTER.unpack_from(self._counter)[0]
        return counted

    def count_commit(self) -> None:
        """Write the number of commits into the current transaction."""
        self.connection.execute("UPDATE commits SET number = ?", (self.commits + 1,))

    def committed(self) -> None:
        """Note outside the database that the transaction has been committed."""
        self.commits += 1
        _COUNTER.pack_into(self._counter, 0, self.commits)

    def close(self) -> None:
        """Close the files. Everything that was committed is in the database file then."""
        self.connection.close()
        self._counter.close()
        os.close(self._lock)


def _locked(folder: Path) -> int:
    """Return the open lock file of a folder, with this process's id in it."""
    path = folder / "lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        owner = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        text = f"{folder} is in use by another localbus (process {owner})."
        raise DataFolderError(f"{text} Stop that one, or name another folder with --data DIR.") from exc
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _counter(path: Path) -> mmap.mmap:
    """Return a counter in a file, mapped so that it survives the process."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(file).st_size < _COUNTER.size:
            os.ftruncate(file, _COUNTER.size)
        return mmap.mmap(file, _COUNTER.size)
    finally:
        os.close(file)
