"""Filter policies: they select messages by the attributes or by the body."""

from __future__ import annotations

import json
from typing import Any, Final

from fidelity.aws import Aws, Queue, attribute
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import Source, sns_guide

GROUP = Group("SNS", "Filter policies")
_STRINGS: Final = sns_guide("string-value-matching")
_NUMBERS: Final = sns_guide("numeric-value-matching")
_KEYS: Final = sns_guide("attribute-key-matching")
_LOGIC: Final = sns_guide("and-or-logic")
_BODY: Final = sns_guide("sns-message-filtering-scope", recorded=True)
_LIMITS: Final = sns_guide("subscription-filter-policy-constraints", recorded=True)


def _typed(value: Any) -> dict[str, str]:
    """Return a message attribute with the type of the value."""
    if isinstance(value, list):
        return attribute(json.dumps(value), "String.Array")
    return attribute(str(value), "String" if isinstance(value, str) else "Number")


def _on_attributes(  # noqa: PLR0917 (a row of a table)
    key: str, statement: str, source: Source, policy: Any, wanted: list[dict[str, Any]], unwanted: list[dict[str, Any]]
) -> None:
    """Add a row: a subscription with the policy gets the messages with the wanted attributes only."""

    def check(aws: Aws) -> None:
        topic, queue = aws.subscribed_topic(FilterPolicy=policy)
        for names in (*unwanted, *wanted):
            attributes = {name: _typed(value) for name, value in names.items()}
            aws.publish(topic, json.dumps(names), MessageAttributes=attributes)
        _compare(queue, wanted)

    GROUP.add(key, statement, source, check)


def _on_body(key: str, statement: str, policy: Any, wanted: list[Any], unwanted: list[Any]) -> None:
    """Add the same row for a policy on the body."""

    def check(aws: Aws) -> None:
        topic, queue = aws.subscribed_topic(FilterPolicy=policy, FilterPolicyScope="MessageBody")
        for body in (*unwanted, *wanted):
            aws.publish(topic, json.dumps(body))
        _compare(queue, wanted)

    GROUP.add(key, statement, _BODY, check)


def _beside(key: str, statement: str, other: dict[str, str], *, arrives: bool) -> None:
    """Add a row: a message has the wanted attribute and another one, which no policy names."""

    def check(aws: Aws) -> None:
        topic, queue = aws.subscribed_topic(FilterPolicy={"k": ["a"]})
        aws.publish(topic, json.dumps("beside"), MessageAttributes={"k": attribute("a"), "other": other})
        aws.publish(topic, json.dumps("alone"), MessageAttributes={"k": attribute("a")})
        _compare(queue, ["beside", "alone"] if arrives else ["alone"])

    GROUP.add(key, statement, sns_guide("sns-message-attributes"), check)


def _compare(queue: Queue, wanted: list[Any]) -> None:
    found = [json.loads(body) for body in queue.bodies(len(wanted))]
    missing, more = [one for one in wanted if one not in found], [one for one in found if one not in wanted]
    same("does not deliver", missing, [])
    same("delivers", more, [])


def _refused(key: str, statement: str, policy: Any, scope: str = "MessageAttributes") -> None:
    """Add a row: AWS rejects the policy."""

    def check(aws: Aws) -> None:
        attributes = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope}
        given = {"TopicArn": aws.topic(), "Protocol": "sqs", "Endpoint": aws.queue().arn, "Attributes": attributes}
        refused("InvalidParameter", aws.sns.subscribe, **given)

    GROUP.add(key, f"{statement} is rejected", _LIMITS, check)


