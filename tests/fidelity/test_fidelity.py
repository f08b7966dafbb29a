"""localbus behaves as AWS in each behaviour of the comparison, and the page shows the results of a run."""

from __future__ import annotations

import pytest
from fidelity import page
from fidelity.aws import Aws, Clients
from fidelity.behaviour import Behaviour, Group
from fidelity.catalogue import GROUPS, keyed
from fidelity.engines import ENGINES
from fidelity.expect import AGAIN, NotBuiltError, WrongError, refused, same
from fidelity.run import Outcome, run
from fidelity.sources import sqs_api


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    """The outcomes of a new localbus. Many behaviours run at once, because most of them wait."""
    with ENGINES["localbus"]() as clients:
        return run(keyed(), clients, retry=False)


@pytest.mark.parametrize(("key", "behaviour"), keyed().items())
def test_localbus_behaves_as_aws_where_it_should(key: str, behaviour: Behaviour, outcomes: dict[str, Outcome]) -> None:
    """It behaves as AWS, except where the row has a reason; a reason that no longer holds must go."""
    assert (outcomes[key].verdict != "right") == bool(behaviour.differs), outcomes[key].instead


def test_the_page_has_these_behaviours(outcomes: dict[str, Outcome]) -> None:
    """Each engine's column has exactly these behaviours; localbus's column equals a run."""
    columns = page.read_columns()

    assert set(columns) == {"localbus", "LocalStack", "MiniStack"}
    for column in columns.values():
        assert set(column.outcomes) == set(keyed()), "run `make fidelity`"
    assert columns["localbus"].outcomes == outcomes
    assert page.PAGE.read_text() == page.render(columns), "run `make fidelity`"


def test_keys_and_statements_are_unique() -> None:
    """Keys are unique, statements are unique within their table, and each has a page of AWS."""
    behaviours = [one for group in GROUPS for one in group.behaviours]

    assert len(keyed()) == len(behaviours)
    assert all(len({one.statement for one in group.behaviours}) == len(group.behaviours) for group in GROUPS)
    assert all(one.source.url.startswith("https://docs.aws.amazon.com/") for one in behaviours)


@pytest.mark.parametrize(("retry", "late"), [(True, Outcome("right")), (False, Outcome("wrong", "is late"))])
def test_an_outcome_has_a_verdict(retry: bool, late: Outcome) -> None:
    """Right, wrong with what it did instead, or not built. Unexpected answers are wrong. Only a retry hides a flake."""
    group = Group("SQS", "Made up")
    errors: dict[str, Exception | None] = {
        "right": None,
        "wrong": WrongError("accepts it"),
        "missing": NotBuiltError("NotImplemented"),
        "odd": KeyError("Messages"),
        "late": WrongError("is late"),
    }

    def check(aws: Aws) -> None:
        error = None if aws.prefix == f"{AGAIN}late" else errors[aws.prefix.removeprefix(AGAIN)]
        if error:
            raise error

    for name in errors:
        group.add(name, name, sqs_api("SendMessage"), check)
    behaviours: dict[str, Behaviour] = {one.name: one for one in group.behaviours}

    found = run(behaviours, Clients("http://127.0.0.1:1"), retry=retry)

    assert found == {
        "right": Outcome("right"),
        "wrong": Outcome("wrong", "accepts it"),
        "missing": Outcome("not built", "NotImplemented"),
        "odd": Outcome("wrong", "the answer has no Messages"),
        "late": late,
    }


def test_texts_are_short_and_stable() -> None:
    """Parts that differ between runs are left out, and long answers are cut."""
    identifier = "0f0e0d0c-0b0a-0908-0706-050403020100"

    with pytest.raises(WrongError, match=r"^gives 'id … of …'$"):
        same("gives", f"id {identifier} of 127.0.0.1:4566", "nothing")
    with pytest.raises(WrongError) as raised:
        same("gives", "x" * 200, "nothing")
    assert len(str(raised.value)) < 100
    with pytest.raises(WrongError, match="accepts it"):
        refused("Code", lambda: None)
