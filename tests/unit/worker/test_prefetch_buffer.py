"""The prefetch buffer between polls and handlers: bounded, express first, without starvation."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from unit.worker.commands import message
from unit.worker.fakes import turns
from worker.message import Lease
from worker.prefetch_buffer import EXPRESS_STREAK, PrefetchBuffer, next_queue


def leases(queue: str, count: int) -> list[Lease]:
    """Leases on messages of a queue."""
    return [Lease(message("", queue=queue), 1e9) for _ in range(count)]


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, EXPRESS_STREAK - 1))
def test_express_goes_first(express_waiting: int, work_waiting: int, streak: int) -> None:
    """However many messages of the work queue wait."""
    assert next_queue(express_waiting, work_waiting, streak) == "express"


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_work_is_never_starved(work_waiting: int, express_waiting: int) -> None:
    """After a streak of express messages one from the work queue is taken."""
    assert next_queue(express_waiting, work_waiting, EXPRESS_STREAK) == "work"


async def test_a_mixed_backlog_is_taken_in_turn() -> None:
    """Four express, one normal, four express, and so on; the remainder of one queue follows at the end."""
    buffer = PrefetchBuffer(capacity=100)
    buffer.put("work", leases("work", 4))
    buffer.put("express", leases("express", 9))
    buffer.finish()

    taken = []
    while leases_taken := await buffer.take(at_most=3):
        taken.append("".join(lease.message.queue[0] for lease in leases_taken))

    assert taken == ["eee", "ewe", "eee", "wew", "w"]


async def test_a_partition_holds_no_more_than_its_capacity() -> None:
    """Polls under way have their slots reserved; the next waits until enough messages were taken."""
    buffer = PrefetchBuffer(capacity=20)
    partition = buffer.partitions["work"]
    assert [await partition.reserve(), await partition.reserve()] == [10, 10]
    third = asyncio.create_task(partition.reserve())
    buffer.put("work", leases("work", 20))

    await buffer.take(9)
    await turns()
    assert not third.done(), "a poll for fewer than ten would waste a call"

    await buffer.take(1)
    assert await third == 10


async def test_a_closed_buffer_polls_no_more_and_empties() -> None:
    """Closing ends every wait for slots; buffered messages are still taken; then there are none."""
    buffer = PrefetchBuffer(capacity=1)
    partition = buffer.partitions["express"]
    assert await partition.reserve() == 1
    buffer.put("express", leases("express", 1))
    waiting = asyncio.create_task(partition.reserve())
    await turns()

    buffer.close()
    buffer.finish()

    assert await waiting == 0
    assert len(await buffer.take(10)) == 1
    assert not await buffer.take(10)
