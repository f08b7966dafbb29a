"""Work beside requests: begun, waiting, failing, given up."""

from __future__ import annotations

import asyncio

import pytest
from localbus.background_tasks import Errands
from localbus.clock import ManualClock


async def _fail() -> None:
    raise RuntimeError("nobody expects this")


async def test_a_failure_is_logged_and_stays_alone(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected of one piece of work does not keep another from being done."""
    errands, done = Errands(ManualClock()), asyncio.Event()

    async def succeed() -> None:
        done.set()

    errands.begin(_fail())
    errands.begin(succeed())
    await asyncio.wait_for(done.wait(), 5)
    await errands.stop()

    assert [record.message for record in caplog.records] == ["errand.failed"]


async def test_what_waits_is_done_in_its_time_or_given_up() -> None:
    """A pause is by the engine's clock, no pause is no wait, and nothing is done any more after the end."""
    clock = ManualClock()
    errands, done = Errands(clock), list[str]()

    errands.later(0, lambda: done.append("at once"))
    errands.later(20, lambda: done.append("later"))
    errands.later(40, lambda: done.append("too late"))
    assert done == ["at once"]
    clock.advance(20)
    await errands.stop()
    clock.advance(20)

    assert done == ["at once", "later"]


async def test_what_goes_on_is_given_up_at_the_end() -> None:
    """Stopping waits for nobody."""
    errands = Errands(ManualClock())

    async def never_end() -> None:
        await asyncio.Event().wait()

    errands.begin(never_end())
    await asyncio.wait_for(errands.stop(), 5)
