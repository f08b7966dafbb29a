"""docs/lab.md and the recorded outcomes: what `make lab` wrote."""

from pathlib import Path

from orderboard.lab.catalogue import everything
from orderboard.lab.outcomes import read
from orderboard.lab.page import page
from orderboard.lab.result import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "lab.md"


def test_the_page_follows_from_the_recorded_outcomes() -> None:
    """docs/lab.md has the experiments and the outcomes as they are. Write it again: make lab."""
    assert PAGE.read_text() == page(everything(), read())


def test_every_experiment_is_recorded_on_each_local_backend() -> None:
    """No cell of the tables is empty, and on embedded every experiment is reproduced."""
    names, runs = {each.name for each in everything()}, read()

    assert {backend: set(run.outcomes) for backend, run in runs.items()} == dict.fromkeys(runs, names)
    assert {each.outcome for each in runs["embedded"].outcomes.values()} == {Outcome.REPRODUCED}
    assert runs.keys() == {"embedded", "localstack", "ministack"}


def test_what_differs_says_what_was_seen() -> None:
    """Every outcome but *reproduced* has a reason."""
    found = [each for run in read().values() for each in run.outcomes.values()]

    assert all((each.outcome is Outcome.REPRODUCED) is (not each.reason) for each in found)
