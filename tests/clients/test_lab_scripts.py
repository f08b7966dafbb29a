"""`orderboard lab code --cli`: the script of each experiment, run as it is printed, with the AWS CLI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from clients.installed import aws_cli
from orderboard.errors import UsageError
from orderboard.lab.backend import LabBackend, lab_backend
from orderboard.lab.catalogue import Entry, find
from orderboard.lab.programs import cli_program
from orderboard.lab.steps import Call
from orderboard_stack.backend import Endpoint
from support.lab_programs import RECORDED, all_hold, covering, verdicts, with_odd_texts, with_wrong_expectation

# The environment is that of a person without any AWS setting; the scripts bring what a local engine needs.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def backend() -> Iterator[LabBackend]:
    """An embedded backend whose clock can be turned."""
    with lab_backend("embedded", None) as found:
        yield found


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


# `make lab` runs all of them, for a minute; otherwise some that together have everything that a script can have.
SCRIPTS: Final = RECORDED if os.environ.get("ORDERBOARD_ALL_SCRIPTS") else covering(RECORDED)


@pytest.mark.parametrize("entry", SCRIPTS, ids=lambda entry: entry.name)
def test_a_script_reproduces_its_experiment(entry: Entry, warm: Path, backend: LabBackend, tmp_path: Path) -> None:
    """The script says of each check that it holds, in the order of the steps, and leaves nothing behind."""
    done = _run(cli_program(entry), warm, backend, tmp_path)

    assert (verdicts(done.stdout), done.returncode) == (all_hold(entry), 0), done.stdout + done.stderr
    assert "Not removed" not in done.stdout
    assert done.stderr == ""


def test_no_text_has_a_meaning(warm: Path, backend: LabBackend, tmp_path: Path) -> None:
    """Quotes, dollars and the like arrive as they are, in messages, attributes, JSON, lists and sentences."""
    entry = with_odd_texts()

    done = _run(cli_program(entry), warm, backend, tmp_path)

    assert (verdicts(done.stdout), done.returncode) == (all_hold(entry), 0), done.stdout + done.stderr
    assert done.stderr == ""


def test_the_cli_as_it_is_installed(backend: LabBackend, tmp_path: Path) -> None:
    """A person without any AWS setting runs a script; a wrong expectation makes it exit with 1."""
    entry, lines = with_wrong_expectation()

    done = _run(cli_program(entry), aws_cli().parent, backend, tmp_path)

    assert verdicts(done.stdout) == lines, done.stderr
    assert done.returncode == 1


def test_a_call_that_fails_makes_a_difference(warm: Path, backend: LabBackend, tmp_path: Path) -> None:
    """A call that must succeed fails: the script shows the CLI's error, removes its queue, and exits with 1."""
    entry = find("sqs-delay-fifo")
    entry.experiment.steps.insert(-1, Call(entry.experiment.you.party, "sqs", "get_queue_url", {"QueueName": "none"}))

    done = _run(cli_program(entry), warm, backend, tmp_path)

    assert done.returncode == 1
    assert "An error occurred (AWS.SimpleQueueService.NonExistentQueue)" in done.stderr
    assert "DIFFERS  a call failed" in done.stdout
    assert "Not removed" not in done.stdout


def test_without_localbus_disorder_cannot_occur(warm: Path, backend: LabBackend, tmp_path: Path) -> None:
    """A script with settings of localbus says on another engine that it cannot occur, and makes nothing."""
    upstream = replace(backend, endpoint=Endpoint("ministack", backend.endpoint.upstream_url))

    done = _run(cli_program(find("sqs-at-least-once")), warm, upstream, tmp_path)

    assert done.returncode == 2
    assert done.stdout.startswith("Cannot occur here")


def test_an_experiment_that_is_a_program() -> None:
    """An experiment with threads and servers cannot be a script; the error says so, and what to take instead."""
    with pytest.raises(UsageError, match="--boto3"):
        cli_program(find("coupling-tight-or-loose"))
