"""The exercises as a whole: what each of the twelve has."""

import re
from pathlib import Path

import pytest
from orderboard.errors import RigError
from orderboard.system.workspace import find_workspace
from orderboard.workshop.catalogue import Entry, everything, find
from orderboard.workshop.readme import FOR_TRAINERS, read_readme

_AWS_PAGE = re.compile(r"https://docs\.aws\.amazon\.com/\S+")
_EACH = pytest.mark.parametrize("entry", everything(), ids=lambda each: each.folder.name)


def test_there_are_twelve_in_order() -> None:
    """Numbers run from 1 to 12, names are distinct, and the whole takes three to four hours."""
    assert [each.number for each in everything()] == list(range(1, 13))
    assert len({each.name for each in everything()}) == 12
    assert 150 <= sum(each.readme.minutes for each in everything()) <= 240


@_EACH
def test_each_has_what_a_reader_needs(entry: Entry) -> None:
    """10 to 25 minutes, a link to AWS's page, three hints, a solution, three wrong answers for the trainer."""
    assert 10 <= entry.readme.minutes <= 25
    assert _AWS_PAGE.search(entry.readme.sections["On AWS"])
    assert len(set(entry.exercise.hints)) == 3
    assert entry.solution.strip()
    assert len(re.findall(r"^- ", entry.readme.sections[FOR_TRAINERS], re.MULTILINE)) >= 3


@_EACH
def test_files_of_attendees_have_a_beginning_and_a_solution(entry: Entry) -> None:
    """Each is named my_*, which git ignores, and its solution differs from its beginning."""
    for name in entry.exercise.files:
        assert name.startswith("my_")
        assert (entry.folder / "start" / name).read_text() != (entry.folder / "solution" / name).read_text()
    given = {each.name for folder in ("start", "solution") for each in (entry.folder / folder).glob("*")}
    assert given == set(entry.exercise.files)


@_EACH
def test_each_is_tested_with_wrong_answers(entry: Entry) -> None:
    """Its tests open it, solve it, and give wrong answers."""
    tests = find_workspace().root / "tests" / "workshop"
    [path] = tests.glob(f"test_{entry.number:02}_*.py")
    text = path.read_text()
    assert "CheckedExercise" in text
    assert f"number = {entry.number}\n" in text


@pytest.mark.parametrize("typed", ["2", "02", "the-outage", "02-the-outage"])
def test_an_exercise_is_found_by_number_or_name(typed: str) -> None:
    """All of these are the same exercise."""
    assert find(typed).number == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Outage\n\n10 minutes.\n",
        "# 2. Outage\n\n10 minutes.\n\n## Goal\n\nx\n",
        "# 2. Outage\n\nten minutes.\n\n## Goal\n",
    ],
)
def test_a_readme_of_another_form_is_refused(text: str, tmp_path: Path) -> None:
    """The error says which sections there are."""
    path = tmp_path / "README.md"
    path.write_text(text)

    with pytest.raises(RigError, match="its sections are Goal, Story, Do, See, On AWS"):
        read_readme(path)
