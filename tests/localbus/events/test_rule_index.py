"""The index that finds the rules an event may match."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events.field_index import IntervalTree
from localbus.events.rule_index import RuleIndex


def event(source: str, detail_type: str = "t", **detail: Any) -> dict[str, Any]:
    """Build an event."""
    return {"source": source, "detail-type": detail_type, "detail": detail}


def index_of(patterns: dict[str, Any]) -> RuleIndex[str]:
    """Build an index of patterns by rule name."""
    index: RuleIndex[str] = RuleIndex()
    for name, pattern in patterns.items():
        index.add(name, EventPattern(json.dumps(pattern)))
    return index


def candidates(index: RuleIndex[str], one: dict[str, Any]) -> int:
    """Count the branches that an event is matched against."""
    return len(list(index.candidates(fields_of(one))))


def test_300_rules_cost_no_more_than_3() -> None:
    """An event is not matched against the rules of other sources."""
    few = index_of({f"r{number}": {"source": [f"s{number}"]} for number in range(3)})
    many = index_of({f"r{number}": {"source": [f"s{number}"]} for number in range(300)})

    assert candidates(few, event("s1")) == candidates(many, event("s1")) == 1
    assert many.matching(fields_of(event("s299"))) == ["r299"]
    assert candidates(many, event("unknown")) == 0


def test_rules_of_one_source_are_indexed_by_another_field() -> None:
    """By the detail type, or by a value in the detail."""
    by_type = index_of({f"r{number}": {"source": ["s"], "detail-type": [f"t{number}"]} for number in range(300)})
    by_detail = index_of(
        {f"r{number}": {"source": ["s"], "detail-type": ["t"], "detail": {"kind": [number]}} for number in range(300)}
    )

    assert candidates(by_type, event("s", "t7")) <= 2
    assert candidates(by_detail, event("s", "t", kind=7)) <= 3
    assert by_detail.matching(fields_of(event("s", "t", kind=7))) == ["r7"]


def test_a_rule_for_an_absent_field_is_always_a_candidate() -> None:
    """An absent field cannot be looked up."""
    index = index_of({"prefix": {"source": [{"prefix": "s"}]}, "absent": {"x": ["1", {"exists": False}]}})

    assert candidates(index, event("other")) == 1
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
def test_300_rules_without_exact_values_are_indexed_too(wanted: Callable[[int], Any], value: object) -> None:
    """By prefix, suffix or numeric range."""
    index = index_of({f"r{n}": {"source": ["s"], "detail": {"kind": [wanted(n)]}} for n in range(300)})

    assert candidates(index, event("s", kind=value)) <= 3
    assert index.matching(fields_of(event("s", kind=value))) == ["r7"]


def test_only_the_fields_of_rules_are_flattened() -> None:
    """Other parts of an event cost nothing."""
    index = index_of({"a": {"detail": {"order": {"total": [{"numeric": [">", 1]}]}}}})

    fields = index.flatten(event("s", order={"total": 2, "lines": [1, 2, 3]}, customer={"name": "n"}))

    assert list(fields) == ["detail.order.total"]


def test_a_removed_rule_is_not_found() -> None:
    """Its branches leave every index."""
    index = index_of({"a": {"$or": [{"source": ["x", "y"]}, {"z": [{"exists": True}]}]}, "b": {"source": ["x"]}})

    index.remove("a")
    index.remove("not there")

    assert index.matching(fields_of(event("x") | {"z": 1})) == ["b"]
    assert candidates(index, event("y")) == 0


def test_a_rule_with_equal_branches_is_removed() -> None:
    """Also if they are ranges, which the index removes together."""
    index: RuleIndex[str] = RuleIndex()
    for name in ("a", "b"):
        index.add(name, EventPattern('{"$or": [{"x": [{"numeric": [">", 1]}]}, {"x": [{"numeric": [">", 1]}]}]}'))

    index.remove("a")
    assert index.matching(fields_of({"x": 2})) == ["b"]
    index.remove("b")

    assert index.matching(fields_of({"x": 2})) == []


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
def test_the_index_agrees_with_matching_every_rule(wanted: list[Any], one: dict[str, Any], removed: set[str]) -> None:
    """No rule is missed, and none is found twice."""
    compiled = {str(number): EventPattern(json.dumps(pattern)) for number, pattern in enumerate(wanted)}
    index: RuleIndex[str] = RuleIndex()
    for name, pattern in compiled.items():
        index.add(name, pattern)
    for name in removed & compiled.keys():
        index.remove(name)
        del compiled[name]
    expected = sorted(name for name, pattern in compiled.items() if pattern.matches(fields_of(one)))

    assert sorted(index.matching(fields_of(one))) == expected
    assert sorted(index.matching(index.flatten(one))) == expected


_BOUNDS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted))


@given(_BOUNDS, st.integers(-1, 21), st.sets(st.integers(0, 9)))
def test_the_tree_finds_intervals_around_a_number(bounds: list[list[int]], number: int, removed: set[int]) -> None:
    """All of them and no others, with any overlaps."""
    tree: IntervalTree[int] = IntervalTree()
    for place, (low, high) in enumerate(bounds):
        tree.add(low, high, place)
    for place in removed:
        tree.remove(place)

    found = sorted(tree.containing(number))

    assert found == [n for n, (low, high) in enumerate(bounds) if low <= number <= high and n not in removed]
