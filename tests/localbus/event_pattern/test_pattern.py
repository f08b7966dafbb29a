"""What an event pattern matches.

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
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.event_pattern.wildcard import Wildcard, WildcardSyntaxError


def matches(pattern: Any, event: Any) -> bool:
    """Whether the pattern matches the event."""
    return EventPattern(pattern if isinstance(pattern, str) else json.dumps(pattern)).matches(fields_of(event))


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
    ("patterns", {"a": [3.018e2]}, {"a": 301.8}, True),
    ("patterns", {"a": ["300"]}, {"a": 300}, False),
    ("patterns", {"a": [300]}, {"a": "300"}, False),
    ("patterns", {"a": [123456789012]}, {"a": 123456789012}, True),
    ("patterns", {"detail": {"state.status": ["running"]}}, {"detail": {"state": {"status": "running"}}}, True),
    ("patterns", {"detail": {"state": {"status": ["running"]}}}, {"detail": {"state.status": "running"}}, True),
    ("patterns", {"detail": {"state": {"status": ["running"]}}}, {"detail": {"state-status": "running"}}, False),
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
    ("ruler", {"i": [0], "i.b": [1]}, {"i": [{}, [0, {"b": 1}]]}, True),
    ("ruler", {"i": [0], "i.b": [{"exists": False}]}, {"i": [{}, [0, {"b": 1}]]}, False),
    ("ruler", {"i": {"a": [1], "b": [1]}}, {"i": [[{"a": 1}, {"b": 1}], [{"a": 1, "b": 1}]]}, True),
    ("ruler", {"i": {"a": [1], "b": [1]}}, {"i": [[{"a": 1}, {"b": 1}], [{"a": 1}, {"b": 1}]]}, False),
    # prefix and suffix
    ("operators", {"a": [{"prefix": "2022-"}]}, {"a": "2022-07-13"}, True),
    ("operators", {"a": [{"prefix": "2022-"}]}, {"a": "x2022-"}, False),
    ("operators", {"a": [{"prefix": ""}]}, {"a": ""}, True),
    ("operators", {"a": [{"prefix": "1"}]}, {"a": 12}, False),
    ("operators", {"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "EVENTBRIDGE"}, True),
    ("operators", {"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "EVENT"}, False),
    ("operators", {"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ("operators", {"a": [{"suffix": ".png"}]}, {"a": "x.PNG"}, False),
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
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "initializing"}, False),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "running"}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": 5}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {"a": None}, True),
    ("operators", {"a": [{"anything-but": {"prefix": "init"}}]}, {}, False),
    ("operators", {"a": [{"anything-but": {"prefix": ["init", "st"]}}]}, {"a": "stopped"}, False),
    ("operators", {"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": "a.txt"}, False),
    ("operators", {"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, {"a": "a.jpg"}, True),
    ("operators", {"a": [{"anything-but": {"equals-ignore-case": "Init"}}]}, {"a": "INIT"}, False),
    ("operators", {"a": [{"anything-but": {"equals-ignore-case": ["init", "stop"]}}]}, {"a": "go"}, True),
    ("operators", {"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "/usr/lib/x"}, False),
    ("operators", {"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "/usr/x"}, True),
    # exists works on leaves only
    ("operators", {"a": [{"exists": True}]}, {"a": None}, True),
    ("operators", {"a": [{"exists": True}]}, {"b": 1}, False),
    ("operators", {"a": [{"exists": False}]}, {"b": 1}, True),
    ("operators", {"a": [{"exists": False}]}, {"a": 1}, False),
    ("operators", {"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ("operators", {"a": [{"exists": False}]}, {"a": []}, True),
    ("operators", {"a": {"b": [{"exists": False}, "x"]}}, {"a": {"b": "x"}}, True),
    ("operators", {"a": {"b": [{"exists": False}, "x"]}}, {"a": {"b": "y"}}, False),
    ("operators", {"a": {"b": [{"exists": False}, {"anything-but": ["roses"]}]}}, {"a": {"c": 1}}, True),
    ("ruler", {"i": {"a": [1], "b": [{"exists": False}]}}, {"i": [{"a": 1}, {"a": 2, "b": 3}]}, True),
    ("ruler", {"i": {"a": [1], "b": [{"exists": False}]}}, {"i": [{"a": 1, "b": 3}, {"a": 2}]}, False),
    # cidr, and addresses as values
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.255"}, False),
    ("operators", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "no address"}, False),
    ("operators", {"a": [{"cidr": "2001:db8:1234:1a00::/64"}]}, {"a": "2001:db8:1234:1a00:0:0:0:1"}, True),
    ("operators", {"a": [{"cidr": "2001:db8:1234:1a00::/64"}]}, {"a": "10.0.0.1"}, False),
    ("ruler", {"a": ["2001:db8::1"]}, {"a": "2001:db8:0:0::1"}, True),
    # wildcard
    ("operators", {"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/x/y.png"}, True),
    ("operators", {"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/x.jpg"}, False),
    ("operators", {"a": [{"wildcard": "a*b*a"}]}, {"a": "aba"}, True),
    ("operators", {"a": [{"wildcard": "a*b*a"}]}, {"a": "aa"}, False),
    ("operators", {"a": [{"wildcard": "x\\*y\\\\*"}]}, {"a": "x*y\\z"}, True),
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


@pytest.mark.parametrize(
    ("page", "pattern", "event", "expected"), ROWS, ids=[f"{n}-{row[0]}" for n, row in enumerate(ROWS)]
)
def test_a_pattern_matches_as_documented(page: str, pattern: Any, event: Any, expected: bool) -> None:
    """Each row matches, or does not, as its page says."""
    assert matches(pattern, event) is expected, page


EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
# Reasons as EventBridge words them, with the column that it names; each was recorded of TestEventPattern.
REFUSED: list[tuple[str, str, int | None]] = [
    ('{"int": 42}', '"int" must be an object or an array', 11),
    ('{"string": "my-value"}', '"string" must be an object or an array', 13),
    ('{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}', "Unrecognized match type NUMERIC", 36),
    ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
    ('{"resources": []}', "Empty arrays are not allowed", 17),
    ('{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}', "Bad numeric range operator: >", 49),
    ('{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', "Value of < must be numeric", 50),
    (
        '{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}',
        "equals-ignore-case match pattern must be a string",
        42,
    ),
    (
        '{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}',
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        66,
    ),
    ('{"EventBusArn": [{"wildcard": 123}]}', "wildcard match pattern must be a string", 34),
    ('{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}', "wildcard match pattern must be a string", 59),
    (
        '{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}',
        "prefix/suffix match pattern must be a string",
        57,
    ),
    (
        '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
        "Value of anything-but must be an array or single string/number value.",
        55,
    ),
    ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23),
    ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25),
    ('{"FileName": [{"suffix": [".png"]}]}', "suffix match pattern must be a string", 27),
    ('{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}', "prefix match pattern must be a string", 43),
    ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required", None),
    ('{"a": [{"cidr": "10.0.0.0/x"}]}', "Malformed CIDR, mask bits must be an integer", None),
    ('{"a": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx", None),
    ('{"a": [{"cidr": "xxxx:db8:1234:1a00::/64"}]}', "Nonstandard IP address: xxxx:db8:1234:1a00::", None),
    ('["not", "a", "dict", "but valid json"]', "Filter is not an object", 2),
    (
        "this is valid json but not a dict",
        f"Unrecognized token 'this': {EXPECTED}",
        5,
    ),
    (
        "{'bad': 'quotation'}",
        "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        2,
    ),
    (
        '{"not": closed mark"',
        f"Unrecognized token 'closed': {EXPECTED}",
        15,
    ),
    (
        '{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}',
        "Consecutive wildcard characters at pos 26",
        72,
    ),
    (
        '{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}',
        "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
        "wildcard character",
        None,
    ),
]


@pytest.mark.parametrize(("pattern", "reason", "column"), REFUSED, ids=[row[0][:40] for row in REFUSED])
def test_a_pattern_is_refused_in_the_words_of_aws(pattern: str, reason: str, column: int | None) -> None:
    """The message says why and where, as EventBridge's does."""
    with pytest.raises(AwsError) as raised:
        EventPattern(pattern)

    place = "" if column is None else f'\n at [Source: (String)"{pattern}"; line: 1, column: {column}]'
    assert raised.value.code == "InvalidEventPatternException"
    assert raised.value.message == f"Event pattern is not valid. Reason: {reason}{place}"


