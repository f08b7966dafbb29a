"""localbus does as AWS does, in each behaviour of the comparison, and the page says what a run says."""

from __future__ import annotations

import pytest
from fidelity import page
from fidelity.aws import Aws, Clients
from fidelity.behaviour import Behaviour, Group
from fidelity.catalogue import GROUPS, keyed
from fidelity.engines import localbus_engine
from fidelity.expect import AGAIN, NotBuiltError, WrongError, refused, same
from fidelity.run import Outcome, run
from fidelity.sources import sqs_api


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    """What a fresh localbus does. All behaviours run at once, since most of them wait."""
    with localbus_engine() as clients:
        return run(keyed(), clients)


@pytest.mark.parametrize("key", keyed())
def test_localbus_is_not_wrong(key: str, outcomes: dict[str, Outcome]) -> None:
    """It does what AWS does, or says that it has no such action."""
    assert outcomes[key].verdict != "wrong", outcomes[key].instead


def test_the_page_is_of_these_behaviours(outcomes: dict[str, Outcome]) -> None:
    """Each engine's column has every behaviour and no other; localbus's says what a run just said."""
    columns = page.read_columns()

    assert set(columns) == {"localbus", "LocalStack", "MiniStack"}
    for column in columns.values():
        assert set(column.outcomes) == set(keyed()), "run `make fidelity`"
    assert columns["localbus"].outcomes == outcomes
    assert page.PAGE.read_text() == page.render(columns), "run `make fidelity`"


def test_statements_are_told_apart() -> None:
    """No two behaviours have one key, nor one statement within their table, and each has a page of AWS."""
    behaviours = [one for group in GROUPS for one in group.behaviours]

    assert len(keyed()) == len(behaviours)
    assert all(len({one.statement for one in group.behaviours}) == len(group.behaviours) for group in GROUPS)
    assert all(one.source.url.startswith("https://docs.aws.amazon.com/") for one in behaviours)


def test_what_an_engine_does_becomes_a_verdict() -> None:
    """Right, wrong with what it did instead, not built; an answer that nobody expected is wrong."""
    group = Group("SQS", "Made up")
    errors: dict[str, Exception | None] = {
        "right": None,
        "wrong": WrongError("accepts it"),
        "missing": NotBuiltError("NotImplemented"),
        "odd": KeyError("Messages"),
    }

    def check(aws: Aws) -> None:
        error = errors[aws.prefix.removeprefix(AGAIN)]
        if error:
            raise error

    for name in errors:
        group.add(name, name, sqs_api("SendMessage"), check)
    behaviours: dict[str, Behaviour] = {one.name: one for one in group.behaviours}

    found = run(behaviours, Clients("http://127.0.0.1:1"))

    assert found == {
        "right": Outcome("right"),
        "wrong": Outcome("wrong", "accepts it"),
        "missing": Outcome("not built", "NotImplemented"),
        "odd": Outcome("wrong", "the answer has no Messages"),
    }


def test_expectations_speak_briefly() -> None:
    """What differs from run to run is left out, and long answers are cut."""
    identifier = "0f0e0d0c-0b0a-0908-0706-050403020100"

    with pytest.raises(WrongError, match=r"^gives 'id … of …'$"):
        same("gives", f"id {identifier} of 127.0.0.1:4566", "nothing")
    with pytest.raises(WrongError) as raised:
        same("gives", "x" * 200, "nothing")
    assert len(str(raised.value)) < 100
    with pytest.raises(WrongError, match="accepts it"):
        refused("Code", lambda: None)
