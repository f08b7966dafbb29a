"""`orderboard down`: how long it waits, and what Ctrl-C does meanwhile."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from orderboard.system import lifecycle
from orderboard.system.lifecycle import down
from orderboard.system.state import State, StateFile, known
from orderboard.system.workspace import Workspace

# It drains for long: SIGTERM is answered with a line, and does not end it.
_DRAINS = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('drains', flush=True)); "
    "print('ready', flush=True); [time.sleep(1) for _ in range(60)]"
)


@pytest.fixture
def worker() -> "Iterator[subprocess.Popen[str]]":
    """A worker with an order in progress."""
    with subprocess.Popen([sys.executable, "-c", _DRAINS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def workspace(tmp_path: Path, worker: "subprocess.Popen[str]") -> Workspace:
    """A workspace in which this worker runs."""
    state = State(
        backend="embedded",
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        stack_name="orderboard",
        prefix="orderboard",
        api_url="http://127.0.0.1:2",
        processes=(known("worker-1", worker.pid),),
    )
    StateFile(tmp_path).write(state)
    return Workspace(tmp_path, tmp_path)


# `down` as a process: a signal may come at any moment, also while it reads a file.
_DOWN = """
import json, pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may make its background jobs ignore it
from orderboard.system.lifecycle import down
from orderboard.system.workspace import Workspace
folder = pathlib.Path(sys.argv[1])
said = []
ended = down(Workspace(folder, folder), now=False, progress=said.append)
print(json.dumps([said, ended]))
"""


def test_ctrl_c_ends_a_long_wait_and_nothing_is_left(workspace: Workspace, worker: "subprocess.Popen[str]") -> None:
    """The first lines say how long it may take and how to hurry; Ctrl-C kills the worker, and `down` goes on."""
    assert worker.stdout is not None
    with subprocess.Popen(
        [sys.executable, "-c", _DOWN, str(workspace.state_dir)], stdout=subprocess.PIPE, text=True
    ) as ending:
        assert worker.stdout.readline() == "drains\n"
        ending.send_signal(signal.SIGINT)
        printed, _ = ending.communicate(timeout=30)
    said, result = json.loads(printed)

    assert said == [
        "Stopping order-api and workers. They finish their orders first, in 25 s at most; to end them at once: Ctrl-C, "
        "or `orderboard down --now`.",
        "Ending them at once. Their messages return to the queues.",
    ]
    assert (result, worker.wait()) == ([["worker-1"], None], -signal.SIGKILL)
    assert StateFile(workspace.state_dir).read() is None


def test_now_does_not_wait(workspace: Workspace, worker: "subprocess.Popen[str]") -> None:
    """Nothing is to be said, and the worker is killed."""
    said: list[str] = []

    assert down(workspace, now=True, progress=said.append) == (["worker-1"], None)
    assert (said, worker.wait()) == ([], -signal.SIGKILL)


def test_a_later_ctrl_c_says_what_still_runs(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the backend ends, `down` can be broken off; the state stays, so that the next `down` goes on."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "_end_services", lambda *_, **__: None)
    monkeypatch.setattr(lifecycle, "_end_backend", interrupted)

    with pytest.raises(KeyboardInterrupt) as raised:
        down(workspace, now=False, progress=lambda _: None)

    assert str(raised.value) == "Interrupted. Still running: worker-1. Go on with: orderboard down"
    assert StateFile(workspace.state_dir).read() is not None
