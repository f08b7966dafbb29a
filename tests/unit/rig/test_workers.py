"""Actions on the workers of `up`, which are here processes that sleep: the right one gets the right signal."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from orderboard.errors import RigError, UsageError
from orderboard.system.process import ChildProcess, NotReadyError
from orderboard.system.services import Service, ServiceOptions
from orderboard.system.state import KnownProcess, State, StateFile, known
from orderboard.system.target import Target
from orderboard.system.workers import Action, Workers, condition
from orderboard.system.workspace import Workspace
from support.waiting import poll_until


class FakeService(Service):
    """A service that is ready as long as it runs."""

    def wait(self) -> None:
        """Wait for a process that ends at once."""
        with suppress(subprocess.TimeoutExpired):
            self.process.popen.wait(0.2)
            raise NotReadyError("it ended")


@pytest.fixture
def sleepers() -> "Iterator[dict[str, subprocess.Popen[bytes]]]":
    """Two workers and order-api."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    started = {name: subprocess.Popen(command) for name in ("order-api", "worker-1", "worker-2")}
    yield started
    for each in started.values():
        each.kill()
        each.wait()


@pytest.fixture
def workers(tmp_path: Path, sleepers: "dict[str, subprocess.Popen[bytes]]") -> Workers:
    """The workers of a system of these processes."""
    files = StateFile(tmp_path)
    files.write(
        State(
            backend="embedded",
            endpoint_url="http://127.0.0.1:1",
            region="us-east-1",
            stack_name="orderboard",
            prefix="orderboard",
            api_url="http://127.0.0.1:2",
            worker_environment={"ORDERBOARD_PREPARATION_MS": "50"},
            processes=tuple(known(name, each.pid) for name, each in sleepers.items()),
        )
    )
    return Workers(Workspace(tmp_path, tmp_path), files.read, _no_target)


def _no_target() -> Target:
    raise RigError("no target is needed")


def _is(worker: KnownProcess, wanted: str) -> bool:
    return condition(worker) == wanted


def test_only_workers_are_workers(workers: Workers) -> None:
    """order-api is not one; a number is enough for a name."""
    assert [each.name for each in workers.all()] == ["worker-1", "worker-2"]
    assert workers.named("2") == workers.named("worker-2")
    for name in ("order-api", "worker-3", "", "worker-"):
        with pytest.raises(UsageError, match=f"Unknown worker '{name}': expected worker-1 or worker-2"):
            workers.act(name, "kill")


def test_each_action_has_its_effect(workers: Workers) -> None:
    """Frozen, thawed, and frozen again; a frozen worker can be stopped. The other one runs on."""
    for action, wanted in (("freeze", "frozen"), ("thaw", "running"), ("freeze", "frozen"), ("stop", "stopped")):
        worker = workers.act("worker-1", action)  # type: ignore[arg-type]
        poll_until(partial(_is, worker, wanted))

    assert condition(workers.named("worker-2")) == "running"


@pytest.mark.parametrize(
    ("before", "action", "reason"),
    [
        ([], "start", "worker-1 is already running."),
        ([], "thaw", "worker-1 is not frozen."),
        (["freeze"], "freeze", "worker-1 is already frozen."),
        (["freeze"], "start", "worker-1 is already running."),
        (["kill"], "stop", "worker-1 is not running. Start it: orderboard worker start worker-1"),
        (["kill"], "freeze", "worker-1 is not running. Start it: orderboard worker start worker-1"),
    ],
)
def test_an_action_without_an_effect_says_why(
    workers: Workers, before: list[Action], action: Action, reason: str
) -> None:
    """The reason is known before, so that a page can disable its control."""
    worker = workers.named("worker-1")
    for each in before:
        workers.act("worker-1", each)
        poll_until(lambda: not _is(worker, "running"))

    assert workers.refusal(worker, action) == reason
    with pytest.raises(RigError) as error:
        workers.act("worker-1", action)
    assert str(error.value) == reason


def test_a_setting_with_which_no_worker_starts_is_undone(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that ran run again, as they were; one that was stopped stays so. A valid setting replaces them too.

    Their number can be changed: stopped ones start first, and those with the highest numbers end.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(_endpoint: object, _outputs: object, options: ServiceOptions, number: int) -> Service:
        bad = options.worker_environment["ORDERBOARD_PREPARATION_MS"] == "soon"
        command = [sys.executable, "-c", "pass" if bad else "import time; time.sleep(60)"]
        started.append(subprocess.Popen(command))
        return FakeService(ChildProcess(f"worker-{number}", started[-1], tmp_path / "log"), "http://127.0.0.1:1")

    monkeypatch.setattr("orderboard.system.workers.start_worker", start)
    monkeypatch.setattr(workers, "target", lambda: SimpleNamespace(endpoint=None, outputs=None))
    workers.act("worker-2", "kill")
    poll_until(lambda: _is(workers.named("worker-2"), "stopped"))
    first = workers.named("worker-1")
    try:
        with pytest.raises(NotReadyError):
            workers.set_environment({"ORDERBOARD_PREPARATION_MS": "soon"})
        assert workers.environment == {"ORDERBOARD_PREPARATION_MS": "50"}
        assert [condition(each) for each in (first, *workers.all())] == ["stopped", "running", "stopped"]

        workers.set_environment({"ORDERBOARD_PREPARATION_MS": "70"})
        assert workers.environment == {"ORDERBOARD_PREPARATION_MS": "70"}
        assert workers.add().name == "worker-3"
        assert [condition(each) for each in workers.all()] == ["running", "stopped", "running"]

        assert workers.scale(4) == [("start", "worker-2"), ("add", "")]
        assert [condition(each) for each in workers.all()] == ["running"] * 4
        assert workers.scale(1) == [("stop", "worker-2"), ("stop", "worker-3"), ("stop", "worker-4")]
        assert [each.name for each in workers.all()] == ["worker-1"]
    finally:
        for each in started:
            each.kill()
            each.wait()


def test_the_first_worker_is_kept_alone(workers: Workers, sleepers: "dict[str, subprocess.Popen[bytes]]") -> None:
    """The others are ended and forgotten, also those that were stopped before."""
    workers.keep_first()

    assert [(each.name, condition(each)) for each in workers.all()] == [("worker-1", "running")]
    assert sleepers["worker-2"].wait(5) == -signal.SIGTERM
    assert sleepers["order-api"].poll() is None


def test_without_a_system_there_is_nothing_to_act_on(tmp_path: Path) -> None:
    """No worker is listed, and every action is an error."""
    workers = Workers(Workspace(tmp_path, tmp_path), StateFile(tmp_path).read, _no_target)

    assert workers.all() == []
    for act in (workers.add, lambda: workers.act("worker-1", "kill"), lambda: workers.set_environment({})):
        with pytest.raises(RigError, match="not started on this machine"):
            act()
