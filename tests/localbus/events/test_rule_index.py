"""How the rules that an event may match are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events.interval_tree import IntervalTree
from localbus.events.rule_index import RuleIndex


def event(source: str, detail_type: str = "t", **detail: Any) -> dict[str, Any]:
    """An event."""
    return {"source": source, "detail-type": detail_type, "detail": detail}


def index_of(patterns: dict[str, Any]) -> RuleIndex[str]:
    """An index of these patterns, by the rules' names."""
    index: RuleIndex[str] = RuleIndex()
    for name, pattern in patterns.items():
        index.add(name, EventPattern(json.dumps(pattern)))
    return index


def looked_at(index: RuleIndex[str], one: dict[str, Any]) -> int:
    """How many rules are looked at for an event."""
    return len(list(index.candidates(fields_of(one))))


def test_300_rules_cost_an_event_no_more_than_3() -> None:
    """The rules of other sources are not looked at."""
    few = index_of({f"r{number}": {"source": [f"s{number}"]} for number in range(3)})
    many = index_of({f"r{number}": {"source": [f"s{number}"]} for number in range(300)})

    assert looked_at(few, event("s1")) == looked_at(many, event("s1")) == 1
    assert many.matching(fields_of(event("s299"))) == ["r299"]
    assert looked_at(many, event("unknown")) == 0


def test_rules_of_one_source_are_told_apart_by_whatever_else_they_want() -> None:
    """By the detail type, by a value in the detail: under which field a rule stands is its own matter."""
    by_type = index_of({f"r{number}": {"source": ["s"], "detail-type": [f"t{number}"]} for number in range(300)})
    by_detail = index_of(
        {f"r{number}": {"source": ["s"], "detail-type": ["t"], "detail": {"kind": [number]}} for number in range(300)}
    )

    assert looked_at(by_type, event("s", "t7")) <= 2
    assert looked_at(by_detail, event("s", "t", kind=7)) <= 3
    assert by_detail.matching(fields_of(event("s", "t", kind=7))) == ["r7"]


def test_a_rule_that_an_event_may_match_by_what_it_lacks_is_always_looked_at() -> None:
    """An absence cannot be looked up."""
    index = index_of({"prefix": {"source": [{"prefix": "s"}]}, "absent": {"x": ["1", {"exists": False}]}})

    assert looked_at(index, event("other")) == 1
    assert index.matching(fields_of(event("s1"))) == ["prefix", "absent"]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (lambda n: {"prefix": f"{n}-"}, "7-x"),
        (lambda n: {"suffix": f"-{n}"}, "x-7"),
        (lambda n: {"equals-ignore-case": f"Kind-{n}"}, "kinD-7"),
        (lambda n: {"wildcard": f"{n}-*-end"}, "7-x-end"),
        (lambda n: {"numeric": [">=", n * 10, "<", n * 10 + 10]}, 75.5),
        (lambda n: {"numeric": ["=", n]}, 7),
    ],
    ids=["prefix", "suffix", "any case", "wildcard", "range", "number"],
)
def test_300_rules_without_exact_values_are_told_apart_too(wanted: Callable[[int], Any], value: object) -> None:
    """By how a text begins or ends, or by the range in which a number lies."""
    index = index_of({f"r{n}": {"source": ["s"], "detail": {"kind": [wanted(n)]}} for n in range(300)})

    assert looked_at(index, event("s", kind=value)) <= 3
    assert index.matching(fields_of(event("s", kind=value))) == ["r7"]


def test_an_event_is_opened_only_where_a_rule_asks() -> None:
    """What no rule wants to know costs nothing."""
    index = index_of({"a": {"detail": {"order": {"total": [{"numeric": [">", 1]}]}}}})

    fields = index.flatten(event("s", order={"total": 2, "lines": [1, 2, 3]}, customer={"name": "n"}))

    assert list(fields) == ["detail.order.total"]


def test_a_rule_that_is_taken_out_is_not_found_any_more() -> None:
    """Nothing of it stays, wherever it stood."""
    index = index_of({"a": {"$or": [{"source": ["x", "y"]}, {"z": [{"exists": True}]}]}, "b": {"source": ["x"]}})

    index.remove("a")
    index.remove("not there")

    assert index.matching(fields_of(event("x") | {"z": 1})) == ["b"]
    assert looked_at(index, event("y")) == 0


values = st.sampled_from(["a", "b", "", "Ba", 1, 0.5, -1, True, None])
tests = values | st.sampled_from(
    [
        {"prefix": "a"},
        {"prefix": ""},
        {"suffix": "a"},
        {"suffix": {"equals-ignore-case": "A"}},
        {"equals-ignore-case": "B"},
        {"wildcard": "a*"},
        {"wildcard": "*"},
        {"numeric": [">", 0, "<=", 1]},
        {"numeric": ["<", 1]},
        {"exists": False},
        {"exists": True},
        {"anything-but": "a"},
    ]
)
patterns = st.dictionaries(st.sampled_from("xyz"), st.lists(tests, min_size=1, max_size=3), min_size=1)
events = st.dictionaries(st.sampled_from("xyz"), values | st.lists(values, max_size=2))


@given(
    st.lists(patterns | st.lists(patterns, min_size=2, max_size=3).map(lambda some: {"$or": some}), max_size=8),
    events,
    st.sets(st.sampled_from("0123")),
)
def test_the_index_finds_what_asking_every_rule_would(
    wanted: list[Any], one: dict[str, Any], taken_out: set[str]
) -> None:
    """No rule is lost by not being looked at, and none is found twice."""
    compiled = {str(number): EventPattern(json.dumps(pattern)) for number, pattern in enumerate(wanted)}
    index: RuleIndex[str] = RuleIndex()
    for name, pattern in compiled.items():
        index.add(name, pattern)
    for name in taken_out & compiled.keys():
        index.remove(name)
        del compiled[name]
    expected = sorted(name for name, pattern in compiled.items() if pattern.matches(fields_of(one)))

    assert sorted(index.matching(fields_of(one))) == expected
    assert sorted(index.matching(index.flatten(one))) == expected


_BOUNDS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted))


@given(_BOUNDS, st.integers(-1, 21), st.sets(st.integers(0, 9)))
def test_the_spans_around_a_number_are_found(bounds: list[list[int]], number: int, taken_out: set[int]) -> None:
    """All of them and no others, however they overlap."""
    spans: IntervalTree[int] = IntervalTree()
    for place, (low, high) in enumerate(bounds):
        spans.add(low, high, place)
    for place in taken_out:
        spans.remove(place)

    around = sorted(spans.containing(number))

    assert around == [n for n, (low, high) in enumerate(bounds) if low <= number <= high and n not in taken_out]
