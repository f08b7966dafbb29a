"""The recorded state of `up`, and the end of its processes, never of others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from orderboard.errors import RigError
from orderboard.system.state import KnownProcess, State, StateFile, end, known

_SLEEPS = "import time; time.sleep(60)"
_IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def _sleeper(code: str = _SLEEPS) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that would sleep for a minute."""
    with _sleeper() as started:
        yield started
        started.kill()


def _state(*processes: KnownProcess) -> State:
    return State(
        backend="embedded",
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        stack_name="orderboard",
        prefix="orderboard",
        api_url="http://127.0.0.1:2",
        processes=processes,
    )


def test_a_process_of_ours_is_ended(process: "subprocess.Popen[bytes]") -> None:
    """A process that still is the one we started is found by its pid and ended."""
    ours = known("worker", process.pid)

    assert end((ours,), deadline_s=5) == ["worker"]
    assert ours.find() is None
    assert process.wait(timeout=5) == -signal.SIGTERM


def test_a_other_with_a_reused_pid_is_left_alone(process: "subprocess.Popen[bytes]") -> None:
    """A pid that was used again by another process, which started at another time, is not touched."""
    other = known("worker", process.pid).model_copy(update={"create_time": 1_000_000_000.0})

    assert end((other,), deadline_s=1) == []
    assert process.poll() is None


def test_ending_what_has_ended_is_fine(process: "subprocess.Popen[bytes]") -> None:
    """Processes that are gone are passed over, also before they were waited for."""
    ours = known("worker", process.pid)
    process.kill()
    process.wait()

    assert end((ours,), deadline_s=1) == []


def test_the_signal_that_ended_it_is_known_until_its_parent_reads_it(process: "subprocess.Popen[bytes]") -> None:
    """None while it runs, then the signal; None again after the wait that takes it out of the process table."""
    ours = known("worker", process.pid)
    assert ours.ending() is None

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert ours.ending() == "SIGKILL"

    process.wait()
    assert ours.ending() is None


def test_one_that_ignores_sigterm_is_killed_after_the_deadline() -> None:
    """SIGTERM is a request with a deadline; after that the process is killed."""
    with _sleeper(_IGNORES_SIGTERM) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()

        started = time.monotonic()
        end((known("worker", stubborn.pid),), deadline_s=0.3)

        assert time.monotonic() - started >= 0.3
        assert stubborn.wait(timeout=5) == -signal.SIGKILL


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """State survives the command that wrote it, until it is forgotten; forgetting twice is fine."""
    file = StateFile(tmp_path)
    written = _state(KnownProcess(name="order-api", pid=1, create_time=2.5))

    file.write(written)
    assert file.read() == written

    file.forget()
    file.forget()
    assert file.read() is None


def test_damaged_state_is_an_error_with_its_fix(tmp_path: Path) -> None:
    """A state file that cannot be read is named, instead of being taken for nothing."""
    (tmp_path / "state.json").write_text("{")

    with pytest.raises(RigError, match=r"state\.json is damaged"):
        StateFile(tmp_path).read()


def test_only_one_up_or_down_at_a_time(tmp_path: Path) -> None:
    """A second command that starts or ends things is refused while the first runs, and not after."""
    with StateFile(tmp_path).locked(), pytest.raises(RigError, match="running here"), StateFile(tmp_path).locked():
        pass

    with StateFile(tmp_path).locked():
        pass
