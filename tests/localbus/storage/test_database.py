"""A data folder: what is refused at the start, and a disk that is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from localbus.storage.database import VERSION, DataFolderError
from localbus.storage.durable import DurableStorage
from support.durable import DurableEngine, as_killed

URL = "http://localhost/000000000000/work"


def fill(folder: Path, messages: int = 200) -> Path:
    """Return a data folder as an engine with messages leaves it that is killed."""
    with DurableEngine(folder / "live") as durable:
        durable.call("sqs", "CreateQueue", QueueName="work")
        for number in range(messages):
            durable.call("sqs", "SendMessage", QueueUrl=URL, MessageBody=f"number {number} " + "x" * 900)
        return as_killed(folder / "live" / "0", folder / "copy" / "0")


def restored(copy: Path) -> int:
    """Start an engine on a copy and return how many messages it has."""
    with DurableEngine(copy.parent) as durable:
        return durable.engine.sqs.queues.by_name("work", "000000000000", "us-east-1").queue.counts().visible


def test_a_killed_engine_has_lost_nothing(tmp_path: Path) -> None:
    """The baseline of this file: an undamaged copy has every message."""
    assert restored(fill(tmp_path)) == 200


def in_log(change: Callable[[bytearray], object]) -> Callable[[Path], None]:
    """Return a function that changes the bytes of the write-ahead log."""

    def damage(copy: Path) -> None:
        data = bytearray((copy / "localbus.db-wal").read_bytes())
        change(data)
        (copy / "localbus.db-wal").write_bytes(data)

    return damage


def cut(data: bytearray, kept: int) -> None:
    """Remove the end."""
    del data[kept:]


def flip(data: bytearray, place: int) -> None:
    """Change one byte."""
    data[place] ^= 0xFF


def without(*names: str) -> Callable[[Path], None]:
    """Return a function that removes files."""

    def damage(copy: Path) -> None:
        for name in names:
            (copy / name).unlink()

    return damage


def by_sql(statement: str) -> Callable[[Path], None]:
    """Return a function that changes the database, as no localbus would."""

    def damage(copy: Path) -> None:
        with closing(sqlite3.connect(copy / "localbus.db", isolation_level=None)) as database:
            database.execute(statement)

    return damage


def zero_pages(copy: Path) -> None:
    """Move everything from the log into the file, and overwrite some of its pages."""
    by_sql("PRAGMA wal_checkpoint(TRUNCATE)")(copy)
    data = bytearray((copy / "localbus.db").read_bytes())
    data[8192:40960] = bytes(32768)
    (copy / "localbus.db").write_bytes(data)


def replace_by_text(copy: Path) -> None:
    """Put a file of another kind in its place."""
    (copy / "localbus.db-wal").unlink()
    (copy / "localbus.db").write_bytes(b"this is not a database, but a text of some length " * 100)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(in_log(lambda data: cut(data, -100)), id="the tail of the log is cut"),
        pytest.param(in_log(lambda data: cut(data, len(data) // 2)), id="half of the log is cut"),
        pytest.param(in_log(lambda data: flip(data, len(data) // 2)), id="a byte within the log"),
        pytest.param(in_log(lambda data: flip(data, 17)), id="a byte of the log's header"),
        pytest.param(without("localbus.db-wal"), id="no log"),
        pytest.param(without("localbus.db", "localbus.db-wal"), id="no file"),
        pytest.param(by_sql("UPDATE messages SET body = replace(body, 'x', 'y') WHERE row = 7"), id="a body"),
        pytest.param(
            by_sql("UPDATE records SET document = CAST(replace(document, '30', '31') AS BLOB)"), id="a record"
        ),
        pytest.param(zero_pages, id="pages of the file"),
        pytest.param(replace_by_text, id="a text"),
    ],
)
def test_damage_is_named_and_nothing_is_changed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """An engine does not start on a damaged file, names it with the fix, and leaves every byte as it is."""
    copy = fill(tmp_path)
    damage(copy)
    files = ("localbus.db", "localbus.db-wal")
    before = {name: (copy / name).read_bytes() for name in files if (copy / name).exists()}

    with pytest.raises(DataFolderError, match=r"localbus\.db is damaged: .+ Restore a copy of the folder") as raised:
        restored(copy)

    assert str(copy / "localbus.db") in str(raised.value)
    if before.keys() == set(files):
        assert {name: (copy / name).read_bytes() for name in files} == before


def test_a_write_that_the_kill_cut_short_is_dropped(tmp_path: Path) -> None:
    """Bytes after the last commit are those of a write that was not acknowledged: the start does not mind them."""
    copy = fill(tmp_path)
    wal = copy / "localbus.db-wal"
    frame = wal.read_bytes()[-4120:]
    wal.write_bytes(wal.read_bytes() + frame[:3000])

    assert restored(copy) == 200


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            f"PRAGMA user_version = {VERSION + 1}",
            f"has the format {VERSION + 1}, and this localbus reads format {VERSION}",
        ),
        ("PRAGMA application_id = 7", "is a database of another program"),
    ],
)
def test_a_file_of_another_version_or_program(tmp_path: Path, statement: str, error: str) -> None:
    """A newer file and a foreign one are refused by name, with the fix."""
    copy = fill(tmp_path)
    by_sql(statement)(copy)

    with pytest.raises(DataFolderError, match=error):
        restored(copy)


def test_an_earlier_format_is_brought_to_the_present_one(tmp_path: Path) -> None:
    """Format 1, in which each record had its kind and owner: everything is there, also at the next start."""
    copy = fill(tmp_path)
    for statement in (
        "CREATE TABLE old AS "
        "SELECT number, kind, owner, key, document, checksum FROM records JOIN series ON id = series",
        "DROP TABLE records",
        "DROP TABLE series",
        "ALTER TABLE old RENAME TO records",
        "PRAGMA user_version = 1",
    ):
        by_sql(statement)(copy)

    assert restored(copy) == 200
    assert restored(copy) == 200


def test_a_folder_is_for_one_engine(tmp_path: Path) -> None:
    """A second engine on the folder is refused, and the first goes on."""
    with DurableEngine(tmp_path) as durable:
        with pytest.raises(DataFolderError, match=r"is in use by another localbus \(process [0-9]+\)\. Stop that one"):
            DurableEngine(tmp_path)
        assert "QueueUrl" in durable.call("sqs", "CreateQueue", QueueName="work")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the path and the fix."""
    (tmp_path / "0").write_text("a file")

    with pytest.raises(DataFolderError, match=rf"cannot read or write {tmp_path}.*Name another folder with --data DIR"):
        DurableEngine(tmp_path)