OUT_OF_RANGE = "Value must be between -5.0E9 and 5.0E9, inclusive"


@pytest.mark.parametrize(
    ("pattern", "reason", "column"),
    [
        ('{"a": [{"numeric": ["=", 6e9]}]}', OUT_OF_RANGE, 30),
        ('{"a": [{"numeric": [">", 1, "<", 6e9]}]}', OUT_OF_RANGE, 38),
        ('{"a": [{"anything-but": 6e9}]}', OUT_OF_RANGE, None),
        ('{"a": [{"anything-but": [1, 6e9]}]}', OUT_OF_RANGE, 32),
        ('{"a": [{"anything-but": {"wildcard": ["b**c", "d"]}}]}', "Consecutive wildcard characters at pos 2", 51),
    ],
)
def test_a_value_is_refused_where_the_open_engine_does(pattern: str, reason: str, column: int | None) -> None:
    """What is wrong with a value is found when its list has been read (https://github.com/aws/event-ruler)."""
    test_a_pattern_is_refused_in_the_words_of_aws(pattern, reason, column)


def test_an_error_inside_a_list_names_its_place_twice() -> None:
    """EventBridge wraps these errors once more, and so comes to say the place two times."""
    pattern = '{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}'
    place = f'\n at [Source: (String)"{pattern}"; line: 1, column: 57]'

    with pytest.raises(AwsError) as raised:
        EventPattern(pattern)

    assert raised.value.message.endswith(f"wildcard match pattern must be a string{place}{place}")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{",
        "{}",
        '{"a"',
        '{"a":',
        '{"a": [',
        '{"a": ["x"',
        '{"a": ["x" "y"]}',
        '{"a": ["x",]}',
        '{"a": ["\\x"]}',
        '{"a": {}}',
        '{"a": [["x"]]}',
        '{"a": [{}]}',
        '{"a": [{"exists": 1}]}',
        '{"a": [{"exists": true, "prefix": "x"}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": [{"prefix": {"equals-ignore-case": 1}}]}',
        '{"a": [{"prefix": {"wildcard": "x"}}]}',
        '{"a": [{"numeric": "="}]}',
        '{"a": [{"numeric": []}]}',
        '{"a": [{"numeric": ["=", 1, "<", 2]}]}',
        '{"a": [{"numeric": ["~", 1]}]}',
        '{"a": [{"numeric": [">", 1, 2]}]}',
        '{"a": [{"numeric": [">", 5, "<", 1]}]}',
        '{"a": [{"numeric": [">", 1, "<", 5, 6]}]}',
        '{"a": [{"numeric": ["=", 6e9]}]}',
        '{"a": [{"anything-but": []}]}',
        '{"a": [{"anything-but": ["x", 1]}]}',
        '{"a": [{"anything-but": null}]}',
        '{"a": [{"anything-but": [true]}]}',
        '{"a": [{"anything-but": {"exists": true}}]}',
        '{"a": [{"anything-but": {"prefix": ""}}]}',
        '{"a": [{"anything-but": {}}]}',
        '{"a": [{"cidr": "10.0.0.0/32"}]}',
        '{"a": [{"cidr": "10.0.0.0/-1"}]}',
        '{"a": [{"cidr": "::/128"}]}',
        '{"a": [{"wildcard": "x\\\\y"}]}',
        '{"$or": {"a": ["x"]}}',
        '{"$or": [{"a": ["x"]}]}',
        '{"$or": [{"a": ["x"]}, "b"]}',
        '{"$or": [{"a": ["x"]}, {"prefix": ["x"]}]}',
        '{"$or": [{"a": ["x"]}, {}]}',
        "[" * 1000,
        '{"a":' * 1000,
    ],
)
def test_a_pattern_that_is_no_pattern_is_refused(pattern: str) -> None:
    """Whatever is wrong, the answer is InvalidEventPatternException (API_PutRule.html)."""
    with pytest.raises(AwsError, match=r"^InvalidEventPatternException: Event pattern is not valid\. Reason: "):
        EventPattern(pattern)


