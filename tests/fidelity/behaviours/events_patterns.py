"""Event patterns by TestEventPattern: the operators, and invalid patterns."""

from __future__ import annotations

import json
from typing import Any, Final

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import Source, events_api, events_guide

MATCHES = Group("EventBridge", "Pattern matching")
INVALID = Group("EventBridge", "Invalid patterns")
_OPERATORS: Final = events_guide("eb-create-pattern-operators")
_PATTERNS: Final = events_guide("eb-event-patterns")
_ARRAYS: Final = events_guide("eb-event-patterns-arrays")
_EVENT: Final = {
    "id": "1",
    "source": "s",
    "detail-type": "t",
    "account": "000000000000",
    "region": "us-east-1",
    "time": "2026-01-02T03:04:05Z",
    "resources": [],
}


def _matches(key: str, statement: str, source: Source, pattern: Any, wanted: list[Any], unwanted: list[Any]) -> None:  # noqa: PLR0917 (a row of a table)
    """Add a row: the pattern of a detail matches the first details, and not the others."""

    def check(aws: Aws) -> None:
        def result(detail: Any) -> bool:
            given = {"EventPattern": json.dumps({"detail": pattern}), "Event": json.dumps(_EVENT | {"detail": detail})}
            return bool(aws.events.test_event_pattern(**given)["Result"])

        same("does not match", [detail for detail in wanted if not result(detail)], [])
        same("matches", [detail for detail in unwanted if result(detail)], [])

    MATCHES.add(key, statement, source, check)


def _values(key: str, statement: str, values: list[Any], wanted: list[Any], unwanted: list[Any]) -> None:
    """Add a row for one field, by its values."""
    details = [[{"a": value} for value in these] for these in (wanted, unwanted)]
    _matches(key, statement, _OPERATORS, {"a": values}, details[0], details[1])


