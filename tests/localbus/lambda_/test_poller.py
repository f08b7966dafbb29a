"""The poller: concurrency, FIFO order, an unreachable function, and the states of a mapping.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-scaling.html and
services-sqs-errorhandling.html there
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from localbus.lambda_ import poller
from localbus.sqs.message import Received
from support.fake_lambda import QUEUE_ARN, Event, FunctionFailedError, MappingBench

FIFO_ARN = f"{QUEUE_ARN}.fifo"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let further invocations begin soon."""
    for name in ("WAITS_FOR_OTHERS_S", "WAITS_FOR_FIRST_S"):
        monkeypatch.setattr(poller, name, 0.02)


@pytest.mark.parametrize(("given", "most"), [({}, 5), ({"ScalingConfig": {"MaximumConcurrency": 2}}, 2)])
async def test_concurrency_is_never_exceeded(
    bench: MappingBench, hasty: None, given: dict[str, Any], most: int
) -> None:
    """Five invocations run at a time, or MaximumConcurrency of them: never one more."""

    gate = asyncio.Event()
    bench.function(lambda _event: gate.wait())
    bench.send(*map(str, range(20)))

    await bench.map(BatchSize=1, **given)
    await bench.until(lambda: bench.functions.running == most)
    await bench.quiet()
    gate.set()
    await bench.invoked(20)

    assert bench.functions.most_running == most


