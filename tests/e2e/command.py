"""Runs the `orderboard` command as a user would, and finds what it leaves behind."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ORDERBOARD = Path(sys.executable).with_name("orderboard")
# What a user's shell may have, and what must not matter on a local backend.
_A_USERS = {
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
    "AWS_PROFILE": "one that is gone",
    "AWS_SESSION_TOKEN": "a user's own",
}


class Command:
    """The command, with a state folder for one test."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        environment: dict[str, str] | None = None,
        within_s: float = 170,
    ) -> "subprocess.CompletedProcess[str]":
        """Run it to its end."""
        return subprocess.run(
            [str(ORDERBOARD), *arguments],
            input=stdin,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it in a new process group, as a shell would."""
        return subprocess.Popen(
            [str(ORDERBOARD), *arguments],
            env=self._environment(None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def _environment(self, more: dict[str, str] | None) -> dict[str, str]:
        return {**os.environ, **_A_USERS, "ORDERBOARD_STATE_DIR": str(self.state_dir), **(more or {})}


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Read the process's stderr up to the line that has this text."""
    assert process.stderr is not None
    output = ""
    for line in process.stderr:
        output += line
        if text in line:
            return output
    raise AssertionError(f"it ended without saying {text!r}:\n{output}")


def family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The process's children, theirs and so on."""
    return psutil.Process(process.pid).children(recursive=True)


def still_running(processes: Sequence[psutil.Process], *, within_s: float = 5) -> list[psutil.Process]:
    """Those that have not ended within the time. One that only waits to be reaped has ended."""
    until = time.monotonic() + within_s
    while True:
        alive = [each for each in processes if _runs(each)]
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
