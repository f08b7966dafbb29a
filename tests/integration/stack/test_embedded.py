"""The embedded backend starts where it is told, and leaves nothing behind, however its starter ends."""

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
from integration.stack import said
from integration.stack.ways import put
from orderboard_stack.backend import read_json
from orderboard_stack.deploy import deploy
from orderboard_stack.embedded import EmbeddedStartError, embedded, start_embedded, stop_embedded
from support import DeployedStack, eventually

STARTER = """
import sys, time
from pathlib import Path
from orderboard_stack.embedded import start_embedded
backend = start_embedded(Path(sys.argv[1]), detached=sys.argv[2] == "detached")
print(backend.pid, backend.endpoint.endpoint_url, flush=True)
time.sleep(600 if sys.argv[3] == "stay" else 0)
"""


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    """Where a backend of this test writes its log; its files lie beside it."""
    return tmp_path / "ministack.log"


@pytest.fixture
def starters() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes of this test, ended after it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start_in_a_process(log_path: Path, how: str, then: str) -> tuple["subprocess.Popen[str]", int, str]:
    """Start a backend from a process of its own; return that process, the backend's pid and its address."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, log_path, how, then], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid, url = starter.stdout.readline().split()
    return starter, int(pid), url


def is_backend(process: psutil.Process) -> bool:
    """Whether it is one of ours, and not that of the session."""
    return "test_it_leaves_only_its_log" in " ".join(process.cmdline())


def group(pid: int) -> set[int]:
    """The living processes of a process group."""
    members = set()
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                members.add(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def answers(endpoint_url: str) -> bool:
    """Whether a backend is there."""
    return read_json(f"{endpoint_url}/_ministack/health", 2) is not None


def only(path: Path) -> set[str]:
    """The names in a folder."""
    return {each.name for each in path.iterdir()}


async def test_it_leaves_only_its_log(log_path: Path, host_notifier_zip: Path) -> None:
    """After the with block neither MiniStack nor a function's process nor a file of theirs is left."""
    temporary_before = only(Path(tempfile.gettempdir()))

    with embedded(log_path) as endpoint:
        session = endpoint.session()
        runtime = {"NotifierRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}"}
        outputs = deploy(session, endpoint.endpoint_url, notifier_zip=host_notifier_zip, parameters=runtime)
        stack = DeployedStack("orderboard", "orderboard", endpoint, outputs, session)
        put(stack, said.rejected())
        await eventually(lambda: stack.receive(outputs.inbox_queue), within_s=15)
        (listener,) = (child for child in psutil.Process().children() if is_backend(child))
        members = group(listener.pid)

    assert len(members) == 2, "MiniStack and one function"
    await eventually(lambda: not group(listener.pid))
    assert only(log_path.parent) == {log_path.name}
    assert not {name for name in only(Path(tempfile.gettempdir())) - temporary_before if name.startswith("ministack")}


def test_it_listens_on_the_loopback_only(log_path: Path) -> None:
    """Nobody else on the network reaches it."""
    backend = start_embedded(log_path)

    listening = {
        connection.laddr.ip
        for connection in psutil.Process(backend.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    backend.stop()

    assert listening == {"127.0.0.1"}


async def test_it_ends_when_its_starter_is_killed(log_path: Path, starters: list["subprocess.Popen[str]"]) -> None:
    """SIGKILL of the process that started it ends it too, and its files go."""
    starter, pid, url = start_in_a_process(log_path, "attached", "stay")
    starters.append(starter)
    assert answers(url)

    starter.send_signal(signal.SIGKILL)

    await eventually(lambda: not group(pid))
    assert only(log_path.parent) == {log_path.name}


async def test_a_detached_one_outlives_its_starter(log_path: Path, starters: list["subprocess.Popen[str]"]) -> None:
    """`orderboard up` goes and the backend stays, until somebody stops it by its pid."""
    starter, pid, url = start_in_a_process(log_path, "detached", "go")
    starters.append(starter)
    await eventually(lambda: starter.poll() == 0)

    assert answers(url)
    assert stop_embedded(pid, log_path) is True

    await eventually(lambda: not group(pid))
    assert only(log_path.parent) == {log_path.name}
    assert stop_embedded(pid, log_path) is False


def test_a_process_of_somebody_else_is_left_alone(log_path: Path, starters: list["subprocess.Popen[str]"]) -> None:
    """A pid that was used again is not ours to stop."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)
    starters.append(stranger)

    assert stop_embedded(stranger.pid, log_path) is False

    assert stranger.poll() is None


def test_a_taken_port_is_named(log_path: Path) -> None:
    """A port of one's own choice that is taken is an error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(EmbeddedStartError, match=f"Port {port}"):
            start_embedded(log_path, port=port)


def test_a_failed_start_shows_the_log(log_path: Path) -> None:
    """Whoever reads the error sees what MiniStack wrote, and nothing keeps running."""
    with pytest.raises(EmbeddedStartError, match=r"(?s)ministack\.log.*port must be 0-65535"):
        start_embedded(log_path, port=70_000)

    assert only(log_path.parent) == {log_path.name}