@pytest.mark.parametrize("answered", [True, False])
async def test_a_further_invocation_waits_for_those_under_way(
    bench: MappingBench, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """A short wait keeps one process of the function busy where one suffices; a long invocation gets company."""
    for name in ("WAITS_FOR_OTHERS_S", "WAITS_FOR_FIRST_S"):
        monkeypatch.setattr(poller, name, 0.5 if (name == "WAITS_FOR_OTHERS_S") == answered else 60)
    gate = asyncio.Event()
    gate.set()
    bench.function(lambda _event: gate.wait())
    await bench.map(BatchSize=2)
    if answered:
        bench.send("first")
        await bench.invoked(1)
    gate.clear()

    bench.send("a")
    await bench.until(lambda: bench.functions.running == 1)
    bench.send("b")
    await asyncio.sleep(0.15)
    assert bench.functions.running == 1
    await bench.until(lambda: bench.functions.running == 2)
    gate.set()


async def test_full_batches_of_a_slow_function_wait_for_none(
    bench: MappingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog is worked off by as many invocations as are permitted."""
    gate = asyncio.Event()
    gate.set()
    bench.function(lambda _event: gate.wait())
    await bench.map(BatchSize=2)
    monkeypatch.setattr(poller, "WAITS_FOR_OTHERS_S", 0.0)  # any invocation is slow
    for number in (1, 2):
        bench.send("warm")
        await bench.invoked(number)
    monkeypatch.setattr(poller, "WAITS_FOR_OTHERS_S", 60)
    gate.clear()

    bench.send(*map(str, range(12)))
    await bench.until(lambda: bench.functions.running == 5)

    await bench.quiet()
    assert bench.functions.most_running == 5
    gate.set()


@pytest.mark.parametrize(("catches_up_within_s", "most"), [(60, 1), (0, 5)])
async def test_a_quick_function_gets_company_when_it_falls_behind(
    bench: MappingBench, monkeypatch: pytest.MonkeyPatch, catches_up_within_s: float, most: int
) -> None:
    """One process of a function works off a short backlog; more do when full batches have waited for some time."""
    monkeypatch.setattr(poller, "WAITS_FOR_OTHERS_S", 60)
    monkeypatch.setattr(poller, "CATCHES_UP_WITHIN_S", catches_up_within_s)
    gate = asyncio.Event()
    gate.set()
    bench.function(lambda _event: gate.wait())
    await bench.map(BatchSize=2)
    bench.send("first")
    await bench.invoked(1)
    gate.clear()

    bench.send(*map(str, range(12)))
    await bench.until(lambda: bench.functions.running == most)
    await bench.quiet()
    gate.set()
    await bench.invoked(7)

    assert bench.functions.most_running == most


async def test_messages_stay_visible_at_the_limit_of_concurrency(bench: MappingBench, hasty: None) -> None:
    """Messages that cannot be delivered yet stay visible to others, and use up no receive."""
    gate = asyncio.Event()
    bench.function(lambda _event: gate.wait())
    bench.send(*"abcde")

    await bench.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    await bench.until(lambda: bench.functions.running == 2)
    await bench.quiet()

    assert bench.work.counts().visible == 3
    gate.set()
    await bench.invoked(5)


async def test_a_fifo_queue_keeps_its_order(bench: MappingBench) -> None:
    """Each group has one batch under way at a time, and its messages arrive in the order of sending."""
    bench.queue("work.fifo")
    under_way: set[str] = set()

    async def function(event: Event) -> None:
        groups = {record["attributes"]["MessageGroupId"] for record in event["Records"]}
        assert not groups & under_way
        under_way.update(groups)
        for _ in range(50):
            await asyncio.sleep(0)
        under_way.difference_update(groups)

    bench.function(function)
    for number in range(12):
        bench.send(f"{number:02}", arn=FIFO_ARN, MessageGroupId="ab"[number % 2])
    await bench.map(EventSourceArn=FIFO_ARN, BatchSize=2)
    await bench.invoked(6)

    records = [record for event in bench.functions.events for record in event["Records"]]
    for group in "ab":
        bodies = [record["body"] for record in records if record["attributes"]["MessageGroupId"] == group]
        assert bodies == sorted(bodies)
        assert len(bodies) == 6
    assert {"MessageDeduplicationId", "SequenceNumber"} <= records[0]["attributes"].keys()


async def test_a_failing_fifo_group_blocks_no_other(bench: MappingBench) -> None:
    """A failed message blocks the later ones of its group until it is processed, and no other group."""
    bench.queue("work.fifo")
    failing = True

    def function(event: Event) -> None:
        if failing and event["Records"][0]["attributes"]["MessageGroupId"] == "a":
            raise FunctionFailedError

    bench.function(function)
    await bench.map(EventSourceArn=FIFO_ARN, BatchSize=1)
    bench.send("a1", "a2", arn=FIFO_ARN, MessageGroupId="a")
    bench.send("b1", "b2", arn=FIFO_ARN, MessageGroupId="b")
    await bench.invoked(3)
    assert sorted(bench.functions.bodies()) == [["a1"], ["b1"], ["b2"]]

    failing = False
    bench.clock.advance(30)
    await bench.invoked(5)

    assert bench.functions.bodies()[3:] == [["a1"], ["a2"]]


async def test_a_throttled_function_is_retried(bench: MappingBench) -> None:
    """While Lambda throttles, the same invocation is retried after growing delays, and nothing more is received."""
    bench.functions.rejection = (429, {"Type": "User", "message": "Rate Exceeded."})
    await bench.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})

    bench.send(*"abcd")
    await bench.until(lambda: len(bench.noted("retry_scheduled")) == 1)
    bench.clock.advance(1)
    await bench.until(lambda: len(bench.noted("retry_scheduled")) == 2)
    assert bench.work.counts().visible == 3
    bench.functions.rejection = None
    bench.clock.advance(2)
    await bench.invoked(4)

    assert sum(bench.work.counts()) == 0
    receives = [e.detail for e in bench.journal.entries(event="received")]
    assert receives == [1, 1, 1, 1]


async def test_a_missing_upstream_loses_nothing(bench: MappingBench) -> None:
    """Messages are received again after their visibility timeout, and processed once the upstream is back."""
    await bench.map()
    await bench.functions.stop()

    bench.send("a")
    await bench.until(lambda: bench.noted("retry_scheduled"))
    for _ in range(60):
        bench.clock.advance(1)
        await bench.quiet()
    await bench.functions.start()
    for _ in range(60):
        bench.clock.advance(1)
        await bench.quiet()
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a"]]
    assert sum(bench.work.counts()) == 0


async def test_a_disabled_mapping_receives_nothing_until_enabled(bench: MappingBench) -> None:
    """A disabled mapping leaves messages in the queue; an enabled one receives them immediately."""
    uuid = await bench.map()

    paused = await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    assert paused["State"] == "Disabling"
    assert await bench.settled(uuid) == "Disabled"
    bench.send("a")
    await bench.quiet()
    assert bench.functions.events == []
    assert bench.work.counts().visible == 1
    resumed = await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=True)
    assert resumed["State"] == "Enabling"
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a"]]


async def test_disabling_returns_collected_messages(bench: MappingBench) -> None:
    """Messages that wait for the end of a window are visible again once the mapping is disabled."""
    uuid = await bench.map(MaximumBatchingWindowInSeconds=300)
    bench.send("a")
    await bench.quiet()
    assert bench.work.counts().in_flight == 1

    await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)

    assert bench.work.counts().visible == 1
    assert bench.functions.events == []


async def test_enabling_retries_immediately(bench: MappingBench) -> None:
    """A function that could not be reached is invoked when the mapping is enabled again, whatever delay was left."""
    bench.functions.rejection = (503, {})
    uuid = await bench.map()
    bench.send("a")
    await bench.until(lambda: bench.noted("retry_scheduled"))

    await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    await bench.settled(uuid)
    bench.functions.rejection = None
    await bench.call("UpdateEventSourceMapping", UUID=uuid, Enabled=True)
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a"]]


async def test_a_deleted_mapping_completes_its_invocations(bench: MappingBench) -> None:
    """An invocation that is under way during the deletion still deletes its messages; no other starts."""
    gate = asyncio.Event()
    bench.function(lambda _event: gate.wait())
    uuid = await bench.map()
    bench.send("a")
    await bench.until(lambda: bench.functions.running == 1)

    deleted = await bench.call("DeleteEventSourceMapping", UUID=uuid)
    bench.send("b")
    gate.set()
    await bench.invoked(1)

    assert deleted["State"] == "Deleting"
    assert bench.functions.bodies() == [["a"]]
    assert (bench.work.counts().visible, bench.work.counts().in_flight) == (1, 0)


async def test_a_queue_that_is_created_again(bench: MappingBench) -> None:
    """A mapping outlives its queue, and receives from a new one of that name."""
    await bench.map()
    record = bench.sqs.queues.by_arn(QUEUE_ARN)
    assert record is not None
    bench.sqs.queues.delete(record)
    bench.clock.advance(60)
    await bench.quiet()

    bench.queue()
    bench.send("a")
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a"]]


async def test_an_idle_mapping_does_nothing(bench: MappingBench) -> None:
    """An idle mapping has one long poll at its queue and makes no calls."""
    await bench.map()
    await bench.quiet()

    for _ in range(10):
        bench.clock.advance(3600)
        await bench.quiet()

    assert len(vars(bench.work)["_polls"]) == 1
    assert list(bench.journal.entries()) == []


async def test_a_clean_stop(bench: MappingBench) -> None:
    """The engine stops every task, even one with an invocation that would never end."""
    before = asyncio.all_tasks()
    bench.function(lambda _event: asyncio.Event().wait())
    await bench.map()
    bench.send("a")
    await bench.until(lambda: bench.functions.running == 1)

    await bench.tasks.cancel_all()
    await bench.functions.stop()

    await bench.until(lambda: asyncio.all_tasks() <= before)


async def test_an_unexpected_error_does_not_stop_a_mapping(
    bench: MappingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the engine is logged, and the mapping continues after a delay."""
    uuid = await bench.map()
    await bench.quiet()

    def broken(_most: int) -> list[Received]:
        monkeypatch.undo()
        raise ZeroDivisionError

    monkeypatch.setattr(bench.work, "receive", broken)
    bench.send("a", "b")
    await bench.quiet()
    bench.clock.advance(1)
    await bench.invoked(1)

    assert sorted(body for bodies in bench.functions.bodies() for body in bodies) == ["a", "b"]
    assert await bench.settled(uuid) == "Enabled"


async def test_a_cancelled_request_completes_its_change(bench: MappingBench) -> None:
    """A request that is cancelled while it changes a mapping still completes the change."""
    uuid = await bench.map()
    await bench.quiet()

    request = asyncio.ensure_future(bench.call("UpdateEventSourceMapping", UUID=uuid, BatchSize=1))
    await asyncio.sleep(0)
    request.cancel()
    assert await bench.settled(uuid) == "Enabled"
    bench.send("a", "b")
    await bench.invoked(2)

    assert bench.functions.bodies() == [["a"], ["b"]]
    assert sum(bench.work.counts()) == 0
