"""Fixtures of EventBridge that is killed. A kill is a copy of the folder as it is, on which another engine starts."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from localbus.storage.durable import DurableStorage
from support.durable import as_killed
from support.events import Bench
from support.killed_events import Kill, stop


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """An engine on an empty folder."""
    bench = Bench(storage=DurableStorage(tmp_path / "0"))
    yield bench
    await stop(bench)


@pytest.fixture
async def kill(tmp_path: Path) -> AsyncIterator[Kill]:
    """A function that kills an engine and returns one that has started on its folder, `down_s` later."""
    started: list[Bench] = []
    numbers = itertools.count(1)

    async def kill(bench: Bench, *, down_s: float = 0.0) -> Bench:
        assert isinstance(bench.storage, DurableStorage)
        bench.storage.commit()
        number = next(numbers)
        folder = as_killed(tmp_path / str(number - 1), tmp_path / str(number))
        bench.events.stop()
        await bench.tasks.cancel_all()
        again = Bench(storage=DurableStorage(folder))
        again.clock.advance(bench.clock.now() - again.clock.now() + down_s)
        again.sqs.restore()
        again.events.restore()
        started.append(again)
        return again

    yield kill
    for one in started:
        await stop(one)
