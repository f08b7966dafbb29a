"""The lanes between polls and hands: bounded, express first, nobody starved."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from unit.worker.commands import message
from worker.intake import EXPRESS_STREAK, Intake, next_lane
from worker.message import Held


def held(queue: str) -> Held:
    """A message in hand."""
    return Held(message("", queue=queue), 1e9)


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, EXPRESS_STREAK - 1))
def test_express_goes_first(express_waiting: int, work_waiting: int, streak: int) -> None:
    """Whatever waits in the work lane."""
    assert next_lane(express_waiting, work_waiting, streak) == "express"


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_work_is_never_starved(work_waiting: int, express_waiting: int) -> None:
    """After a streak of express messages one from the work lane is taken."""
    assert next_lane(express_waiting, work_waiting, EXPRESS_STREAK) == "work"


async def test_a_mixed_backlog_is_taken_in_turn() -> None:
    """Four express, one normal, four express, ...; what is left of one lane follows at the end."""
    intake = Intake(capacity=100)
    intake.put("work", [held("work") for _ in range(4)])
    intake.put("express", [held("express") for _ in range(9)])
    intake.finish()

    taken = []
    while (each := await intake.take()) is not None:
        taken.append(each.message.queue[0])

    assert "".join(taken) == "eeeeweeeewe" + "ww"


async def test_a_lane_holds_no_more_than_its_capacity() -> None:
    """Polls that are under way have their places reserved; the next waits until a hand makes room."""
    intake = Intake(capacity=20)
    lane = intake.lanes["work"]
    assert [await lane.reserve(), await lane.reserve()] == [10, 10]
    third = asyncio.create_task(lane.reserve())
    intake.put("work", [held("work") for _ in range(20)])

    for _ in range(9):
        await intake.take()
    await asyncio.sleep(0)
    assert not third.done(), "a poll for less than ten would waste a call"

    await intake.take()
    assert await third == 10


async def test_a_closed_intake_polls_no_more_and_empties() -> None:
    """Closing wakes whoever waits for room; what waits is still taken; then there is nothing."""
    intake = Intake(capacity=1)
    lane = intake.lanes["express"]
    assert await lane.reserve() == 1
    intake.put("express", [held("express")])
    waiting = asyncio.create_task(lane.reserve())
    await asyncio.sleep(0)

    intake.close()
    intake.finish()

    assert await waiting == 0
    assert await intake.take() is not None
    assert await intake.take() is None
