"""Event source mappings after a kill: settings, state and tags are kept, and enabled ones receive again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from localbus.lambda_.state import EventSourceMappings
from localbus.storage.documents import decode, encode
from localbus.storage.durable import DurableStorage
from support.durable import as_killed
from support.fake_lambda import QUEUE_ARN, FakeLambda, MappingBench

SETTINGS: dict[str, Any] = {
    "BatchSize": 20,
    "MaximumBatchingWindowInSeconds": 5,
    "ScalingConfig": {"MaximumConcurrency": 7},
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": '{"body":{"a":[1]}}'}]},
}


@pytest.fixture
async def functions() -> AsyncIterator[FakeLambda]:
    """An upstream with a function."""
    functions = FakeLambda()
    yield functions
    await functions.stop()


@asynccontextmanager
async def running(functions: FakeLambda, folder: Path) -> AsyncIterator[MappingBench]:
    """Run an engine on a folder."""
    storage = DurableStorage(folder)
    bench = MappingBench(functions, await functions.start(), storage)
    try:
        yield bench
    finally:
        await bench.tasks.cancel_all()
        await functions.stop()
        storage.close()


def stored(bench: MappingBench) -> dict[str, Any]:
    """Return the records of the mappings."""
    assert isinstance(bench.sqs.storage, DurableStorage)
    bench.sqs.storage.commit()
    return {uuid: document for _, uuid, document in bench.sqs.storage.records("lambda.mapping")}


def live(mappings: EventSourceMappings) -> dict[str, Any]:
    """Return the mappings in memory as records."""
    return {mapping.uuid: decode(encode(mapping.stored())) for mapping in mappings}


async def test_each_change_of_a_mapping_is_stored(functions: FakeLambda, tmp_path: Path) -> None:
    """After each action the records are those of the live mappings, and a restarted engine answers the same."""
    async with running(functions, tmp_path / "0") as bench:
        bench.queue("other")
        uuid = await bench.map(Tags={"a": "b"}, Enabled=False)
        gone = await bench.map(EventSourceArn=QUEUE_ARN.replace("work", "other"))
        arn = (await bench.call("GetEventSourceMapping", UUID=uuid))["EventSourceMappingArn"]
        changes: list[tuple[str, dict[str, Any]]] = [
            ("UpdateEventSourceMapping", {"UUID": uuid, **SETTINGS}),
            ("TagResource", {"Resource": arn, "Tags": {"c": "\ud800"}}),
            ("UntagResource", {"Resource": arn, "TagKeys": ["a"]}),
            ("UpdateEventSourceMapping", {"UUID": uuid, "Enabled": True}),
            ("UpdateEventSourceMapping", {"UUID": uuid, "Enabled": False}),
            ("DeleteEventSourceMapping", {"UUID": gone}),
        ]
        for action, params in changes:
            await bench.call(action, **params)
            await asyncio.sleep(0)
            assert stored(bench) == live(bench.mappings), action
        before = await bench.call("GetEventSourceMapping", UUID=uuid), await bench.call("ListTags", Resource=arn)
        folder = as_killed(tmp_path / "0", tmp_path / "1")

    async with running(functions, folder) as again:
        after = await again.call("GetEventSourceMapping", UUID=uuid), await again.call("ListTags", Resource=arn)
        uuids = [mapping.uuid for mapping in again.mappings]

    assert after == before
    assert uuids == [uuid]


async def test_enabled_mappings_receive_after_a_kill(functions: FakeLambda, tmp_path: Path) -> None:
    """Messages that were sent before and after; those of an invocation under way are visible again in time."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(_event: Any) -> None:
        begun.set()
        await never.wait()

    async with running(functions, tmp_path / "0") as bench:
        bench.function(hang)
        await bench.map(BatchSize=1)
        bench.send("under way")
        await begun.wait()
        assert isinstance(bench.sqs.storage, DurableStorage)
        bench.sqs.storage.commit()
        folder = as_killed(tmp_path / "0", tmp_path / "1")
        never.set()

    functions.events.clear()
    async with running(functions, folder) as again:
        again.function(lambda _event: None)
        again.send("later")
        await again.invoked(1)
        first = functions.bodies()
        again.clock.advance(30)
        await again.invoked(2)

    assert (first, functions.bodies()) == ([["later"]], [["later"], ["under way"]])


async def test_a_disabled_mapping_stays_disabled(functions: FakeLambda, tmp_path: Path) -> None:
    """Its messages stay in the queue."""
    async with running(functions, tmp_path / "0") as bench:
        uuid = await bench.map()
        await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
        bench.send("a")
        stored(bench)
        folder = as_killed(tmp_path / "0", tmp_path / "1")

    async with running(functions, folder) as again:
        await again.quiet()

        assert await again.settled(uuid) == "Disabled"
        assert (functions.events, again.work.counts().visible) == ([], 1)


async def test_a_transition_under_way_ends(functions: FakeLambda, tmp_path: Path) -> None:
    """A mapping that was being created is enabled after the restart."""
    async with running(functions, tmp_path / "0") as bench:
        answer = await bench.call("CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName="barista")
        assert answer["State"] == "Creating"
        assert isinstance(bench.sqs.storage, DurableStorage)
        bench.sqs.storage.commit()
        folder = as_killed(tmp_path / "0", tmp_path / "1")

    async with running(functions, folder) as again:
        assert (await again.call("GetEventSourceMapping", UUID=answer["UUID"]))["State"] == "Enabled"
