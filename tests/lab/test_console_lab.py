"""Experiments in the console: the timeline as it comes, one run at a time, and the programs."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from orderboard.console.lab import Lab, experiments, program
from orderboard.errors import RigError, UsageError
from orderboard.lab.backend import LabBackend

NAME = "sqs-visibility-timeout"


class Engines:
    """Starts of an engine: how many, and how many have ended. Held back while `free` is not set."""

    def __init__(self, backend: LabBackend) -> None:
        self.started = self.ended = 0
        self.free = threading.Event()
        self.free.set()
        self._backend = backend

    def __call__(self) -> AbstractContextManager[LabBackend]:
        """Start one."""
        return self._run()

    @contextmanager
    def _run(self) -> Iterator[LabBackend]:
        self.free.wait()
        self.started += 1
        yield self._backend
        self.ended += 1


@pytest.fixture
def engines(manual_backend: LabBackend) -> Engines:
    """The engine of these tests."""
    return Engines(manual_backend)


@pytest.fixture
def lab(engines: Engines) -> Iterator[Lab]:
    """The lab of a console."""
    lab = Lab(engines)
    yield lab
    engines.free.set()
    lab.close()


def lines_of(lab: Lab, name: str = NAME) -> list[dict[str, Any]]:
    """Return everything that a run prints."""
    return [json.loads(line) for line in lab.run(name)]


def test_a_run_is_its_timeline_and_its_result(lab: Lab) -> None:
    """Each line is a moment with its party; the last one has the outcome."""
    *moments, last = lines_of(lab)

    assert last["result"]["outcome"] == "reproduced"
    assert {"producer", "consumer A", "consumer B"} <= {each["moment"]["party"] for each in moments}
    assert [each["moment"]["detail"] for each in moments if each["moment"]["kind"] == "check"] == [True] * 4


def test_one_engine_serves_all_runs_and_ends_with_the_console(lab: Lab, engines: Engines) -> None:
    """The engine starts at the first run, and ends when the console does."""
    lines_of(lab)
    lines_of(lab)
    assert (engines.started, engines.ended) == (1, 0)

    lab.close()

    assert engines.ended == 1


def test_a_second_run_waits_for_the_end_of_the_first(lab: Lab, engines: Engines) -> None:
    """Two would turn one clock, so the second one is refused with the reason."""
    engines.free.clear()
    first = lab.run(NAME)

    with pytest.raises(UsageError, match="An experiment runs already"):
        lab.run(NAME)

    engines.free.set()
    assert json.loads(list(first)[-1])["result"]["outcome"] == "reproduced"


def test_an_engine_that_does_not_start_is_an_answer(manual_backend: LabBackend) -> None:
    """The page gets the reason, and the next run tries again."""

    def fail() -> AbstractContextManager[LabBackend]:
        raise RigError("The disk is full.")

    lab = Lab(fail)

    assert lines_of(lab) == [{"error": "The disk is full."}]
    lab.close()


def test_the_list_has_every_experiment_and_its_programs() -> None:
    """Each has a title, a claim, AWS's page and its parties; both programs are texts."""
    listed = {each["name"]: each for each in experiments()["experiments"]}

    assert listed[NAME]["parties"] == ["producer", "consumer A", "consumer B"]
    assert listed[NAME]["source"].startswith("https://docs.aws.amazon.com/")
    assert "boto3.client" in program(NAME, "boto3")
    assert program(NAME, "cli").startswith("#!/usr/bin/env bash")
    with pytest.raises(UsageError, match="expected boto3 or cli"):
        program(NAME, "ruby")
    with pytest.raises(UsageError, match="Did you mean sqs-visibility-timeout"):
        program("visibility-timeout", "cli")