def test_too_many_combinations_are_refused() -> None:
    """$or multiplies; what would take minutes is refused at once."""
    many = [{f"f{number}": [number]} for number in range(40)]

    with pytest.raises(AwsError, match="too complex"):
        EventPattern(json.dumps({"a": {"$or": many}, "b": {"$or": many}}))


def test_arrays_that_have_nothing_to_do_with_each_other_do_not_multiply() -> None:
    """Six arrays of a thousand objects each are looked through one after the other."""
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
    """The pattern that wants just this value; nothing for what has no leaf."""
    if isinstance(value, dict):
        members = {name: made for name, item in value.items() if (made := as_pattern(item))}
        return members or None
    if isinstance(value, list):
        return None
    return [value]


@given(documents)
def test_an_event_matches_the_pattern_made_from_it(event: dict[str, Any]) -> None:
    """A pattern that names every value of an event matches it."""
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
def test_arrays_are_matched_as_trying_every_choice_would(event: dict[str, Any], wanted: dict[str, int]) -> None:
    """A pattern holds when each field has a value that is wanted, all of them out of the same objects."""
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
def test_exactly_one_of_a_value_and_anything_but_it_matches_what_is_there(
    event: dict[str, Any], name: str, value: Any
) -> None:
    """For a single value, `anything-but` is the opposite of the value; for one that is not there neither matches."""
    if not isinstance(value, str) or isinstance(event.get(name), dict | list):
        return
    found = (matches({name: [value]}, event), matches({name: [{"anything-but": value}]}, event))

    assert sum(found) == (1 if name in event else 0)


