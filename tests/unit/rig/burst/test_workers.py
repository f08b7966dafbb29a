"""The schedule of faults, applied to real processes that only sleep."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import pytest
from orderboard.burst.chaos.schedule import Fault, parse_freeze, parse_stop
from orderboard.burst.chaos.workers import Workers
from orderboard.system.process import start
from orderboard.system.services import Service
from orderboard.system.system import System
from support.waiting import eventually


@dataclass
class SleepingSystem:
    """order-api and workers that sleep."""

    logs_dir: Path
    workers: list[Service] = field(default_factory=list)
    api: Service = field(init=False)

    def __post_init__(self) -> None:
        self.api = self._sleeping("order-api")

    def add_worker(self) -> Service:
        """Start one more."""
        self.workers.append(self._sleeping(f"worker-{len(self.workers) + 1}"))
        return self.workers[-1]

    def alive(self) -> list[str]:
        """Return the names of the workers that run."""
        return [service.process.name for service in self.workers if service.process.running()]

    def under(self, *faults: Fault) -> Workers:
        """Return the workers with this schedule."""
        return Workers(cast(System, self), faults)

    def _sleeping(self, name: str) -> Service:
        arguments = [sys.executable, "-c", "import time; time.sleep(60)"]
        return Service(start(name, arguments, {}, self.logs_dir / f"{name}.log", outlives_us=False), "")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SleepingSystem]:
    """Two workers, after order-api, which no fault touches."""
    sleeping = SleepingSystem(tmp_path)
    for _ in range(2):
        sleeping.add_worker()
    yield sleeping
    for service in (sleeping.api, *sleeping.workers):
        service.process.kill()


async def test_stopped_workers_end_and_as_many_start_again(system: SleepingSystem) -> None:
    """At their time, and not before; each fault is marked with its time."""
    workers = system.under(*parse_stop("10s@5s"))

    workers.act(4.9)
    assert system.alive() == ["worker-1", "worker-2"]
    workers.act(5.1)
    assert workers.count == 0
    await eventually(lambda: system.alive() == [])
    workers.act(15.0)

    assert system.alive() == ["worker-3", "worker-4"]
    assert workers.count == 2
    assert [(mark.at_s, mark.text) for mark in workers.marks] == [
        (5.1, "workers stopped (SIGTERM)"),
        (15.0, "workers started again"),
    ]
    assert not workers.pending
    assert system.api.process.running()


async def test_a_killed_worker_is_replaced(system: SleepingSystem) -> None:
    """At once, and the other one stays."""
    workers = system.under(Fault(1, "kill"))

    workers.act(1)

    assert system.alive() == ["worker-2", "worker-3"]
    assert workers.count == 2


async def test_a_kill_may_wait_for_the_first_finished_orders(system: SleepingSystem) -> None:
    """Then the worker has orders in flight."""
    workers = system.under(Fault(0, "kill", after_finished=2))

    workers.act(5, finished=1)
    assert system.alive() == ["worker-1", "worker-2"]
    workers.act(6, finished=2)

    assert system.alive() == ["worker-2", "worker-3"]


async def test_frozen_workers_thaw(system: SleepingSystem) -> None:
    """They stay alive, and count only while they are not frozen; closing thaws them as well."""
    process = psutil.Process(system.workers[0].process.pid)
    workers = system.under(*parse_freeze("1s@1s"), *parse_freeze("1s@3s"))

    workers.act(1)
    assert workers.count == 0
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    workers.act(2)
    assert workers.count == 2
    await eventually(lambda: process.status() != psutil.STATUS_STOPPED)
    workers.act(3)
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    workers.close()

    await eventually(lambda: process.status() != psutil.STATUS_STOPPED)
    assert system.alive() == ["worker-1", "worker-2"]


async def test_a_worker_that_ends_on_its_own_is_replaced(system: SleepingSystem) -> None:
    """The mark says how it ended."""
    workers = system.under()

    system.workers[0].process.kill()
    workers.act(2)

    assert system.alive() == ["worker-2", "worker-3"]
    assert workers.count == 2
    assert [mark.text for mark in workers.marks] == ["worker-1 has ended (SIGKILL), another started"]


async def test_a_worker_that_always_ends_is_not_started_for_ever(system: SleepingSystem) -> None:
    """One a second, ten in all."""
    workers = system.under()

    for second in range(30):
        for service in system.workers:
            service.process.kill()
        workers.act(second)

    assert len(system.workers) == 2 + 10
    assert workers.count == 0
    assert workers.marks[-1].text.startswith("worker-12 has ended (SIGKILL), no other started")


async def test_an_api_that_ends_is_marked_once(system: SleepingSystem) -> None:
    """It is not started again: its orders count as unavailable."""
    workers = system.under()

    system.api.process.kill()
    workers.act(1)
    workers.act(2)

    assert [mark.text for mark in workers.marks] == ["order-api has ended (SIGKILL), and is not started again"]


async def test_workers_are_scaled_up_and_down(system: SleepingSystem) -> None:
    """The last ones go first, and one that is killed later comes back to the new number."""
    workers = system.under(Fault(1, "scale", 4), Fault(2, "scale", 1), Fault(3, "kill"))

    workers.act(1)
    assert system.alive() == ["worker-1", "worker-2", "worker-3", "worker-4"]
    workers.act(2)
    await eventually(lambda: system.alive() == ["worker-1"])
    workers.act(3)

    assert system.alive() == ["worker-5"]
