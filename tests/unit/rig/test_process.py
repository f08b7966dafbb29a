"""Child processes: readiness, errors at start, deadlines, and the end of a parent that was killed."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from orderboard.system.process import NotReadyError, start, stop_all, wait_ready
from orderboard_stack.process import free_port

_SERVES = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
_PARENT = """
import os, sys, time
from pathlib import Path
from orderboard.system.process import start
sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
child = start("child", sleeps, os.environ, Path(sys.argv[1]), outlives_us=False)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_ready_when_it_answers(tmp_path: Path) -> None:
    """A process is ready when its address answers 200, and SIGTERM ends it."""
    port = free_port()
    child = start("api", [sys.executable, "-c", _SERVES, str(port)], {}, tmp_path / "api.log", outlives_us=False)

    wait_ready(child, f"http://127.0.0.1:{port}/", deadline_s=10)
    assert child.running()

    stop_all([child], deadline_s=5)
    assert child.popen.returncode == -signal.SIGTERM


def test_one_that_dies_at_start_shows_its_log(tmp_path: Path) -> None:
    """The error for a process that ends before it is ready has its exit code and the end of its log."""
    child = start("api", [sys.executable, "-c", "raise SystemExit('no topic')"], {}, tmp_path / "l", outlives_us=False)

    with pytest.raises(NotReadyError, match=r"api ended \(exit code 1\)(.|\n)*no topic"):
        wait_ready(child, f"http://127.0.0.1:{free_port()}/", deadline_s=10)


def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    """A process that runs and does not answer is given up after the deadline."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = start("api", sleeps, {}, tmp_path / "api.log", outlives_us=False)

    with pytest.raises(NotReadyError, match="not ready within"):
        wait_ready(child, f"http://127.0.0.1:{free_port()}/", deadline_s=0.2)

    stop_all([child], deadline_s=5)


def test_another_process_at_its_port_does_not_make_it_ready(tmp_path: Path) -> None:
    """The answer of another process that took the port first does not make ours ready."""
    port = free_port()
    serves, sleeps = [sys.executable, "-c", _SERVES, str(port)], [sys.executable, "-c", "import time; time.sleep(60)"]
    other = start("other", serves, {}, tmp_path / "other.log", outlives_us=False)
    wait_ready(other, f"http://127.0.0.1:{port}/", deadline_s=10)
    child = start("api", sleeps, {}, tmp_path / "api.log", outlives_us=False)

    with pytest.raises(NotReadyError, match="not ready within"):
        wait_ready(child, f"http://127.0.0.1:{port}/", deadline_s=0.5)

    stop_all([other, child], deadline_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    """Even SIGKILL on the parent, which runs no clean-up at all, takes the child along."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path / "child.log")], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

        _, alive = psutil.wait_procs([child], timeout=5)
        assert not alive
