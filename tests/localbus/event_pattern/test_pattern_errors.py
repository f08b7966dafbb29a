"""Errors for invalid event patterns, in EventBridge's words and with its line and column."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern

EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
NOT_A_TEXT = "match pattern must be a string"
NOT_FOLDED = f"equals-ignore-case {NOT_A_TEXT}"
CONSECUTIVE = "Consecutive wildcard characters at pos"
MIXED = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
NOT_SINGLE = "Value of anything-but must be an array or single string/number value."
QUOTE = "Unexpected character (''' (code 39)): was expecting double-quote to start field name"
OUT_OF_RANGE = "Value must be between -5.0E9 and 5.0E9, inclusive"
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard "
    "character"
)


def error(pattern: str) -> str:
    """Return the reason for which a pattern is rejected."""
    with pytest.raises(AwsError) as raised:
        EventPattern(pattern)
    assert raised.value.code == "InvalidEventPatternException"
    prefix, reason = raised.value.message.split("Reason: ", 1)
    assert prefix == "Event pattern is not valid. "
    return reason


@pytest.mark.parametrize(
    ("pattern", "reason", "column"),
    [
        # recorded from TestEventPattern
        ('{"int": 42}', '"int" must be an object or an array', 11),
        ('{"string": "my-value"}', '"string" must be an object or an array', 13),
        ('{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}', "Unrecognized match type NUMERIC", 36),
        ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
        ('{"resources": []}', "Empty arrays are not allowed", 17),
        ('{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}', "Bad numeric range operator: >", 49),
        ('{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', "Value of < must be numeric", 50),
        ('{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}', NOT_FOLDED, 42),
        ('{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}', MIXED, 66),
        ('{"EventBusArn": [{"wildcard": 123}]}', f"wildcard {NOT_A_TEXT}", 34),
        ('{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}', f"wildcard {NOT_A_TEXT}", 59),
        ('{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}', f"prefix/suffix {NOT_A_TEXT}", 57),
        ('{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}', NOT_SINGLE, 55),
        ('{"time": [{"prefix": ["2022-07-13"]}]}', f"prefix {NOT_A_TEXT}", 23),
        ('{"time": [{"prefix": 123}]}', f"prefix {NOT_A_TEXT}", 25),
        ('{"FileName": [{"suffix": [".png"]}]}', f"suffix {NOT_A_TEXT}", 27),
        ('{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}', f"prefix {NOT_A_TEXT}", 43),
        ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required", None),
        ('{"a": [{"cidr": "10.0.0.0/x"}]}', "Malformed CIDR, mask bits must be an integer", None),
        ('{"a": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx", None),
        ('{"a": [{"cidr": "xxxx:db8:1234:1a00::/64"}]}', "Nonstandard IP address: xxxx:db8:1234:1a00::", None),
        ('["not", "a", "dict", "but valid json"]', "Filter is not an object", 2),
        ("this is valid json but not a dict", f"Unrecognized token 'this': {EXPECTED}", 5),
        ("{'bad': 'quotation'}", QUOTE, 2),
        ('{"not": closed mark"', f"Unrecognized token 'closed': {EXPECTED}", 15),
        ('{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}', f"{CONSECUTIVE} 26", 72),
        ('{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}', TOO_COMPLEX, None),
        # at the end of a list of values, as in https://github.com/aws/event-ruler
        ('{"a": [{"numeric": ["=", 6e9]}]}', OUT_OF_RANGE, 30),
        ('{"a": [{"numeric": [">", 1, "<", 6e9]}]}', OUT_OF_RANGE, 38),
        ('{"a": [{"anything-but": 6e9}]}', OUT_OF_RANGE, None),
        ('{"a": [{"anything-but": [1, 6e9]}]}', OUT_OF_RANGE, 32),
        ('{"a": [{"anything-but": {"wildcard": ["b**c", "d"]}}]}', f"{CONSECUTIVE} 2", 51),
    ],
)
def test_an_error_has_the_words_and_the_place_of_aws(pattern: str, reason: str, column: int | None) -> None:
    """It says why and where, as EventBridge's does."""
    place = "" if column is None else f'\n at [Source: (String)"{pattern}"; line: 1, column: {column}]'

    assert error(pattern) == reason + place


def test_an_error_inside_a_list_has_its_place_twice() -> None:
    """EventBridge wraps these errors once more."""
    pattern = '{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}'
    place = f'\n at [Source: (String)"{pattern}"; line: 1, column: 57]'

    assert error(pattern) == f"wildcard {NOT_A_TEXT}{place}{place}"


@pytest.mark.parametrize(
    "pattern",
    [
        # JSON
        *("", "{", "{}", '{"a"', '{"a":', '{"a": [', '{"a": ["x"', '{"a": ["x" "y"]}', '{"a": ["x",]}'),
        *('{"a": ["\\x"]}', "[" * 1000, '{"a":' * 1000),
        # structure
        *('{"a": {}}', '{"a": [["x"]]}', '{"a": [{}]}', '{"$or": {"a": ["x"]}}', '{"$or": [{"a": ["x"]}]}'),
        *('{"$or": [{"a": ["x"]}, "b"]}', '{"$or": [{"a": ["x"]}, {}]}'),
        '{"$or": [{"a": ["x"]}, {"prefix": ["x"]}]}',
        # operators of the field a
        *(
            f'{{"a": [{{{operator}}}]}}'
            for operator in (
                *('"exists": 1', '"exists": true, "prefix": "x"', '"prefix": "x", "suffix": "y"'),
                *('"prefix": {"equals-ignore-case": 1}', '"prefix": {"wildcard": "x"}', '"wildcard": "x\\\\y"'),
                *('"numeric": "="', '"numeric": []', '"numeric": ["=", 1, "<", 2]', '"numeric": ["~", 1]'),
                *('"numeric": [">", 1, 2]', '"numeric": [">", 5, "<", 1]', '"numeric": [">", 1, "<", 5, 6]'),
                *('"anything-but": []', '"anything-but": ["x", 1]', '"anything-but": null', '"anything-but": [true]'),
                *('"anything-but": {"exists": true}', '"anything-but": {"prefix": ""}', '"anything-but": {}'),
                *('"cidr": "10.0.0.0/32"', '"cidr": "10.0.0.0/-1"', '"cidr": "::/128"', '"anything-but": {"": "x"}'),
            )
        ),
    ],
    ids=lambda pattern: str(pattern)[:40],
)
def test_an_invalid_pattern_is_rejected(pattern: str) -> None:
    """With InvalidEventPatternException, for any mistake (API_PutRule.html)."""
    assert error(pattern)


def test_too_many_combinations_are_rejected() -> None:
    """$or multiplies; a pattern that would take minutes is rejected at once."""
    many = [{f"f{number}": [number]} for number in range(40)]

    assert "too complex" in error(json.dumps({"a": {"$or": many}, "b": {"$or": many}}))


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*'{}[]:,"', '"a"', '"$or"', '"prefix"', "1", "null"])).map("".join)
)
def test_any_text_is_compiled_or_rejected(text: str) -> None:
    """No text raises another error."""
    try:
        EventPattern(text)
    except AwsError as exc:
        assert exc.code == "InvalidEventPatternException"  # noqa: PT017 (most texts are rejected, a few are not)
