"""Explanations: the field that decided, and the reason. `test_pattern` checks that they agree with matching."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.event_pattern.explain import Explanation, explain
from localbus.event_pattern.pattern import EventPattern
from localbus.sns.filter_policy import FilterPolicy
from localbus.sns.message_fields import attribute_fields

LARGE = {"source": ["orders"], "detail": {"data": {"total_cents": [{"numeric": [">=", 10000]}]}}}
TOTAL = "detail.data.total_cents"


def explained(pattern: Any, event: dict[str, Any]) -> Explanation:
    """Explain a pattern given as an object."""
    return explain(EventPattern(pattern if isinstance(pattern, str) else json.dumps(pattern)), event)


def test_the_field_that_decided_is_named() -> None:
    """A small order does not match the rule for large ones because of its total."""
    found = explained(LARGE, {"source": "orders", "detail": {"data": {"total_cents": 780}}})

    total, source = found.reasons
    assert not found.matches
    assert found.why == total.why == f"{TOTAL} is 780; wanted: >= 10000"
    assert (total.path, total.matched, total.wanted, total.matchers, total.found) == (
        *(TOTAL, False, ">= 10000"),
        *(["numeric"], [780]),
    )
    assert (source.path, source.matched, source.matchers, source.why) == ("source", True, ["exactly"], None)


def test_a_match_is_explained_too() -> None:
    """Every field is listed with its value."""
    found = explained(LARGE, {"source": "orders", "detail": {"data": {"total_cents": 10_000}}})

    assert (found.matches, found.why) == (True, "Every field matches.")
    assert [reason.found for reason in found.reasons] == [[10_000], ["orders"]]


@pytest.mark.parametrize(
    ("event", "found", "why"),
    [
        ({"source": "orders"}, [], "absent"),
        ({"detail": {"data": {"total_cents": None}}}, [None], "null"),
        ({"detail": {"data": {"total_cents": ""}}}, [""], '""'),
        ({"detail": {"data": {"total_cents": {"amount": 1}}}}, [], "an object"),
        ({"detail": {"data": {"total_cents": [1, "a"]}}}, [1, "a"], '1 and "a"'),
        ({"detail": {"data": {"total_cents": [0] * 7}}}, [0] * 7, "0 and 0 and 0 and 0 and 0 and 2 more values"),
        ({"source": {"a": 1}}, [], "absent"),
        ({"source": [[["x"]]]}, [], "absent"),
        ({}, [], "absent"),
    ],
)
def test_the_found_values_are_listed(event: dict[str, Any], found: list[Any], why: str) -> None:
    """An absent field has no values, which differs from null and the empty string."""
    total = explained(LARGE, event).reasons[0]

    assert (total.found, total.why) == (found, f"{TOTAL} is {why}; wanted: >= 10000")


@pytest.mark.parametrize(
    ("alternatives", "wanted", "matchers"),
    [
        (["tea", 1, True, None], '"tea" or 1 or true or null', ["exactly"]),
        ([{"numeric": [">", 0, "<=", 5]}], "> 0 and <= 5", ["numeric"]),
        ([{"exists": True}], "present", ["exists"]),
        (["x", {"exists": False}], '"x" or absent', ["exactly", "exists"]),
        ([{"prefix": "é"}, {"prefix": {"equals-ignore-case": "b"}}],
         'prefix "é" or prefix {"equals-ignore-case": "b"}', ["prefix"]),
        ([{"anything-but": ["a", "b"]}], 'anything-but ["a", "b"]', ["anything-but"]),
    ],
)  # fmt: skip
def test_the_wanted_values_are_readable(alternatives: list[Any], wanted: str, matchers: list[str]) -> None:
    """Alternatives appear in the order of the pattern, with their operators."""
    [reason] = explained({"a": alternatives}, {}).reasons

    assert (reason.wanted, reason.matchers) == (wanted, matchers)


def test_a_number_too_large_for_a_double_is_shown_as_written() -> None:
    """Such a number equals the same number only, and is not infinite."""
    found = explained('{"a": [1e400, -1E+999, 5e9]}', {"a": 1})

    assert found.why == "a is 1; wanted: 1e400 or -1E+999 or 5000000000.0"


def test_fields_must_match_in_the_same_object_of_an_array() -> None:
    """Two fields that match in different order lines do not match together, and the explanation says so."""
    pattern = {"lines": {"quantity": [2], "sku": ["tea"]}}

    together = explained(pattern, {"lines": [{"sku": "bun", "quantity": 1}, {"sku": "tea", "quantity": 2}]})
    apart = explained(pattern, {"lines": [{"sku": "tea", "quantity": 1}, {"sku": "bun", "quantity": 2}]})

    assert together.matches
    assert [reason.matched for reason in apart.reasons] == [True, False]
    assert apart.why.startswith("lines.sku matches, but not in the same array item as the fields before it")


def test_the_nearest_alternative_of_an_or_is_explained() -> None:
    """The branch with the fewest mismatches comes first, the others are its alternatives."""
    pattern = {"a": [1], "$or": [{"b": [2], "c": [3]}, {"d": [4]}]}

    none = explained(pattern, {"a": 1, "b": 0})
    second = explained(pattern, {"a": 1, "d": 4})

    assert [reason.path for reason in none.reasons] == ["a", "d"]
    assert [one.why for one in none.alternatives] == ["b is 0; wanted: 2"]
    assert (second.matches, [one.matches for one in second.alternatives]) == (True, [False])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"priority": ["express"]}, True),
        ({"priority": ["normal"]}, False),
        ({"event_type": [{"prefix": "orderboard.order."}], "priority": ["normal", "express"]}, True),
        ({"event_type": [{"suffix": ".v2"}]}, False),
        ({"priority": [{"anything-but": ["express"]}]}, False),
        ({"nonesuch": [{"exists": False}]}, True),
        ({"nonesuch": ["x"]}, False),
        ({"$or": [{"priority": ["normal"]}, {"event_type": [{"prefix": "orderboard"}]}]}, True),
    ],
)
def test_a_filter_policy_is_explained_as_sns_applies_it(policy: dict[str, Any], expected: bool) -> None:
    """The message attributes are the event."""
    attributes = {"event_type": "orderboard.order.placed.v1", "priority": "express"}
    fields = attribute_fields({k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()})

    assert explained(policy, attributes).matches is expected
    assert FilterPolicy(json.dumps(policy), "MessageAttributes").accepts(fields) is expected
