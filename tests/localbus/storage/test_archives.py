"""Archives after a kill: their events are kept, expired ones stay away, and a running replay loses none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from localbus.ids import new_id
from localbus.storage.durable import DurableStorage
from support.events import Bench
from support.killed_events import Kill, at, put_at, received

MANY = 500  # events: several blocks of an archive
DAY_S = 86_400
DEFAULT_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/default"
ARCHIVE_ARN = "arn:aws:events:us-east-1:000000000000:archive/a"


def archive(bench: Bench, **given: Any) -> None:
    """Create the archive "a" of the default bus, whose rule "r" sends replayed events to the queue "q"."""
    bench.call("CreateArchive", ArchiveName="a", EventSourceArn=DEFAULT_ARN, **given)
    bench.call("PutRule", Name="r", EventPattern='{"source": ["s"], "replay-name": [{"exists": true}]}')
    bench.call("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": bench.queue("q")}])


def replay(bench: Bench, start: float, end: float, name: str = "one") -> None:
    """Start a replay of the events between two times."""
    times: dict[str, Any] = {"EventStartTime": at(start), "EventEndTime": at(end)}
    bench.call("StartReplay", ReplayName=name, EventSourceArn=ARCHIVE_ARN, Destination={"Arn": DEFAULT_ARN}, **times)


def archived(bench: Bench) -> tuple[int, int]:
    """Return the number and the size of the events in the archive."""
    described = bench.call("DescribeArchive", ArchiveName="a")
    return described["EventCount"], described["SizeBytes"]


def replayed(bench: Bench) -> list[float]:
    """Replay everything, and return the times of the events in the order of their replay."""
    before = len(bench.messages("q"))
    replay(bench, 0, 4e9, f"all-{bench.clock.now()}")
    bench.clock.advance(60)
    return [one["at"] for one in received(bench)[before:]]


async def test_archived_events_are_kept(bench: Bench, kill: Kill) -> None:
    """Those of full blocks and of the open one, also those that come after a restart, in order."""
    archive(bench)
    times = [bench.clock.now() + number / 4 for number in range(MANY)]
    for first in range(0, MANY, 10):
        put_at(bench, *times[first : first + 10])
        await asyncio.sleep(0)
    counted = archived(bench)

    again = await kill(bench)
    assert archived(again) == counted
    put_at(again, *times[:3])
    third = await kill(again)

    assert archived(third)[0] == MANY + 3
    assert replayed(third) == sorted([*times, *times[:3]], key=lambda time: int(time // 60))


async def test_expired_events_do_not_come_back(bench: Bench, kill: Kill) -> None:
    """Also when the retention period is longer after the restart."""
    archive(bench, RetentionDays=1)
    times = [bench.clock.now() + number for number in range(MANY)]
    for time in times:
        bench.clock.advance(1)
        put_at(bench, time)
    bench.clock.advance(DAY_S - MANY + 130)
    counted = archived(bench)

    again = await kill(bench)
    again.call("UpdateArchive", ArchiveName="a", RetentionDays=0)

    assert archived(again) == counted
    assert replayed(again) == times[130:]


async def test_a_deleted_archive_does_not_come_back(bench: Bench, kill: Kill) -> None:
    """One that is created with its name is empty."""
    archive(bench)
    put_at(bench, *[bench.clock.now()] * 10)
    bench.call("DeleteArchive", ArchiveName="a")
    bench.call("CreateArchive", ArchiveName="a", EventSourceArn=DEFAULT_ARN)

    again = await kill(bench)

    assert archived(again) == (0, 0)
    assert replayed(again) == []


async def test_a_running_replay_goes_on_where_it_was(bench: Bench, kill: Kill) -> None:
    """Each event is replayed, minute by minute, although all have expired meanwhile."""
    archive(bench, RetentionDays=1)
    start = bench.clock.now() // 60 * 60
    times = [start + 60 * minute + second for minute in range(5) for second in range(3)]
    put_at(bench, *times)
    bench.clock.advance(DAY_S - 1)
    replay(bench, start, start + 600)
    bench.clock.advance(2.5)
    assert archived(bench) == (0, 0)

    again = await kill(bench)
    running = again.call("DescribeReplay", ReplayName="one")
    put_at(again, start)  # it was not in the archive when the replay started
    again.clock.advance(3)

    assert (running["State"], running["EventLastReplayedTime"]) == ("RUNNING", times[5])
    assert received(again) == [{"at": time} for time in times]
    assert again.call("DescribeReplay", ReplayName="one")["State"] == "COMPLETED"
    assert archived(again)[0] == 1
    rows = "SELECT count(*) FROM archived_events"
    assert isinstance(again.storage, DurableStorage)
    again.storage.commit()
    assert again.storage.connection.execute(rows).fetchone() == (1,)


async def test_a_cancelled_replay_ends(bench: Bench, kill: Kill) -> None:
    """It publishes nothing more."""
    archive(bench)
    put_at(bench, bench.clock.now())
    replay(bench, 0, 4e9)
    bench.call("CancelReplay", ReplayName="one")

    again = await kill(bench)
    again.clock.advance(2)

    assert again.call("DescribeReplay", ReplayName="one")["State"] == "CANCELLED"
    assert received(again) == []


async def test_a_replay_of_a_deleted_archive_fails(bench: Bench, kill: Kill) -> None:
    """With the reason, also if the engine is killed in between."""
    archive(bench)
    put_at(bench, bench.clock.now())
    replay(bench, 0, 4e9)
    bench.call("DeleteArchive", ArchiveName="a")

    again = await kill(bench)
    for engine in (bench, again):
        engine.clock.advance(2)

    described = again.call("DescribeReplay", ReplayName="one")
    assert (described["State"], described["StateReason"]) == (
        "FAILED",
        "The archive was deleted before its events were replayed.",
    )


async def test_the_file_of_an_archive_is_smaller_than_its_events(bench: Bench) -> None:
    """Full blocks are compressed, and the rows that they replace leave room for the next."""
    archive(bench)
    storage = bench.storage
    assert isinstance(storage, DurableStorage)
    for _ in range(60):
        put_at(bench, *[bench.clock.now()] * 10)
        bench.put(json.dumps({"random": [new_id() for _ in range(200)]}))
        storage.commit()

    pages, page_bytes = (
        storage.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    assert pages * page_bytes < archived(bench)[1]
