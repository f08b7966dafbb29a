"""localbus used alone: from the command line, and as a pytest fixture."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx
from localbus.pytest_plugin import Localbus


def test_the_command_line() -> None:
    """It says where it listens, is ready within a second or so, and ends at once on SIGTERM."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "localbus", "--port", "0", "--manual-clock"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None

    line = process.stdout.readline()

    assert line.startswith("localbus listens on http://127.0.0.1:")
    assert time.monotonic() - started < 5
    assert httpx.get(f"{line.split()[-1]}/_localbus/clock").json()["manual"] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    process.stdout.close()


def test_a_port_that_there_is_not() -> None:
    """It is refused, and not taken for another."""
    done = subprocess.run(
        [sys.executable, "-m", "localbus", "--port", "70000"], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 2
    assert "port must be 0-65535" in done.stderr


def test_the_fixture_is_quick(localbus: Localbus) -> None:
    """A fresh engine takes less than 200 ms; of three tries the best, because the machine may be busy."""
    took_s = []
    for _ in range(3):
        started = time.monotonic()
        another = Localbus().start()
        took_s.append(time.monotonic() - started)
        assert another.url != localbus.url
        another.stop()

    assert min(took_s) < 0.2
