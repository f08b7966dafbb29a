"""The schedule of faults, applied to real processes that only sleep."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import pytest
from orderboard.burst.faults.injector import FaultInjector
from orderboard.burst.faults.schedule import Fault, parse_freeze, parse_stop
from orderboard.system.process import start
from orderboard.system.services import Service
from orderboard.system.system import System
from support.waiting import eventually


@dataclass
class SleepingSystem:
    """order-api and workers that sleep."""

    logs_dir: Path
    workers: list[Service] = field(default_factory=list)
    given_workers: int = 0
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

    def restart_api(self) -> None:
        """Start order-api again."""
        self.api = self._sleeping("order-api")

    def under(self, *faults: Fault) -> FaultInjector:
        """Return this schedule of faults."""
        return FaultInjector(cast(System, self), faults)

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
    faults = system.under(*parse_stop("10s@5s"))

    faults.act(4.9)
    assert system.alive() == ["worker-1", "worker-2"]
    faults.act(5.1)
    assert faults.workers == 0
    await eventually(lambda: system.alive() == [])
    faults.act(15.0)

    assert system.alive() == ["worker-3", "worker-4"]
    assert faults.workers == 2
    assert [(mark.at_s, mark.text) for mark in faults.marks] == [
        (5.1, "workers stopped (SIGTERM)"),
        (15.0, "workers started again"),
    ]
    assert not faults.pending
    assert system.api.process.running()


async def test_a_schedule_that_is_cut_short_brings_the_workers_back(system: SleepingSystem) -> None:
    """Faults to come are left out, and so are the ends of those that did not begin."""
    faults = system.under(*parse_stop("10s@1s"), *parse_freeze("2s@20s"), Fault(30, "kill-api"))
    faults.act(1)
    api = system.api

    faults.cut_short(3)

    assert system.alive()[-2:] == ["worker-3", "worker-4"]
    assert [mark.text for mark in faults.marks] == ["workers stopped (SIGTERM)", "workers started again"]
    assert not faults.pending
    assert system.api is api


async def test_a_killed_worker_is_replaced(system: SleepingSystem) -> None:
    """At once, and the other one stays."""
    faults = system.under(Fault(1, "kill-worker"))

    faults.act(1)

    assert system.alive() == ["worker-2", "worker-3"]
    assert faults.workers == 2


async def test_a_kill_may_wait_for_the_first_finished_orders(system: SleepingSystem) -> None:
    """Then the worker has orders in flight."""
    faults = system.under(Fault(0, "kill-worker", after_finished=2))

    faults.act(5, finished=1)
    assert system.alive() == ["worker-1", "worker-2"]
    faults.act(6, finished=2)

    assert system.alive() == ["worker-2", "worker-3"]


async def test_frozen_workers_thaw(system: SleepingSystem) -> None:
    """They stay alive, and count only while they are not frozen; closing thaws them as well."""
    process = psutil.Process(system.workers[0].process.pid)
    faults = system.under(*parse_freeze("1s@1s"), *parse_freeze("1s@3s"))

    faults.act(1)
    assert faults.workers == 0
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    faults.act(2)
    assert faults.workers == 2
    await eventually(lambda: process.status() != psutil.STATUS_STOPPED)
    faults.act(3)
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    faults.close()

    await eventually(lambda: process.status() != psutil.STATUS_STOPPED)
    assert system.alive() == ["worker-1", "worker-2"]


async def test_a_worker_that_ends_on_its_own_is_replaced(system: SleepingSystem) -> None:
    """The mark says how it ended."""
    faults = system.under()

    system.workers[0].process.kill()
    faults.act(2)

    assert system.alive() == ["worker-2", "worker-3"]
    assert faults.workers == 2
    assert [mark.text for mark in faults.marks] == ["worker-1 has ended (SIGKILL), another started"]


async def test_a_worker_that_always_ends_is_not_started_for_ever(system: SleepingSystem) -> None:
    """One a second, ten in all."""
    faults = system.under()

    for second in range(30):
        for service in system.workers:
            service.process.kill()
        faults.act(second)

    assert len(system.workers) == 2 + 10
    assert faults.workers == 0
    assert faults.marks[-1].text.startswith("worker-12 has ended (SIGKILL), no other started")


async def test_an_api_that_ends_on_its_own_is_started_again(system: SleepingSystem) -> None:
    """As a worker is."""
    faults = system.under()

    system.api.process.kill()
    faults.act(1)
    faults.act(1.5)

    assert [mark.text for mark in faults.marks] == ["order-api has ended (SIGKILL), another started"]
    assert system.api.process.running()


async def test_a_killed_api_is_started_again(system: SleepingSystem) -> None:
    """At once, and its mark names the kind of fault."""
    first = system.api.process
    faults = system.under(Fault(1, "kill-api"))

    faults.act(1)

    assert not first.running()
    assert system.api.process.running()
    assert [(mark.text, mark.fault) for mark in faults.marks] == [
        ("order-api killed (SIGKILL), started again", "kill-api")
    ]


async def test_replacements_are_counted_by_the_minute(system: SleepingSystem) -> None:
    """A long run may need more than ten; ten in a row help nobody."""
    faults = system.under()

    for second in range(0, 140, 10):
        system.workers[-1].process.kill()
        faults.act(second)

    assert faults.workers == 2
    assert len(faults.marks) == 14


async def test_workers_are_scaled_up_and_down(system: SleepingSystem) -> None:
    """The last ones go first, and one that is killed later comes back to the new number."""
    faults = system.under(Fault(1, "scale", 4), Fault(2, "scale", 1), Fault(3, "kill-worker"))

    faults.act(1)
    assert system.alive() == ["worker-1", "worker-2", "worker-3", "worker-4"]
    faults.act(2)
    await eventually(lambda: system.alive() == ["worker-1"])
    faults.act(3)

    assert system.alive() == ["worker-5"]