_on_attributes(
    "strings", "A value is one of those listed, capitals counting", _STRINGS, {"k": ["a", "b"]},
    [{"k": "a"}, {"k": "b"}], [{"k": "c"}, {"k": "A"}, {}],
)  # fmt: skip
_on_attributes(
    "string_arrays", "One value of a String.Array is enough", _STRINGS, {"k": ["a"]},
    [{"k": ["x", "a"]}], [{"k": ["x"]}],
)  # fmt: skip
_on_attributes("prefix", "prefix", _STRINGS, {"k": [{"prefix": "bas"}]}, [{"k": "baseball"}], [{"k": "rugby"}])
_on_attributes("suffix", "suffix", _STRINGS, {"k": [{"suffix": "ball"}]}, [{"k": "baseball"}], [{"k": "rugby"}])
_on_attributes(
    "anything_but", "anything-but requires the attribute", _STRINGS, {"k": [{"anything-but": ["a", "b"]}]},
    [{"k": "c"}], [{"k": "a"}, {}],
)  # fmt: skip
_on_attributes(
    "anything_but_prefix", "anything-but with a prefix", _STRINGS, {"k": [{"anything-but": {"prefix": "order-"}}]},
    [{"k": "data-1"}], [{"k": "order-1"}],
)  # fmt: skip
_on_attributes(
    "ignoring_case", "equals-ignore-case", _STRINGS, {"k": [{"equals-ignore-case": "tennis"}]},
    [{"k": "TENNIS"}], [{"k": "rugby"}],
)  # fmt: skip
_on_attributes(
    "addresses", "cidr", _STRINGS, {"k": [{"cidr": "10.0.0.0/24"}]}, [{"k": "10.0.0.255"}], [{"k": "10.1.1.0"}]
)
_on_attributes(
    "numbers", "numeric = compares values, not texts", _NUMBERS, {"k": [{"numeric": ["=", 301.5]}]},
    [{"k": 301.50}], [{"k": 3}],
)  # fmt: skip
_on_attributes(
    "ranges", "numeric with two bounds", _NUMBERS, {"k": [{"numeric": [">", 0, "<=", 150]}]},
    [{"k": 150}, {"k": 1}], [{"k": 0}, {"k": 151}],
)  # fmt: skip
_on_attributes(
    "numbers_but", "anything-but with numbers", _NUMBERS, {"k": [{"anything-but": [100, 500]}]},
    [{"k": 101}], [{"k": 100}],
)  # fmt: skip
_on_attributes("there", "exists true", _KEYS, {"k": [{"exists": True}]}, [{"k": "a"}], [{"x": "a"}])
_on_attributes("not_there", "exists false", _KEYS, {"k": [{"exists": False}]}, [{"x": "a"}], [{"k": "a"}])
_on_attributes(
    "all_keys", "All keys of a policy must match", _LOGIC, {"a": ["1"], "b": ["2"]},
    [{"a": "1", "b": "2", "c": "3"}], [{"a": "1"}, {"a": "1", "b": "3"}],
)  # fmt: skip
_on_attributes(
    "any_branch", "$or: one branch is enough", _LOGIC, {"$or": [{"a": ["1"]}, {"b": ["2"]}], "c": ["3"]},
    [{"a": "1", "c": "3"}, {"b": "2", "c": "3"}], [{"a": "1"}, {"c": "3"}],
)  # fmt: skip
_on_attributes(
    "null", "null does not match a missing attribute", sns_guide("attribute-key-matching", recorded=True),
    {"k": [None, {"anything-but": "x"}]}, [{"k": "a"}], [{}, {"k": "x"}],
)  # fmt: skip
_on_attributes(
    "five_digits", "Numbers are compared with five digits after the point", sns_guide("numeric-value-matching"),
    {"k": [{"numeric": ["=", 1.000001]}]}, [{"k": 1.000002}], [{"k": 1.00002}],
)  # fmt: skip
_on_body(
    "bodies", "A policy on the body matches in objects", {"a": {"b": ["x"]}}, [{"a": {"b": "x"}}], [{"a": {"b": "y"}}]
)
_on_body(
    "arrays_of_bodies", "One value of an array in the body is enough", {"a": ["x"]},
    [{"a": ["y", "x"]}], [{"a": ["y"]}, {"a": []}],
)  # fmt: skip
_on_body(
    "objects_in_arrays", "A policy on the body matches in objects in arrays", {"a": {"b": [{"prefix": "x"}]}},
    [{"a": [{"b": "y"}, {"b": "xy"}]}], [{"a": [{"c": "x"}]}],
)  # fmt: skip
_on_body("types_of_bodies", "In a body 1, true and null differ from texts", {"a": [1, True, None]},
         [{"a": 1}, {"a": True}, {"a": None}], [{"a": "1"}, {"a": False}])  # fmt: skip
_on_body("body_that_is_no_object", "A body that is not a JSON object does not match", {"a": ["x"]},
         [{"a": "x"}], ["a", ["a"], 1])  # fmt: skip
_on_body(
    "or_in_bodies", "$or inside of an object of the body", {"d": {"$or": [{"a": ["1"]}, {"b": ["2"]}]}},
    [{"d": {"a": "1"}}, {"d": {"b": "2"}}], [{"d": {"a": "2"}}],
)  # fmt: skip
_refused("nested_attributes", "A nested policy on attributes", {"a": {"b": ["x"]}})
_refused("six_keys", "A policy with six keys", {f"k{number}": ["v"] for number in range(6)})
_refused("151_values", "A policy with 151 values", {"k": [str(number) for number in range(151)]})
_refused("200_combinations", "A policy with 100 times 2 values", {"a": [str(n) for n in range(100)], "b": ["x", "y"]})
_refused("text_for_values", "A policy with a text instead of values", {"k": "v"})
_refused("unknown_operator", "An unknown operator", {"k": [{"wrong": True}]})
_refused("two_operators", "Two operators in one", {"k": [{"suffix": "a", "prefix": "b"}]})
_refused("number_as_prefix", "A prefix that is not a text", {"k": [{"prefix": 100}]})
_refused("range_upside_down", "A numeric range whose bottom is above its top", {"k": [{"numeric": [">", 3, "<", 1]}]})
_refused("exists_null", "exists with another value than true and false", {"k": [{"exists": None}]})
_beside(
    "quote_beside", "An attribute with a quote keeps a message from filtered subscriptions", attribute('say "hi"'),
    arrives=False,
)  # fmt: skip
_beside("escaped_quote_beside", "An attribute with an escaped quote does not", attribute('say \\"hi\\"'), arrives=True)
_beside(
    "tab_beside",
    "An attribute with a tab keeps a message from filtered subscriptions",
    attribute("a\tb"),
    arrives=False,
)
_beside(
    "no_array_beside", "A String.Array that is not an array keeps a message from filtered subscriptions",
    attribute("x", "String.Array"), arrives=False,
)  # fmt: skip
