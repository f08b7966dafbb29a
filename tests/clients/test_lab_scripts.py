"""`orderboard lab code --cli`: the script of each experiment, run as it is printed, with the AWS CLI."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from clients.installed import aws_cli
from clients.warm_cli import warm_cli
from orderboard.lab.backend import LabBackend, lab_backend
from orderboard.lab.catalogue import Entry, everything, find
from orderboard.lab.programs import cli_program

# The environment is that of a person without any AWS setting; the scripts bring what a local engine needs.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def backend() -> Iterator[LabBackend]:
    """An embedded backend whose clock can be turned."""
    with lab_backend("embedded", None) as found:
        yield found


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an AWS CLI that starts at once."""
    home = tmp_path_factory.mktemp("home")
    environment = {**CREDENTIALS, "HOME": str(home), "PATH": os.environ["PATH"], "AWS_MAX_ATTEMPTS": "1"}
    with warm_cli(tmp_path_factory.mktemp("warm"), environment) as folder:
        yield folder


def _run(script: str, programs: Path, backend: LabBackend, home: Path) -> subprocess.CompletedProcess[str]:
    (home / "script.sh").write_text(script)
    return subprocess.run(
        ["bash", "script.sh"],
        cwd=home,
        env={
            "HOME": str(home),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": backend.endpoint.endpoint_url or "",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("entry", everything(), ids=lambda entry: entry.name)
def test_a_script_reproduces_its_experiment(entry: Entry, warm: Path, backend: LabBackend, tmp_path: Path) -> None:
    """Each check of the experiment holds, in the order of the steps, and nothing else is printed as an error."""
    done = _run(cli_program(entry), warm, backend, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
