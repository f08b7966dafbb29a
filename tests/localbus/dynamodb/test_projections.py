"""Projection expressions: the parts of an item, and errors in DynamoDB's words.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html has the rules;
the texts are those of DynamoDB Local 3.3.
"""

from __future__ import annotations

from typing import Any

import pytest
from localbus.dynamodb.expressions.request import Expressions
from localbus.errors import AwsError

ITEM: dict[str, Any] = {
    "n": {"N": "5"},
    "s": {"S": "x"},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"q": {"N": "1"}, "r": {"N": "2"}}}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "d"}}}}},
}


def projected(text: str) -> Any:
    """Return the parts of the item."""
    names = {"ExpressionAttributeNames": {"#r": "name", "#n": "n"}} if "#r" in text else {}
    found = Expressions({"ProjectionExpression": text} | names).projection()
    assert found is not None
    return found.apply(ITEM)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("n, s", {"n": {"N": "5"}, "s": {"S": "x"}}),
        ("m.a, m.b.c", {"m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "d"}}}}}}),
        ("l[1], l[0]", {"l": {"L": [{"N": "1"}, {"S": "x"}]}}),
        ("l[2].q, l[0]", {"l": {"L": [{"N": "1"}, {"M": {"q": {"N": "1"}}}]}}),
        ("l[9], m.zz, zz.a, n.a, s[0], l[0].a", {}),
        ("#r, #n", {"n": {"N": "5"}}),
    ],
)
def test_a_projection(text: str, parts: dict[str, Any]) -> None:
    """A projection keeps the nesting, and leaves out what is not there."""
    assert projected(text) == parts


OVERLAP = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one:"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The expression can not be empty;"),
        ("n,", 'Syntax error; token: "<EOF>", near: ","'),
        (",n", 'Syntax error; token: ",", near: ",n"'),
        ("n s", 'Syntax error; token: "s", near: "n s"'),
        ("size(a)", 'Syntax error; token: "(", near: "size(a"'),
        (":a", 'Syntax error; token: ":a", near: ":a"'),
        ("1a", 'Syntax error; token: "1", near: "1a"'),
        ("name", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("n, n", f"{OVERLAP} [n], path two: [n]"),
        ("m, m.a", f"{OVERLAP} [m], path two: [m, a]"),
        (
            "m.a, m[0]",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; "
            "path one: [m, a], path two: [m, [0]]",
        ),
        ("#q", "An expression attribute name used in the document path is not defined; attribute name: #q"),
    ],
)
def test_an_invalid_projection(text: str, reason: str) -> None:
    """An invalid projection is rejected in DynamoDB's words."""
    with pytest.raises(AwsError) as raised:
        projected(text)
    assert raised.value.message == f"Invalid ProjectionExpression: {reason}"