_values("values", "A value equals one of those listed, case-sensitively", ["x", "y"], ["x", "y"], ["z", "X"])
_values(
    "types", "Numbers, strings, true and null differ", [1, True, None, ""], [1, 1.0, True, None, ""], ["1", 2, False]
)
_values("prefix", "prefix", [{"prefix": "2026-"}], ["2026-07"], ["x2026-", 2026])
_values(
    "prefix_any_case", "prefix with equals-ignore-case", [{"prefix": {"equals-ignore-case": "ev"}}], ["EVENT"], ["vent"]
)
_values("suffix", "suffix", [{"suffix": ".png"}], ["a.png"], ["a.PNG", "png"])
_values(
    "suffix_any_case",
    "suffix with equals-ignore-case",
    [{"suffix": {"equals-ignore-case": ".png"}}],
    ["a.PNG"],
    ["a.jpg"],
)
_values("any_case", "equals-ignore-case", [{"equals-ignore-case": "alice"}], ["AliCE"], ["alicia"])
_values("numeric_equals", "numeric = compares values", [{"numeric": ["=", 5]}], [5, 5.0], ["5", 6])
_values("numeric_range", "numeric with two bounds", [{"numeric": [">", 0, "<=", 5]}], [5, 0.1], [0, 5.1, "3", None])
_values("numeric_less", "numeric with one bound", [{"numeric": ["<", 10]}], [-1, 9.9], [10, True])
_values("but_text", "anything-but, of a present field", [{"anything-but": "x"}], ["y", None, 1], ["x"])
_values("but_list", "anything-but with several strings", [{"anything-but": ["x", "y"]}], ["z"], ["x", "y"])
_values("but_numbers", "anything-but with numbers", [{"anything-but": [100, 200]}], [300], [100, 200.0])
_values("but_prefix", "anything-but with a prefix", [{"anything-but": {"prefix": "init"}}], ["run", 5], ["initial"])
_values("but_prefixes", "anything-but with prefixes", [{"anything-but": {"prefix": ["a", "b"]}}], ["c"], ["ab", "ba"])
_values("but_suffix", "anything-but with a suffix", [{"anything-but": {"suffix": ".txt"}}], ["a.jpg"], ["a.txt"])
_values(
    "but_case",
    "anything-but with equals-ignore-case",
    [{"anything-but": {"equals-ignore-case": "x"}}],
    ["y"],
    ["X", "x"],
)
_values(
    "but_wildcard",
    "anything-but with a wildcard",
    [{"anything-but": {"wildcard": "*/lib/*"}}],
    ["/usr/x"],
    ["/usr/lib/x"],
)
_values("exists", "exists true, for leaves, null included", [{"exists": True}], [None, 0, "x"], [{"b": 1}])
_matches(
    "exists_not", "exists false", _OPERATORS, {"a": [{"exists": False}]}, [{"b": 1}, {"a": []}], [{"a": 1}, {"a": None}]
)
_values(
    "host_bits",
    "A cidr means its whole network, whatever the host bits of its address",
    [{"cidr": "10.20.30.200/24"}, {"cidr": "2001:db8::ff/64"}],
    ["10.20.30.7", "2001:db8::1"],
    ["10.20.31.200", "2001:db9::ff"],
)
_values("addresses", "cidr", [{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.1", "none"])
_values(
    "addresses_of_ipv6", "cidr with IPv6", [{"cidr": "2001:db8::/64"}], ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]
)
_values("wildcard", "wildcard, any number of characters", [{"wildcard": "dir/*.png"}], ["dir/a/b.png"], ["dir/a.jpg"])
_values("wildcards", "wildcard with several stars", [{"wildcard": "a*b*a"}], ["aba", "axbxa"], ["aa", "ab"])
_values("escaped_star", "wildcard with an escaped star", [{"wildcard": "x\\*y"}], ["x*y"], ["xay"])
_values("mixed", "Values and operators in one list: one must match", ["x", {"prefix": "y"}], ["x", "yz"], ["z"])
_values("arrays", "One value of an array must match", ["x"], [["y", "x"]], [["y"], []])
_matches(
    "or_fields",
    "$or over fields",
    _OPERATORS,
    {"$or": [{"a": ["x"]}, {"b": ["y"]}]},
    [{"a": "x"}, {"b": "y"}],
    [{"a": "y"}],
)
_matches(
    "or_and", "$or beside other fields", _OPERATORS, {"c": [1], "$or": [{"a": ["x"]}, {"b": ["y"]}]},
    [{"b": "y", "c": 1}], [{"b": "y", "c": 2}, {"c": 1}],
)  # fmt: skip
_matches("all_fields", "All fields must match", _PATTERNS, {"a": [1], "b": [2]}, [{"a": 1, "b": 2, "c": 3}], [{"a": 1}])
_matches(
    "deep",
    "Objects within objects",
    _PATTERNS,
    {"a": {"b": {"c": ["x"]}}},
    [{"a": {"b": {"c": "x"}}}],
    [{"a": {"b": "x"}}],
)
_matches(
    "array_of_objects",
    "Objects in an array",
    _ARRAYS,
    {"i": {"a": [1]}},
    [{"i": [{"a": 0}, {"a": 1}]}],
    [{"i": [{"a": 0}]}],
)


def _refused(key: str, statement: str, pattern: str, says: str = "") -> None:
    def check(aws: Aws) -> None:
        given = {"EventPattern": pattern, "Event": json.dumps(_EVENT)}
        refused("InvalidEventPatternException", aws.events.test_event_pattern, says=says, **given)

    INVALID.add(key, f"{statement} is rejected: {pattern}", events_api("TestEventPattern", recorded=True), check)


_refused("no_json", "Text that is not JSON", "this is text")
_refused("no_object", "JSON that is not an object", '["a"]', "Filter is not an object")
_refused("empty_array", "An empty array", '{"source": []}', "Empty arrays are not allowed")
_refused("no_array", "A value outside of an array", '{"source": "s"}', "must be an object or an array")
_refused("unknown_operator", "An unknown operator", '{"a": [{"EXISTS": true}]}', "Unrecognized match type EXISTS")
_refused("bad_range", "Twice the same bound", '{"a": [{"numeric": [">", 0, ">", 1]}]}', "Bad numeric range operator")
_refused("half_range", "A bound without its value", '{"a": [{"numeric": [">", 0, "<"]}]}', "Value of < must be numeric")
_refused("but_out_of_range", "A number out of range", '{"a": [{"anything-but": 6e9}]}', "must be between")
_refused("prefix_of_number", "A prefix that is not a string", '{"a": [{"prefix": 1}]}', "must be a string")
_refused("wildcard_of_number", "A wildcard that is not a string", '{"a": [{"wildcard": 1}]}', "must be a string")
_refused("two_stars", "Two stars in a row", '{"a": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters")
_refused("bad_cidr", "A cidr without its length", '{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR")
_refused(
    "too_complex", "A wildcard that is too complex", '{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}', "too complex"
)
_refused("empty_pattern", "An empty pattern", "{}")


def _event(key: str, statement: str, event: str) -> None:
    def check(aws: Aws) -> None:
        given = {"EventPattern": '{"source": ["s"]}', "Event": event}
        refused("ValidationException", aws.events.test_event_pattern, **given)

    INVALID.add(key, f"{statement} is rejected as an event", events_api("TestEventPattern", recorded=True), check)


_event("event_that_is_no_json", "A text that is not JSON", "plain text")
_event("event_with_gaps", "An event without its id, account, time and region", '{"source": "s"}')