@given(documents, st.lists(st.tuples(names, scalars), min_size=2, max_size=4))
def test_or_matches_when_one_of_its_parts_does(event: dict[str, Any], parts: list[tuple[str, Any]]) -> None:
    """$or is nothing but several patterns in one."""
    patterns = [{name: [value]} for name, value in parts]

    assert matches({"$or": patterns}, event) is any(matches(pattern, event) for pattern in patterns)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_wildcard_is_what_a_regular_expression_says(pattern: str, value: str) -> None:
    """`*` stands for any characters, also none."""
    try:
        wildcard = Wildcard(pattern)
    except (WildcardSyntaxError, AwsError):
        return
    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), value, re.DOTALL) is not None

    assert wildcard.matches(value) is expected


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_a_numeric_range_is_two_comparisons(low: int, high: int, value: int) -> None:
    """A range has a lower and an upper bound, and the lower must be the lower one."""
    pattern = {"a": [{"numeric": [">", low, "<=", high]}]}
    if low >= high:
        with pytest.raises(AwsError):
            matches(pattern, {"a": value})
        return

    assert matches(pattern, {"a": value}) is (low < value <= high)


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*'{}[]:,"', '"a"', '"$or"', '"prefix"', "1", "null"])).map("".join)
)
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    """Nothing else than a refusal comes of a text that is no pattern."""
    try:
        EventPattern(text)
    except AwsError as exc:
        assert exc.code == "InvalidEventPatternException"  # noqa: PT017 (most texts are refused, a few are not)
