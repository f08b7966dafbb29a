"""How the rules that an event may match are found."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from localbus.event_pattern import EventPattern, fields_of
from localbus.rule_index import RuleIndex


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


def test_a_rule_that_wants_no_certain_value_is_always_looked_at() -> None:
    """Prefixes, absences and the like cannot be looked up."""
    index = index_of({"prefix": {"source": [{"prefix": "s"}]}, "absent": {"x": ["1", {"exists": False}]}})

    assert looked_at(index, event("other")) == 2
    assert index.matching(fields_of(event("s1"))) == ["prefix", "absent"]


def test_a_rule_that_is_taken_out_is_not_found_any_more() -> None:
    """Nothing of it stays, wherever it stood."""
    index = index_of({"a": {"$or": [{"source": ["x", "y"]}, {"z": [{"exists": True}]}]}, "b": {"source": ["x"]}})

    index.remove("a")
    index.remove("not there")

    assert index.matching(fields_of(event("x") | {"z": 1})) == ["b"]
    assert looked_at(index, event("y")) == 0


values = st.sampled_from(["a", "b", 1, True, None])
tests = values | st.sampled_from([{"prefix": "a"}, {"exists": False}, {"anything-but": "a"}])
patterns = st.dictionaries(st.sampled_from("xyz"), st.lists(tests, min_size=1, max_size=3), min_size=1)
events = st.dictionaries(st.sampled_from("xyz"), values | st.lists(values, max_size=2))


@given(
    st.lists(patterns | st.lists(patterns, min_size=2, max_size=3).map(lambda some: {"$or": some}), max_size=8), events
)
def test_the_index_finds_what_asking_every_rule_would(wanted: list[Any], one: dict[str, Any]) -> None:
    """No rule is lost by not being looked at, and none is found twice."""
    compiled = {str(number): EventPattern(json.dumps(pattern)) for number, pattern in enumerate(wanted)}
    index: RuleIndex[str] = RuleIndex()
    for name, pattern in compiled.items():
        index.add(name, pattern)
    fields = fields_of(one)

    assert sorted(index.matching(fields)) == sorted(n for n, pattern in compiled.items() if pattern.matches(fields))
