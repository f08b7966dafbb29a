"""localbus used alone: from the command line, and as a pytest fixture."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
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


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, to its end."""
    command = [sys.executable, "-m", "localbus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def test_a_port_that_is_taken() -> None:
    """It says so in a line, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]))

    assert done.returncode == 1
    assert re.fullmatch(r"localbus: port \d+ of 127.0.0.1 is already in use. Choose another .*\n", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "port must be 0-65535"),
        (["--port", "x"], "port must be 0-65535"),
        (["--upstream", "127.0.0.1:4567"], "is no URL of an engine"),
        (["--disorder", "duplicate=1"], "unknown setting 'duplicate': expected seed, duplicates"),
        (["--disorder", "duplicates"], "invalid duplicates '': expected a number"),
        (["--disorder", "duplicates=2"], "invalid duplicates 2.0: expected a probability from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_for(arguments: list[str], told: str) -> None:
    """A mistake on the command line is named, without a traceback."""
    done = run(*arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_version() -> None:
    """Every option is explained, and the version told."""
    text = run("--help").stdout

    for option in (
        "--port",
        "--upstream",
        "--disorder",
        "--allow-origin",
        "--manual-clock",
        "--no-policies",
        "--version",
    ):
        assert option in text
    assert re.fullmatch(r"localbus \d+\.\d+\.\d+\n", run("--version").stdout)


def test_ctrl_c_is_quiet() -> None:
    """An interrupt ends it without a word, also with clients that wait."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localbus", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]

    with httpx.stream("GET", f"{url}/_localbus/journal?follow=1") as following:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)
        with pytest.raises(httpx.TransportError):
            following.read()

    assert (process.returncode, errors) == (0, "")
