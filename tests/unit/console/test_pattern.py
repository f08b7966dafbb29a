"""Why an event does not match: the path that decided is named."""

import pytest
from orderboard.console.pattern import explain

LARGE = {
    "source": ["orderboard.order-api"],
    "detail": {"data": {"total_cents": [{"numeric": [">=", 10000]}]}},
}


def test_the_path_that_decided_is_named() -> None:
    """A small order does not match the rule of large ones because of its total, and the explanation says so."""
    event = {"source": "orderboard.order-api", "detail": {"data": {"total_cents": 780}}}

    explained = explain(LARGE, event)

    assert not explained.matched
    assert explained.decided_by is not None
    assert explained.decided_by.path == "detail.data.total_cents"
    assert explained.decided_by.wanted == ">= 10000"
    assert explained.decided_by.found == "780"


def test_what_is_absent_is_said_to_be_absent() -> None:
    """A path that the event does not have is found as nothing, not as an empty text."""
    explained = explain(LARGE, {"source": "orderboard.order-api"})

    assert explained.decided_by is not None
    assert explained.decided_by.found is None


def test_of_several_objects_one_must_fit_as_a_whole() -> None:
    """Two wishes that two different lines fulfil are not fulfilled."""
    pattern = {"lines": {"sku": ["tea"], "quantity": [2]}}

    assert explain(pattern, {"lines": [{"sku": "tea", "quantity": 2}]}).matched
    assert not explain(pattern, {"lines": [{"sku": "tea", "quantity": 1}, {"sku": "bun", "quantity": 2}]}).matched


@pytest.mark.parametrize("hostile", [None, [], "text", 7, {"source": {"a": 1}}, {"source": [[["x"]]]}])
def test_no_event_is_too_strange(hostile: object) -> None:
    """Whatever is held against a pattern, the answer is no, and not an error."""
    assert not explain(LARGE, hostile).matched
