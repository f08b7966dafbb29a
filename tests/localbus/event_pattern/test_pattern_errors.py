"""Errors for invalid event patterns, in EventBridge's words and with its line and column."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern

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


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*'{}[]:,"', '"a"', '"$or"', '"prefix"', "1", "null"])).map("".join)
)
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    """Nothing else than a refusal comes of a text that is no pattern."""
    try:
        EventPattern(text)
    except AwsError as exc:
        assert exc.code == "InvalidEventPatternException"  # noqa: PT017 (most texts are refused, a few are not)