def test_a_full_disk_refuses_writes_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    """Sends are answered 503 with the reason while there is not enough room; reads work; afterwards everything does."""
    with DurableEngine(tmp_path) as durable:
        durable.call("sqs", "CreateQueue", QueueName="work")
        durable.call("sqs", "SendMessage", QueueUrl=URL, MessageBody="before")
        limit(durable, 1)

        body = "x" * 900_000
        refused = [durable.call("sqs", "SendMessage", QueueUrl=URL, MessageBody=body) for _ in range(3)]
        counts = durable.call("sqs", "GetQueueAttributes", QueueUrl=URL, AttributeNames=["ApproximateNumberOfMessages"])
        limit(durable, 100_000)
        sent = durable.call("sqs", "SendMessage", QueueUrl=URL, MessageBody="after")
        durable.kill()
        bodies = {
            message.body[:6]
            for message in durable.engine.sqs.queues.by_name("work", "000000000000", "us-east-1").queue.peek()
        }

        assert all(answer["__type"] == "ServiceUnavailable" for answer in refused)
        assert all("database or disk is full" in answer["message"] for answer in refused)
        assert "Attributes" in counts
        assert "MessageId" in sent
        assert {"before", "after"} <= bodies


def limit(durable: DurableEngine, pages: int) -> None:
    """Let the database grow to so many pages, or not at all."""
    storage = durable.engine.storage
    assert isinstance(storage, DurableStorage)
    storage.connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_file_shrinks_with_its_queue(tmp_path: Path) -> None:
    """The file takes at most twice the messages that are kept, also after many have passed through."""
    with DurableEngine(tmp_path) as durable:
        durable.call("sqs", "CreateQueue", QueueName="work")
        for _ in range(300):
            entries = [{"Id": str(number), "MessageBody": "x" * 900} for number in range(10)]
            durable.call("sqs", "SendMessageBatch", QueueUrl=URL, Entries=entries)
        for _ in range(250):
            messages = durable.call("sqs", "ReceiveMessage", QueueUrl=URL, MaxNumberOfMessages=10)["Messages"]
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            durable.call("sqs", "DeleteMessageBatch", QueueUrl=URL, Entries=entries)
        storage = durable.engine.storage
        assert isinstance(storage, DurableStorage)
        while storage.shrink():
            pass

        pages = storage.connection.execute("PRAGMA page_count").fetchone()[0]

        assert pages * 4096 <= 2 * 500 * 900
