"""Background tasks: they run, wait, fail and are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from localbus.background_tasks import BackgroundTasks
from localbus.clock import ManualClock


async def test_a_failure_is_logged_and_contained(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception in one task does not stop another."""
    tasks, done = BackgroundTasks(ManualClock()), asyncio.Event()

    async def fail() -> None:
        raise RuntimeError("unexpected")

    async def succeed() -> None:
        done.set()

    tasks.start(fail())
    tasks.start(succeed())
    await asyncio.wait_for(done.wait(), 5)
    await tasks.cancel_all()

    assert [record.message for record in caplog.records] == ["background_task.failed"]


async def test_scheduled_callbacks_are_called_on_time_or_cancelled() -> None:
    """A delay is by the engine's clock, none means immediately, and nothing is called after the cancellation."""
    clock = ManualClock()
    tasks, called = BackgroundTasks(clock), list[str]()

    tasks.schedule(0, lambda: called.append("immediately"))
    tasks.schedule(20, lambda: called.append("later"))
    tasks.schedule(40, lambda: called.append("too late"))
    assert called == ["immediately"]
    clock.advance(20)
    await tasks.cancel_all()
    clock.advance(20)

    assert called == ["immediately", "later"]


async def test_running_tasks_are_cancelled() -> None:
    """`cancel_all` ends a task that would wait forever."""
    tasks = BackgroundTasks(ManualClock())
    task = tasks.start(asyncio.Event().wait())  # type: ignore[arg-type]

    await asyncio.wait_for(tasks.cancel_all(), 5)

    assert task.cancelled()


async def test_a_task_begins_before_it_is_cancelled() -> None:
    """A coroutine that a task would have awaited is not left over, and what a task starts as it ends is ended too."""
    tasks, ended = BackgroundTasks(ManualClock()), list[str]()

    async def given() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("given")
            tasks.start(last())

    async def last() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("last")

    async def outer(inner: Coroutine[Any, Any, None]) -> None:
        await inner

    tasks.start(outer(given()))
    await tasks.cancel_all()

    assert ended == ["given", "last"]
