"""Event patterns: the events that they match.

Rows name the part of https://docs.aws.amazon.com/eventbridge/latest/userguide/ that they come from: "patterns" is
eb-event-patterns.html, "operators" is eb-create-pattern-operators.html, "arrays" eb-event-patterns-arrays.html, "null"
eb-event-patterns-null-values.html; "ruler" is the README of https://github.com/aws/event-ruler, the open engine.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.errors import AwsError
from localbus.event_pattern.explain import explain
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.event_pattern.wildcard import Wildcard, WildcardSyntaxError


def matches(pattern: Any, event: Any) -> bool:
    """Return whether the pattern matches the event. The explanation must agree."""
    compiled = EventPattern(pattern if isinstance(pattern, str) else json.dumps(pattern))
    found = compiled.matches(fields_of(event))
    explained = explain(compiled, event)
    assert explained.matches is found
    assert all(reason.matched is (reason.why is None) for reason in explained.reasons)
    return found


ROWS: list[tuple[str, Any, Any, bool]] = [
    # patterns: values, and what is not named does not matter
    ("patterns", {"source": ["a"]}, {"source": "a", "x": 1}, True),
    ("patterns", {"source": ["a"]}, {"source": "A"}, False),
    ("patterns", {"Source": ["a"]}, {"source": "a"}, False),
    ("patterns", {"a": ["x", "y"]}, {"a": "y"}, True),
    ("patterns", {"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
    ("patterns", {"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
    ("patterns", {"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
    ("patterns", {"a": [True]}, {"a": True}, True),
    ("patterns", {"a": [True]}, {"a": "true"}, False),
    ("patterns", {"a": [True]}, {"a": 1}, False),
    ("patterns", {"a": [1]}, {"a": True}, False),
    ("patterns", {"a": [300]}, {"a": 300.0}, True),
    ("patterns", {"a": [300.0]}, {"a": 300}, True),
    ("patterns", {"a": [0]}, {"a": 0}, True),
    ("patterns", {"a": [False]}, {"a": 0}, False),
    ("patterns", {"a": [3.018e2]}, {"a": 301.8}, True),
    ("patterns", {"a": ["300"]}, {"a": 300}, False),
    ("patterns", {"a": [300]}, {"a": "300"}, False),
    ("patterns", {"a": [123456789012]}, {"a": 123456789012}, True),
    ("patterns", {"detail": {"state.status": ["running"]}}, {"detail": {"state": {"status": "running"}}}, True),
    ("patterns", {"detail": {"state": {"status": ["running"]}}}, {"detail": {"state.status": "running"}}, True),
    ("patterns", {"detail": {"state": {"status": ["running"]}}}, {"detail": {"state-status": "running"}}, False),
    ("patterns", {"d.a": {"b": [1]}}, {"d": {"a": {"b": 1}}}, True),
    ("patterns", {"d.a.b": [2]}, {"d": {"a": {"b": 1}}}, False),
    ("patterns", {"d.x.b": [{"exists": False}]}, {"d": {"a": {"b": 1}}}, True),
    ("patterns", {"d": {"n": ["y"]}}, {"d.n": "x"}, False),
    ("patterns", {"a": {"b": ["x"]}}, {"a": "x"}, False),
    ("patterns", {"a": ["x"]}, {"a": {"b": "x"}}, False),
    ("patterns", '{"a": ["x"], "a": ["y"]}', {"a": "y"}, True),
    ("patterns", '{"a": ["x"], "a": ["y"]}', {"a": "x"}, False),
    # null and empty values
    ("null", {"a": [None]}, {"a": None}, True),
    ("null", {"a": [None]}, {"a": ""}, False),
    ("null", {"a": [""]}, {"a": ""}, True),
    ("null", {"a": [""]}, {"a": None}, False),
    # arrays: any value of the event's array will do
    ("arrays", {"r": ["x", "y"]}, {"r": ["y", "z"]}, True),
    ("arrays", {"r": ["x"]}, {"r": ["y", "z"]}, False),
    ("arrays", {"r": ["x"]}, {"r": []}, False),
    ("arrays", {"r": ["x"]}, {"r": [["y", ["x"]]]}, True),
    ("arrays", {"r": [{"prefix": "ab"}]}, {"r": ["x", "abc"]}, True),
    ("arrays", {"i": {"a": [1], "b": [2]}}, {"i": [{"a": 1, "b": 3}, {"a": 1, "b": 2}]}, True),
    ("ruler", {"i": {"a": [1], "b": [2]}}, {"i": [{"a": 1, "b": 3}, {"a": 0, "b": 2}]}, False),
    ("ruler", {"i": {"a": [1]}, "j": {"b": [2]}}, {"i": [{"a": 0}, {"a": 1}], "j": [{"b": 2}, {"b": 0}]}, True),
    ("ruler", {"i": {"a": [1], "x": {"b": [2]}}}, {"i": [{"a": 1, "x": [{"b": 3}]}, {"a": 0, "x": [{"b": 2}]}]}, False),
    ("ruler", {"i": {"a": [1], "x": {"b": [2]}}}, {"i": [{"a": 1, "x": [{"b": 3}, {"b": 2}]}]}, True),
    ("ruler", {"i": ["x"], "i.a": [1]}, {"i": ["x", {"a": 1}]}, True),
    ("ruler", {"i": ["y"], "i.a": [1]}, {"i": ["x", {"a": 1}]}, False),
    ("ruler", {"i": [0], "i.b": [1]}, {"i": [{}, [0, {"b": 1}]]}, True),
    ("ruler", {"i": [0], "i.b": [{"exists": False}]}, {"i": [{}, [0, {"b": 1}]]}, False),
    ("ruler", {"i": {"a": [1], "b": [1]}}, {"i": [[{"a": 1}, {"b": 1}], [{"a": 1, "b": 1}]]}, True),
    ("ruler", {"i": {"a": [1], "b": [1]}}, {"i": [[{"a": 1}, {"b": 1}], [{"a": 1}, {"b": 1}]]}, False),
    # prefix and suffix
    ("operators", {"a": [{"prefix": "2022-"}]}, {"a": "2022-07-13"}, True),
    ("operators", {"a": [{"prefix": "2022-"}]}, {"a": "x2022-"}, False),
    ("operators", {"a": [{"prefix": ""}]}, {"a": ""}, True),
    ("operators", {"a": [{"prefix": ""}]}, {"a": "x"}, True),
    ("operators", {"a": ["x", {"prefix": "2022-"}]}, {"a": "2022-07-13"}, True),
    ("operators", {"a": [{"prefix": "1"}]}, {"a": 12}, False),
    ("operators", {"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "EVENTBRIDGE"}, True),
    ("operators", {"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "EVENT"}, False),
    ("operators", {"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ("operators", {"a": [{"suffix": ".png"}]}, {"a": "x.PNG"}, False),
    ("operators", {"a": [{"suffix": ""}]}, {"a": ""}, True),
    ("operators", {"a": [{"suffix": {"equals-ignore-case": ".png"}}]}, {"a": "x.PNG"}, True),
    # equals-ignore-case, and the plain one that the open engine calls exactly
    ("operators", {"a": [{"equals-ignore-case": "alice"}]}, {"a": "AliCE"}, True),
    ("operators", {"a": [{"equals-ignore-case": "alice"}]}, {"a": "alicia"}, False),
    ("operators", {"a": [{"equals-ignore-case": ""}]}, {"a": ""}, True),
    ("ruler", {"a": [{"exactly": "x"}]}, {"a": "x"}, True),
    # numeric
    ("operators", {"a": [{"numeric": ["=", 3.5]}]}, {"a": 3.5}, True),
    ("operators", {"a": [{"numeric": ["=", 5]}]}, {"a": 5.0}, True),
    ("operators", {"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ("operators", {"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
    ("operators", {"a": [{"numeric": [">=", 0, "<", 5]}]}, {"a": 5}, False),
    ("operators", {"a": [{"numeric": ["<", 10]}]}, {"a": -1e9}, True),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {"a": "11"}, False),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {"a": None}, False),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {"a": True}, False),
    ("operators", {"a": [{"numeric": ["=", 1]}]}, {"a": True}, False),
    ("operators", {"a": [{"numeric": ["<", 5]}]}, {"a": None}, False),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {"a": 5e9}, True),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {"a": 5e9 + 1}, False),
    ("operators", {"a": [{"numeric": [">", 10]}]}, {}, False),
    # anything-but in all its forms
    ("operators", {"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ("operators", {"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
    ("operators", {"a": [{"anything-but": "x"}]}, {"a": None}, True),
    ("operators", {"a": [{"anything-but": "x"}]}, {}, False),
    ("operators", {"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
    ("operators", {"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}, True),
    ("operators", {"a": [{"anything-but": 123}]}, {"a": 123.0}, False),
    ("operators", {"a": [{"anything-but": 0}]}, {"a": 1}, True),
    ("operators", {"a": [{"anything-but": [100, 200]}]}, {"a": 200}, False),
    ("operators", {"a": [{"anything-but": [100, 200]}]}, {"a": 300}, True),
    ("operators", {"a": [{"anything-but": ["x"]}]}, {"a": ["x", "y"]}, True),
    ("operators", {"a": [{"anything-but": ["x", "y"]}]}, {"a": ["x", "y"]}, False),
    ("operators", {"a": [{"anything-but": "x"}]}, {"a": []}, False),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "initializing"}, False),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "running"}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": 5}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": None}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {}, False),
    ("operators", {"a": [{"anything-but": {"prefix": ["init", "st"]}}]}, {"a": "stopped"}, False),
    ("operators", {"a": [{"anything-but": {"prefix": ["init", "st"]}}]}, {"a": None}, True),
    ("operators", {"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": "a.txt"}, False),
    ("operators", {"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, {"a": "a.jpg"}, True),
    ("operators", {"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, {"a": "a.rtf"}, False),
    ("operators", {"a": [{"anything-but": {"equals-ignore-case": "Init"}}]}, {"a": "INIT"}, False),
    ("operators", {"a": [{"anything-but": {"equals-ignore-case": ["init", "stop"]}}]}, {"a": "go"}, True),
    ("operators", {"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "/usr/lib/x"}, False),
    ("operators", {"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "/usr/x"}, True),
    ("operators", {"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "/usr/bin/x"}, False),
    ("operators", {"a": [{"anything-but": {"wildcard": "*1*"}}]}, {"a": 1}, True),
    ("operators", {"a": [{"anything-but": {"wildcard": ""}}]}, {"a": "x"}, True),
    # exists works on leaves only
    ("operators", {"a": [{"exists": True}]}, {"a": None}, True),
    ("operators", {"a": [{"exists": True}]}, {"b": 1}, False),
    ("operators", {"a": [{"exists": False}]}, {"b": 1}, True),
    ("operators", {"a": [{"exists": False}]}, {"a": 1}, False),
    ("operators", {"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ("operators", {"a": [{"exists": False}]}, {"a": []}, True),
    ("operators", {"a": [{"exists": True}]}, {"a": []}, False),
    ("operators", {"a": ["x", {"exists": True}]}, {"a": "y"}, True),
    ("operators", {"a": {"b": [{"exists": False}]}}, {"a": "x"}, True),
    ("operators", {"a": {"b": [{"exists": False}, "x"]}}, {"a": {"b": "x"}}, True),
    ("operators", {"a": {"b": [{"exists": False}, "x"]}}, {"a": {"b": "y"}}, False),
    ("operators", {"a": {"b": [{"exists": False}, {"anything-but": ["roses"]}]}}, {"a": {"c": 1}}, True),
    ("ruler", {"i": {"a": [1], "b": [{"exists": False}]}}, {"i": [{"a": 1}, {"a": 2, "b": 3}]}, True),
    ("ruler", {"i": {"a": [1], "b": [{"exists": False}]}}, {"i": [{"a": 1, "b": 3}, {"a": 2}]}, False),
    ("ruler", {"i": {"a": [1], "b": [{"exists": False}]}}, {"i": [{"a": 1}, {"a": 2}]}, True),
    # cidr, and addresses as values
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.255"}, False),
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "no address"}, False),
    ("operators", {"a": [{"cidr": "10.20.30.200/24"}]}, {"a": "10.20.30.7"}, True),
    ("operators", {"a": [{"cidr": "10.20.30.200/24"}]}, {"a": "10.20.31.200"}, False),
    ("operators", {"a": [{"cidr": "2001:db8::ff/64"}]}, {"a": "2001:db8::1"}, True),
    ("operators", {"a": [{"cidr": "2001:db8::ff/127"}]}, {"a": "2001:db8::fd"}, False),
    ("operators", {"a": [{"cidr": "2001:db8:1234:1a00::/64"}]}, {"a": "2001:db8:1234:1a00:0:0:0:1"}, True),
    ("operators", {"a": [{"cidr": "2001:db8:1234:1a00::/64"}]}, {"a": "10.0.0.1"}, False),
    ("ruler", {"a": ["2001:db8::1"]}, {"a": "2001:db8:0:0::1"}, True),
    # wildcard
    ("operators", {"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/x/y.png"}, True),
    ("operators", {"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/x.jpg"}, False),
    ("operators", {"a": [{"wildcard": "a*b*a"}]}, {"a": "aba"}, True),
    ("operators", {"a": [{"wildcard": "a*b*a"}]}, {"a": "aa"}, False),
    ("operators", {"a": [{"wildcard": "x\\*y\\\\*"}]}, {"a": "x*y\\z"}, True),
    ("operators", {"a": [{"wildcard": "x\\*y"}]}, {"a": "xzy"}, False),
    ("operators", {"a": [{"wildcard": ""}]}, {"a": "x"}, False),
    ("operators", {"a": [{"wildcard": "*"}]}, {"a": ""}, True),
    # $or
    ("operators", {"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
    ("operators", {"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "y"}, False),
    ("operators", {"c": [1], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y", "c": 2}, False),
    ("operators", {"d": {"$or": [{"a": ["x"], "b": [1]}, {"c": [{"exists": True}]}]}}, {"d": {"a": "x"}}, False),
    ("operators", {"d": {"$or": [{"a": ["x"]}, {"c": [{"exists": True}]}]}}, {"d": {"c": 0}}, True),
    ("ruler", {"$or": [{"a": [1]}, {"$or": [{"b": [2]}, {"c": [3]}]}]}, {"c": 3}, True),
    ("ruler", {"$or": [{"a": {"b": [1]}}, {"a": {"c": [2]}}], "d": [3]}, {"a": {"c": 2}, "d": 3}, True),
]  # fmt: skip


@pytest.mark.parametrize(("page", "pattern", "event", "expected"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_a_pattern_matches_as_documented(page: str, pattern: Any, event: Any, expected: bool) -> None:
    """With the result that its page gives."""
    assert matches(pattern, event) is expected, page


def test_unrelated_arrays_do_not_multiply() -> None:
    """Six arrays of a thousand objects each are searched one after the other."""
    event = {name: [{"x": number, "y": number} for number in range(1_000)] for name in "abcdef"}
    pattern = {name: {"x": [{"numeric": [">=", 0]}], "y": [{"numeric": [">=", 0]}]} for name in "abcdef"}

    assert matches(pattern, event)
    assert not matches(pattern | {"f": {"x": [{"numeric": [">=", 0]}], "y": [-1]}}, event)


scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=5)
names = st.text("abcdefg", min_size=1, max_size=2)
documents = st.dictionaries(
    names, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)),
    max_size=4,
)  # fmt: skip


def as_pattern(value: Any) -> Any:
    """Build the pattern for exactly this value; None for one without a leaf."""
    if isinstance(value, dict):
        members = {name: made for name, item in value.items() if (made := as_pattern(item))}
        return members or None
    if isinstance(value, list):
        return None
    return [value]


@given(documents)
def test_an_event_matches_the_pattern_made_from_it(event: dict[str, Any]) -> None:
    """The pattern names every value of the event."""
    pattern = as_pattern(event)

    assert pattern is None or matches(pattern, event)


small = st.sampled_from([0, 1])
nested = st.recursive(
    small, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner), max_leaves=12
)


@given(
    st.dictionaries(st.sampled_from("ab"), nested),
    st.dictionaries(st.sampled_from(["a", "a.x", "a.y", "a.x.y", "b", "b.x", "b.y"]), small, max_size=4),
)
def test_arrays_match_as_trying_every_choice_would(event: dict[str, Any], wanted: dict[str, int]) -> None:
    """Each field must have a matching value, all of them from the same objects."""
    if not wanted:
        return
    fields = fields_of(event)
    choices = [[place for value, place in fields.get(path, []) if value == one] for path, one in wanted.items()]

    def together(places: tuple[Any, ...]) -> bool:
        chosen: dict[Any, int] = {}
        return all(chosen.setdefault(one[:2], one[2]) == one[2] for place in places for one in place)

    expected = any(together(places) for places in itertools.product(*choices))

    assert matches({path: [one] for path, one in wanted.items()}, event) is expected


@given(documents, names, scalars)
def test_anything_but_is_the_opposite_of_a_value(event: dict[str, Any], name: str, value: Any) -> None:
    """For a single value; neither matches an absent field."""
    if not isinstance(value, str) or isinstance(event.get(name), dict | list):
        return
    found = (matches({name: [value]}, event), matches({name: [{"anything-but": value}]}, event))

    assert sum(found) == (1 if name in event else 0)


@given(documents, st.lists(st.tuples(names, scalars), min_size=2, max_size=4))
def test_or_matches_when_one_alternative_does(event: dict[str, Any], parts: list[tuple[str, Any]]) -> None:
    """$or is several patterns in one."""
    patterns = [{name: [value]} for name, value in parts]

    assert matches({"$or": patterns}, event) is any(matches(pattern, event) for pattern in patterns)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_wildcard_agrees_with_a_regular_expression(pattern: str, value: str) -> None:
    """`*` matches any characters, or none."""
    try:
        wildcard = Wildcard(pattern)
    except (WildcardSyntaxError, AwsError):
        return
    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), value, re.DOTALL) is not None

    assert wildcard(value) is expected


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_a_numeric_range_is_two_comparisons(low: int, high: int, value: int) -> None:
    """A lower and an upper bound; the lower one must be smaller."""
    pattern = {"a": [{"numeric": [">", low, "<=", high]}]}
    if low >= high:
        with pytest.raises(AwsError):
            matches(pattern, {"a": value})
        return

    assert matches(pattern, {"a": value}) is (low < value <= high)
