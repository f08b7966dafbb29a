"""A manual clock over restarts: it stands, however long the engine was down."""

from __future__ import annotations

from pathlib import Path

from localbus.clock import Clock, ManualClock, RealClock
from localbus.engine import Engine, Options


async def restarted(folder: Path, clock: Clock, advance_s: float = 0) -> float:
    """Start an engine, advance its manual clock and stop it. Return its time at the end."""
    engine = Engine(Options(data=folder), clock)
    engine.restore()
    if isinstance(clock, ManualClock):
        clock.advance(advance_s)
    await engine.stop()
    return clock.now()


async def test_a_manual_clock_stands_while_the_engine_is_down(tmp_path: Path) -> None:
    """It goes on from its first start and from what it was advanced to, not from the time of the restart."""
    assert await restarted(tmp_path, ManualClock(1_000)) == 1_000
    assert await restarted(tmp_path, ManualClock(5_000), advance_s=60) == 1_060
    assert await restarted(tmp_path, ManualClock(9_000)) == 1_060


async def test_real_time_ends_a_manual_clock(tmp_path: Path) -> None:
    """After a run in real time a manual clock starts at the present, after what happened meanwhile."""
    await restarted(tmp_path, ManualClock(1_000))
    await restarted(tmp_path, RealClock())

    assert await restarted(tmp_path, ManualClock(5_000)) == 5_000
