"""`orderboard workshop`: its commands on a running system, and their errors."""

import json
import signal
from pathlib import Path

import pytest
from e2e.command import Command
from orderboard.cli.app import app
from orderboard.system.workspace import STATE_DIR_VARIABLE
from orderboard.workshop.catalogue import everything
from orderboard.workshop.workshop import Workshop
from typer.testing import CliRunner, Result

_FIRST = str(everything()[0].number)


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, ["workshop", *words])


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state folder in which nothing runs."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path))
    return tmp_path


def test_an_exercise_from_its_opening_to_its_end(workshop: Workshop) -> None:
    """Open, check, hints, solution and status show the same progress, and `reset` forgets it."""
    command = Command(workshop.workspace.state_dir)  # what may start a worker is a process, as it is for an attendee
    checks = workshop.progress().record(int(_FIRST)).checks  # of the tests before this one
    opened = command.run("workshop", "open", _FIRST)
    assert opened.returncode == 0, opened.stderr
    assert everything()[0].readme.title in opened.stdout
    assert "For the trainer" not in opened.stdout

    failed = _run("check")
    assert failed.exit_code == 1
    assert "Not yet" in failed.stdout
    findings = json.loads(_run("check", "--json").stdout)["findings"]
    assert [each["text"] for each in findings if not each["met"]] == json.loads(_run("status", "--json").stdout)[
        "exercises"
    ][0]["failing"]

    assert [len(json.loads(_run("hint", "--json").stdout)["hints"]) for _ in range(4)] == [1, 2, 3, 3]

    done = command.run("workshop", "solution", "--apply", "--json")
    assert done.returncode == 0, done.stderr
    applied = json.loads(done.stdout)
    assert applied["applied"]
    solved = _run("check")
    assert solved.exit_code == 0, solved.stdout
    assert "Solved." in solved.stdout
    [listed] = [each for each in json.loads(_run("list", "--json").stdout) if each["number"] == int(_FIRST)]
    assert (listed["status"], listed["hints"], listed["checks"]) == ("solved", 3, checks + 3)

    assert command.run("workshop", "reset").returncode == 0
    [listed] = [each for each in json.loads(_run("list", "--json").stdout) if each["number"] == int(_FIRST)]
    assert (listed["status"], listed["hints"], listed["checks"]) == ("open", 0, 0)


def test_without_a_system_the_way_to_start_one_is_named(empty: Path) -> None:
    """An exercise cannot be opened; what needs no system works."""
    del empty

    refused = _run("open", _FIRST)

    assert refused.exit_code == 1
    assert refused.stderr.rstrip().endswith("orderboard workshop start")
    assert "0 of" in _run("status").stdout
    assert _run("hint", _FIRST).exit_code == 0
    assert _run("skip", _FIRST).exit_code == 0
    assert json.loads(_run("list", "--json").stdout)[0]["status"] == "skipped"


def test_another_exercise_than_the_open_one_is_not_checked(empty: Path) -> None:
    """The evidence is of the open one."""
    del empty

    refused = _run("check", _FIRST)

    assert refused.exit_code == 2
    assert f"orderboard workshop open {_FIRST}" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("open", "13"), "Unknown exercise '13': expected"),
        (("open", everything()[0].name[:-1]), f"Did you mean {everything()[0].name}"),
        (("check",), "No exercise is open"),
        (("hint", _FIRST, "--level", "4"), "expected 1 to 3"),
        (("reset", _FIRST, "--all"), "or give --all"),
        (("reset", "--all"), "Add --yes"),
        (("quiz",), "orderboard workshop quiz --answers"),
        (("quiz", "16"), "expected 1 to 15"),
    ],
)
def test_wrong_usage_is_one_line_with_the_fix(empty: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 2, and what is expected."""
    del empty

    refused = _run(*words)

    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr


@pytest.mark.usefixtures("empty")
def test_own_files_are_kept_when_everything_is_forgotten(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`reset --all` puts them aside under a free name."""
    with_files = [each for each in everything() if each.exercise.files]
    monkeypatch.setattr("orderboard.workshop.workshop.everything", lambda: tuple(with_files))
    folder = empty / "workshop"
    folder.mkdir()
    names = [name for each in with_files for name in each.exercise.files]
    for name in names:
        (folder / name).write_text("mine")
        (folder / f"{name}.mine").write_text("older")

    done = _run("reset", "--all", "--yes")

    assert done.exit_code == 0
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        [f"{name}.mine" for name in names] + [f"{name}.mine.2" for name in names]
    )


def test_no_progress_is_lost_by_opening_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A solved exercise that is opened again stays solved, and keeps its count of checks.

    An opening that Ctrl-C interrupts leaves none open, as its system is between two states; the next one begins anew.
    """
    entry, other = everything()[:2]
    workshop.open(entry)
    workshop.apply_solution(entry)
    assert workshop.check(entry).solved

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("orderboard.workshop.workshop.put_back", interrupt)
        interrupted = _run("open", str(other.number))
    assert interrupted.exit_code == 128 + signal.SIGINT
    assert f"orderboard workshop open {other.number}" in interrupted.stderr
    assert "No exercise is open" in _run("check").stderr

    workshop.open(entry)

    record = workshop.progress().record(entry.number)
    assert record.status == "solved"
    assert record.checks >= 1
    assert workshop.entry(None) == entry
