"""An experiment that is a program: its timeline, its verdict, its end, and the clock that runs with it."""

import json
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from localbus.clock import ManualClock
from localbus.pytest_plugin import Localbus as Engine
from orderboard.errors import RigError
from orderboard.lab.backend import LabBackend
from orderboard.lab.catalogue import Entry, load
from orderboard.lab.program import Program
from orderboard.lab.result import Moment, Outcome, Result
from orderboard.lab.run import Runner
from orderboard.lab.running_clock import running_clock
from orderboard.lab.steps import Say
from orderboard.system.localbus import Localbus
from orderboard_stack.backend import Endpoint
from support.waiting import poll_until

_HEAD = '''"""A title.

A description,
in lines.
"""
import sys, time
CLAIM = "A claim."
SOURCE = "https://docs.aws.amazon.com/"
MEANS = "A consequence."
if __name__ == "__main__":
'''


@pytest.fixture
def api(localbus: Engine) -> Iterator[Localbus]:
    """The developer API of the engine."""
    client = Localbus(localbus.url)
    yield client
    client.close()


def program(folder: Path, code: str) -> Entry:
    """A program with this code."""
    path = folder / "any.py"
    path.write_text(_HEAD + textwrap.indent(code, "    "))
    return load(path)


def run(folder: Path, code: str) -> Result:
    """The result of a program with this code."""
    backend = LabBackend(Endpoint("localstack", "http://127.0.0.1:9"), None, None)
    return Runner(program(folder, code), backend)()


def printed(kind: str, text: str, detail: object = None) -> str:
    """A line of code that prints a moment."""
    moment = {"at_s": 0.5, "kind": kind, "party": "barista", "text": text, "detail": detail}
    return f"print({json.dumps(moment)!r}, flush=True)\n"


def test_a_program_is_described_by_its_paragraphs(tmp_path: Path) -> None:
    """A program shows its title, and the other paragraphs of its docstring as steps."""
    found = program(tmp_path, "pass")

    assert found.title == "A title"
    assert list(found.experiment.all_steps()) == [Say("A description, in lines.")]


def test_what_a_program_prints_is_its_result(tmp_path: Path) -> None:
    """The moments are the timeline, and a check that fails makes the outcome, whatever else is printed."""
    failed = {"holds": "is", "expected": 0, "found": "2", "passed": False}
    passed = {"holds": "at least", "expected": 1, "found": "40", "passed": True}
    code = printed("call", "goes away") + 'print("a warning")\n'
    code += printed("check", "Some are accepted", passed) + printed("check", "None fails", failed) + "sys.exit(1)"

    result = run(tmp_path, code)

    assert result.moments[0] == Moment(0.5, "call", "barista", "goes away")
    assert [(each.text, each.passed) for each in result.checks] == [("Some are accepted", True), ("None fails", False)]
    assert (result.outcome, result.reason) == (Outcome.DIFFERS, "None fails: found 2")


def test_a_program_that_breaks_says_why(tmp_path: Path) -> None:
    """A program that ends without a verdict differs, and its last line says why."""
    result = run(tmp_path, 'sys.exit(print("The queue is gone.") or 3)')

    assert (result.outcome, result.reason) == (Outcome.DIFFERS, "any.py ended with status 3: The queue is gone.")


def test_a_program_that_is_broken_off_removes_what_it_made(tmp_path: Path) -> None:
    """The end of a run interrupts a program and waits for its cleaning up."""
    removed = tmp_path / "removed"
    code = (
        f"try:\n    {printed('call', 'waits')}    time.sleep(60)\nfinally:\n    open({str(removed)!r}, 'w').close()\n"
    )
    found = program(tmp_path, code).experiment
    assert isinstance(found, Program)

    moments = found.run({}, "lab-0")
    next(moments)
    moments.close()  # type: ignore[attr-defined]

    assert removed.exists()


def test_a_manual_clock_runs_with_a_program(localbus: Engine, api: Localbus) -> None:
    """While a program runs, a clock that stands goes on, and stands again after it."""
    assert isinstance(localbus.clock, ManualClock)
    before = api.now()

    with running_clock(api):
        poll_until(lambda: api.now() > before)
    after = api.now()

    assert api.now() == after


def test_a_clock_that_stops_ends_with_an_error() -> None:
    """A program during which the engine dies ends with an error: what it saw proves nothing."""
    moved = threading.Event()

    class Dead(Localbus):
        def change(self, method: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
            moved.set()
            return super().change(method, path, document)

    with (
        pytest.raises(RigError, match="did not answer POST /_localbus/clock"),
        running_clock(Dead("http://127.0.0.1:9")),
    ):
        assert moved.wait(10)
