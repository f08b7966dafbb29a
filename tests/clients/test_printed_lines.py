"""The aws commands that `orderboard up` and the console print, run as they stand.

Slow: a system starts and stops.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clients.installed import aws_cli
from e2e.command import Command


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The output of `orderboard up` for a terminal, while the system runs."""
    orderboard = Command(tmp_path_factory.mktemp("orderboard") / "state")
    up = orderboard.run("up")
    assert up.returncode == 0, up.stderr
    yield up.stdout
    orderboard.run("down")


def _run(line: str, home: Path) -> str:
    """The output of a line in the shell of a user with the AWS CLI and without any AWS setting."""
    path = f"{aws_cli().parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={"HOME": str(home), "PATH": path, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_the_line_of_up(printed: str, tmp_path: Path) -> None:
    """`orderboard aws` shows the work queue, without `export` before it and with any AWS CLI."""
    [line] = [one.strip() for one in printed.splitlines() if " aws " in one and " sqs " in one]

    shown = json.loads(_run(line, tmp_path))

    assert shown["Attributes"]["QueueArn"].endswith(":orderboard-work")


@pytest.mark.parametrize("action", ["work.purge", "mapping", "replay"])
def test_the_lines_of_the_console(printed: str, tmp_path: Path, action: str) -> None:
    """The command beside a control works for a user without any AWS setting."""
    found = re.search(r"console\s+(http://\S+)", printed)
    assert found is not None, printed
    with httpx.stream("GET", f"{found[1]}/api/events", trust_env=False, timeout=30) as events:
        data = next(line for line in events.iter_lines() if line.startswith("data: {") and '"controls"' in line)

    _run(json.loads(data.removeprefix("data: "))["controls"][action]["command"], tmp_path)
