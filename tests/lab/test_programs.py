"""`orderboard lab code --boto3`: the program of each experiment, run as it is printed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from orderboard.lab.backend import LabBackend
from orderboard.lab.catalogue import Entry, find
from orderboard.lab.programs import boto3_program
from orderboard.lab.result import Outcome
from orderboard.lab.run import Runner
from orderboard.system.localbus import DELIVERY_FAULTS
from support.lab_programs import RECORDED, all_hold, verdicts, with_odd_texts, with_wrong_expectation

RUFF: Final = [sys.executable, "-m", "ruff"]
AWS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN")

Loaded = Callable[[Entry], dict[str, Any]]


@pytest.fixture
def loaded(manual_backend: LabBackend, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Loads the text of a program in this process, for the embedded backend and without any AWS setting."""
    for name in AWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", manual_backend.endpoint.endpoint_url or "")

    def load(entry: Entry) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": "program"}
        exec(compile(boto3_program(entry), f"{entry.name}.py", "exec"), names)  # noqa: S102 - the text is under test
        return names

    return load


@pytest.mark.parametrize("entry", RECORDED, ids=lambda entry: entry.name)
def test_a_program_reproduces_its_experiment(entry: Entry, loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    """The program says of each check that it holds, in the order of the steps, and leaves nothing behind."""
    program = loaded(entry)

    code = program["main"]()

    output = capsys.readouterr().out
    assert (verdicts(output), code) == (all_hold(entry), 0), output
    assert "Not removed" not in output


def test_no_text_has_a_meaning(loaded: Loaded, manual_backend: LabBackend, capsys: pytest.CaptureFixture[str]) -> None:
    """Quotes, braces and the like arrive as they are; the program finds what `lab run` finds."""
    entry = with_odd_texts()

    code = loaded(entry)["main"]()

    output = capsys.readouterr().out
    assert (verdicts(output), code) == (all_hold(entry), 0), output
    assert Runner(entry, manual_backend)().outcome is Outcome.REPRODUCED


def test_programs_are_formatted_and_clean(tmp_path: Path) -> None:
    """The formatter would change nothing, and the linter finds nothing."""
    for entry in [*RECORDED, with_odd_texts()]:
        (tmp_path / f"{entry.name}.py").write_text(boto3_program(entry), encoding="utf-8")

    formatted = subprocess.run(
        [*RUFF, "format", "--isolated", "--diff", tmp_path], capture_output=True, text=True, check=False
    )
    rules = "A,B,C4,D1,E,F,I,PERF,PIE,RET,SIM,UP,W"
    clean = subprocess.run(
        [*RUFF, "check", "--isolated", "--select", rules, "--ignore", "D102,D106,D107,E501", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert formatted.returncode == 0, formatted.stdout
    assert clean.returncode == 0, clean.stdout


def test_a_program_runs_alone(manual_backend: LabBackend, tmp_path: Path) -> None:
    """Python runs the file where nothing of this project is on the path; a wrong expectation makes it exit with 1."""
    entry, lines = with_wrong_expectation()
    (tmp_path / "experiment.py").write_text(boto3_program(entry), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-I", "experiment.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": manual_backend.endpoint.endpoint_url or ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert verdicts(done.stdout) == lines, done.stderr
    assert done.returncode == 1
    assert "import orderboard" not in boto3_program(entry)


def test_an_interrupt_removes_what_was_made(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in the middle: the queue is deleted, and the exit code is that of an interrupt."""
    program = loaded(find("sqs-visibility-timeout"))

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    program["let_pass"] = interrupted

    assert program["main"]() == 130
    assert "Broken off." in capsys.readouterr().out
    queues = program["client"]("sqs").list_queues(QueueNamePrefix=program["RUN"])
    assert queues.get("QueueUrls", []) == []


def test_a_call_that_fails_makes_a_difference(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    """A call that must succeed fails: the program names its error, and exits with 1."""
    entry = find("sqs-visibility-timeout")
    entry.experiment.you.sqs.get_queue_url(QueueName="not-there")

    assert loaded(entry)["main"]() == 1
    assert "DIFFERS  a call failed: An error occurred" in capsys.readouterr().out


def test_settings_of_localbus_are_put_back(loaded: Loaded, manual_backend: LabBackend) -> None:
    """The disorder of another queue is there again after an experiment, as a program and as `lab run` take it."""
    entry, localbus = find("sqs-at-least-once"), manual_backend.localbus
    assert localbus is not None
    before = localbus.change("PUT", DELIVERY_FAULTS, {"queues": {"work": {"missed_polls": 1.0}}})

    try:
        assert loaded(entry)["main"]() == 0
        after_program = localbus.get(DELIVERY_FAULTS)
        assert Runner(entry, manual_backend)().outcome is Outcome.REPRODUCED
        after_run = localbus.get(DELIVERY_FAULTS)
    finally:
        localbus.change("PUT", DELIVERY_FAULTS, {})

    assert after_program == after_run == before
    assert before["queues"]["work"]["missed_polls"] == 1.0


def test_without_localbus_disorder_cannot_occur(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    """An experiment with settings of localbus says on another engine that it cannot occur, and makes nothing."""
    program = loaded(find("sqs-at-least-once"))
    program["clock"] = dict

    assert program["main"]() == 2
    assert "Cannot occur here" in capsys.readouterr().out


def test_an_experiment_that_is_a_program() -> None:
    """An experiment with threads and servers is a program already: its file."""
    entry = find("coupling-tight-or-loose")

    assert boto3_program(entry) == entry.path.read_text(encoding="utf-8")
