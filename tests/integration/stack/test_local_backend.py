"""embedded and ministack start, and leave nothing behind, however their starter or a part of them ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from integration.stack import sample_events
from integration.stack.traffic import put
from orderboard_stack.backend import HEALTH_PATHS
from orderboard_stack.deploy import deploy
from orderboard_stack.local_backend import (
    LOCAL_NAMES,
    LocalName,
    LocalStartError,
    local_backend,
    start_local,
)
from orderboard_stack.local_processes import read_engines, stop_local
from orderboard_stack.process import read_json
from support.stack import DeployedStack
from support.waiting import eventually

STARTER = """
import sys, time
from pathlib import Path
from orderboard_stack.local_backend import start_local
backend = start_local(sys.argv[4], Path(sys.argv[1]), detached=sys.argv[2] == "detached")
print(backend.pid, backend.endpoint.endpoint_url, flush=True)
time.sleep(600 if sys.argv[3] == "stay" else 0)
"""


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    """The log of a backend of this test; its files are beside it."""
    return tmp_path / "backend.log"


@pytest.fixture(params=LOCAL_NAMES)
def name(request: pytest.FixtureRequest) -> LocalName:
    """Each of them in turn."""
    which: LocalName = request.param
    return which


@pytest.fixture
def starters() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes of this test, ended after it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start_in_a_process(
    log_path: Path, name: LocalName, how: str, then: str
) -> tuple["subprocess.Popen[str]", int, str]:
    """Start a backend from another process; return that process, the backend's pid and its address."""
    arguments = [sys.executable, "-c", STARTER, str(log_path), how, then, name]
    starter = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid, url = starter.stdout.readline().split()
    return starter, int(pid), url


def is_backend(process: psutil.Process) -> bool:
    """Return whether it is one of ours, and not that of the session."""
    return "test_it_leaves_only_its_log" in " ".join(process.cmdline())


def family(pid: int) -> set[int]:
    """The living processes of a session: a backend is one."""
    members = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                members.add(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def answers(endpoint_url: str) -> bool:
    """Return whether a backend is there, MiniStack included, which answers through localbus too."""
    return read_json(f"{endpoint_url}{HEALTH_PATHS['ministack']}", 2) is not None


def only(path: Path) -> set[str]:
    """The names in a folder."""
    return {each.name for each in path.iterdir()}


async def test_it_leaves_only_its_log(log_path: Path, name: LocalName, host_notifier_zip: Path) -> None:
    """It listens on the loopback only; after the with block neither an engine nor a function's process nor a file of
    theirs is left.
    """
    temporary_before = only(Path(tempfile.gettempdir()))

    with local_backend(name, log_path) as endpoint:
        session = endpoint.session()
        runtime = {"NotifierRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}"}
        outputs = deploy(session, endpoint.endpoint_url, notifier_zip=host_notifier_zip, parameters=runtime)
        stack = DeployedStack(name="orderboard", prefix="orderboard", endpoint=endpoint, outputs=outputs)
        put(stack, sample_events.rejected())
        await eventually(lambda: stack.receive(outputs.inbox_queue), within_s=15)
        (listener,) = (child for child in psutil.Process().children() if is_backend(child))
        members = family(listener.pid)
        listening = {
            connection.laddr.ip
            for pid in members
            for connection in psutil.Process(pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }

    assert listening == {"127.0.0.1"}
    assert len(members) == {"embedded": 4, "ministack": 2}[name], "the engines, their keeper and one function"
    await eventually(lambda: not family(listener.pid))
    assert only(log_path.parent) == {log_path.name}
    assert not {name for name in only(Path(tempfile.gettempdir())) - temporary_before if name.startswith("ministack")}


async def test_it_ends_when_its_starter_is_killed(
    log_path: Path, name: LocalName, starters: list["subprocess.Popen[str]"]
) -> None:
    """SIGKILL of the process that started it ends it too, and its files go."""
    starter, pid, url = start_in_a_process(log_path, name, "attached", "stay")
    starters.append(starter)
    assert answers(url)

    starter.send_signal(signal.SIGKILL)

    await eventually(lambda: not family(pid))
    assert only(log_path.parent) == {log_path.name}


async def test_an_engine_that_is_killed_is_started_again(log_path: Path) -> None:
    """It answers on the same port, its functions have ended, and how often it happened is recorded."""
    backend = start_local("embedded", log_path)
    urls = {"localbus": backend.endpoint.endpoint_url, "MiniStack": backend.endpoint.upstream_url}
    try:
        for name, url in urls.items():
            before = read_engines(log_path)[name]
            assert before.pid is not None

            os.kill(before.pid, signal.SIGKILL)

            await eventually(lambda: read_engines(log_path)[name].pid != before.pid, within_s=10)  # noqa: B023
            await eventually(lambda: answers(str(url)), within_s=30)  # noqa: B023
            after = read_engines(log_path)[name]
            assert (before.restarts, before.last_ending) == (0, None)
            assert (after.restarts, after.last_ending) == (1, "SIGKILL")
    finally:
        backend.stop()


@pytest.mark.parametrize("how", ["attached", "detached"])
async def test_no_engine_outlives_the_process_that_keeps_it(
    log_path: Path, starters: list["subprocess.Popen[str]"], how: str
) -> None:
    """If the process that keeps the engines is killed, they do not go on without it, and their files go."""
    starter, pid, _ = start_in_a_process(log_path, "embedded", how, "stay")
    starters.append(starter)
    assert len(family(pid)) == 3

    os.kill(pid, signal.SIGKILL)

    await eventually(lambda: not family(pid))
    await eventually(lambda: only(log_path.parent) == {log_path.name})


async def test_a_detached_one_outlives_its_starter(
    log_path: Path, name: LocalName, starters: list["subprocess.Popen[str]"]
) -> None:
    """`orderboard up` goes and the backend stays, until somebody stops it by its pid."""
    starter, pid, url = start_in_a_process(log_path, name, "detached", "go")
    starters.append(starter)
    await eventually(lambda: starter.poll() == 0)

    assert answers(url)
    assert stop_local(pid, log_path) is True

    await eventually(lambda: not family(pid))
    assert only(log_path.parent) == {log_path.name}
    assert stop_local(pid, log_path) is False


def test_a_process_of_somebody_else_is_left_alone(log_path: Path, starters: list["subprocess.Popen[str]"]) -> None:
    """A pid that was used again is not ours to stop."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)
    starters.append(stranger)

    assert stop_local(stranger.pid, log_path) is False

    assert stranger.poll() is None


def test_a_taken_port_is_named(log_path: Path, name: LocalName) -> None:
    """A chosen port that is taken is an error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LocalStartError, match=f"Port {port}"):
            start_local(name, log_path, port=port)


def test_a_failed_start_shows_the_log(log_path: Path, name: LocalName) -> None:
    """The error shows the engine's output, and nothing keeps running."""
    with pytest.raises(LocalStartError, match=r"(?s)backend\.log.*(expected 0 to 65535|port must be 0-65535)"):
        start_local(name, log_path, port=70_000)

    assert only(log_path.parent) == {log_path.name}
