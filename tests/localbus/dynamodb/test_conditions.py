"""Conditions and filters: their values, and the errors of invalid ones in DynamoDB's words.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html has the rules;
the texts are those of Amazon's DynamoDB Local 3.3.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.dynamodb.attribute_value import check_item
from localbus.dynamodb.expressions.condition import matches
from localbus.dynamodb.expressions.request import Expressions, detected
from localbus.dynamodb.expressions.syntax import Call, Literal, Node, Path
from localbus.errors import AwsError

ITEM: dict[str, Any] = {
    "n": {"N": "5"},
    "s": {"S": "hé"},
    "b": {"B": "eHl6"},
    "l": {"L": [{"N": "1"}, {"S": "x"}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "d"}}}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "t": {"BOOL": True},
    "nu": {"NULL": True},
}
VALUES: dict[str, Any] = {
    ":five": {"N": "5.0"},
    ":two": {"N": "2"},
    ":h": {"S": "h"},
    ":x": {"S": "x"},
    ":S": {"S": "S"},
    ":xy": {"B": "eHk="},
    ":list": {"L": [{"N": "1"}]},
    ":set": {"SS": ["b", "a"]},
    ":one": {"N": "1"},
    ":true": {"BOOL": True},
}
NAMES = {"#n": "n", "#dotted": "m.a", "#reserved": "name"}


def condition(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> Any:
    """Parse a condition with those of the values and names that it has."""
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").replace(".", " ").split()
    given = {key: value for key, value in (VALUES if values is None else values).items() if key in words}
    params: dict[str, Any] = {"ConditionExpression": text}
    params |= {"ExpressionAttributeValues": given} if given or values else {}
    used = {key: name for key, name in NAMES.items() if key in words} if names is None else names
    params |= {"ExpressionAttributeNames": used} if used else {}
    expressions = Expressions(params, "ConditionExpression")
    found = expressions.condition()
    expressions.check_unused()
    return found


def error(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> str:
    """Return the reason for which a condition is rejected."""
    with pytest.raises(AwsError) as raised:
        condition(text, values, names)
    assert raised.value.code == "ValidationException"
    return raised.value.message.removeprefix("Invalid ConditionExpression: ")


@pytest.mark.parametrize(
    "text",
    [
        "n = :five",
        "#n = :five",
        "n >= :five AND n <= :five AND NOT n < :five AND NOT n > :five",
        "n <> :h",
        "zz <> :h",
        "zz <> yy",
        "ss = :set",
        "n BETWEEN :two AND :five",
        "n IN (:two, :five)",
        "l[1] = :x",
        "m.b.c <> :x",
        "attribute_exists(m.b.c) AND attribute_not_exists(m.b.d)",
        "attribute_not_exists(#dotted)",
        "attribute_type(s, :S)",
        "begins_with(s, :h)",
        "begins_with(b, :xy)",
        "contains(s, :h)",
        "contains(l, :x)",
        "contains(ss, :h) OR contains(ns, :two)",
        "contains(b, :xy)",
        "size(l) = :two",
        "size(m) = :two AND size(ss) = :two",
        "size(s) = :two",  # characters, not bytes
        "(n) = (:five)",
        "n = :two OR (n = :five AND NOT (s = :h))",
        "NOT n = :two AND n = :five",
        ":five = n",
        "m.a < n",
        "t = :true",
    ],
)
def test_a_condition_holds(text: str) -> None:
    """The condition holds for the item."""
    assert condition(text).matches(ITEM)


@pytest.mark.parametrize(
    "text",
    [
        "zz = :five",
        "zz = yy",
        "zz < :five",
        "n = :h",
        "s < :five",
        "l < :five",
        "n BETWEEN :x AND :x",
        "n IN (:h, s, zz)",
        "attribute_exists(zz)",
        "attribute_type(n, :S)",
        "begins_with(n, s)",
        "contains(n, :five)",
        "contains(ss, :set)",
        "size(n) = :five",
        "NOT n = :five OR n = :two",
        "l[9] = :x",
        "l.a = :x",
        "n[0] = :x",
    ],
)
def test_a_condition_does_not_hold(text: str) -> None:
    """The condition does not hold for the item; it is valid all the same."""
    assert not condition(text).matches(ITEM)


def test_an_absent_item_has_no_attributes() -> None:
    """A condition on an item that does not exist sees no attributes."""
    assert condition("attribute_not_exists(n)").matches(None)
    assert not condition("attribute_exists(n)").matches(None)


DISTINCT = "The first operand must be distinct from the remaining operands for this operator or function; operator:"
MISUSED = "The function is not allowed to be used this way in an expression; function:"
WRONG_TYPE = "Incorrect operand type for operator or function; operator or function:"
WRONG_NUMBER = "Incorrect number of operands for operator or function; operator or function:"
BOUNDS = "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue:"
ANY_TYPE = "{HDS,M,BOOL,SS,INT,NULL,BS,DOUBLESET,DECIMALSET,B,INTSET,NS,HD,FS,DECIMAL,S,DOUBLE,L,DICT,N,FLOAT}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The expression can not be empty;"),
        (" ", 'Syntax error; token: "<EOF>", near: " "'),
        ("a", 'Syntax error; token: "<EOF>", near: "a"'),
        ("a = ", 'Syntax error; token: "<EOF>", near: "= "'),
        (" )a", 'Syntax error; token: ")", near: " )a"'),
        ("  a  b  c ", 'Syntax error; token: "b", near: "a  b  c"'),
        ("a = :five AND b", 'Syntax error; token: "<EOF>", near: "b"'),
        ("a == :five", 'Syntax error; token: "=", near: "== :five"'),
        ("a != :five", 'Syntax error; token: "!", near: "a !="'),
        ("(a = :five", 'Syntax error; token: "<EOF>", near: ":five"'),
        ("a = :five)", 'Syntax error; token: ")", near: ":five)"'),
        ("a IN ()", 'Syntax error; token: ")", near: "()"'),
        ("a NOT IN (:five)", 'Syntax error; token: "NOT", near: "a NOT IN"'),
        ("a.in = :five", 'Syntax error; token: "in", near: ".in ="'),
        ("a[01] = :five", 'Syntax error; token: "1", near: "01]"'),
        ("a[-1] = :five", 'Syntax error; token: "-", near: "[-1"'),
        ("a = 'x'", 'Syntax error; token: "\'", near: "= \'x"'),
        ("(a AND b) = :five", 'Syntax error; token: "AND", near: "a AND b"'),
        ("a = (b = c)", 'Syntax error; token: "=", near: "b = c"'),
        ("set = :five", 'Syntax error; token: "set", near: "set ="'),
        ("ä = :five", 'Syntax error; token: "ä", near: "ä ="'),
        ("((a = :five))", "The expression has redundant parentheses;"),
        ("((a)) = :five", "The expression has redundant parentheses;"),
        ("NOT ((a = :five))", "The expression has redundant parentheses;"),
        ("name = :five", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("a.Status = :five", "Attribute name is a reserved keyword; reserved keyword: Status"),
        ("foo(a)", "Invalid function name; function: foo"),
        ("ATTRIBUTE_EXISTS(a)", "Invalid function name; function: ATTRIBUTE_EXISTS"),
        ("if_not_exists(a, b)", "The function is not allowed in a condition expression; function: if_not_exists"),
        ("size(a)", f"{MISUSED} size"),
        ("attribute_exists(a) = :five", f"{MISUSED} attribute_exists"),
        ("attribute_exists(a, b)", f"{WRONG_NUMBER} attribute_exists, number of operands: 2"),
        ("contains(a)", f"{WRONG_NUMBER} contains, number of operands: 1"),
        (
            "attribute_exists(:five)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("a < :true", f"{WRONG_TYPE} <, operand type: BOOL"),
        ("a < :list", f"{WRONG_TYPE} <, operand type: L"),
        ("begins_with(a, :five)", f"{WRONG_TYPE} begins_with, operand type: N"),
        ("size(:five) = :five", f"{WRONG_TYPE} size, operand type: N"),
        ("size(size(a)) = :five", f"{WRONG_TYPE} size, operand type: N"),
        ("attribute_type(a, :five)", f"{WRONG_TYPE} attribute_type, operand type: N"),
        ("attribute_type(a, b)", f"{WRONG_TYPE} attribute_type, operand type: {ANY_TYPE}"),
        (
            "attribute_type(a, :x)",
            "Invalid attribute type name found; type: x, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
        ),
        ("a = a", f"{DISTINCT} =, first operand: [a]"),
        ("#n = n", f"{DISTINCT} =, first operand: [n]"),
        ("a[0].b IN (b, a[0].b)", f"{DISTINCT} IN, first operand: [a, [0], b]"),
        (
            "a BETWEEN :five AND :two",
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {BOUNDS} {{N:2}}",
        ),
        (
            "a BETWEEN :five AND :h",
            f"The BETWEEN operator requires same data type for lower and upper bounds; {BOUNDS} {{S:h}}",
        ),
        ("a = :no", "An expression attribute value used in expression is not defined; attribute value: :no"),
        ("#no = :no", "An expression attribute name used in the document path is not defined; attribute name: #no"),
        ("a[2147483648] = :five", "List index is not within the allowable range; index: [2147483648]"),
        (f"a{'.a' * 32} = :five", "The document path has too many nesting levels; nesting levels: 33"),
        ("a = b" * 1000, "Expression size has exceeded the maximum allowed size;"),
        (" OR ".join(["n=:five"] * 151), "The expression contains too many operators; operator count: 301"),
        ("NOT " * 1000 + "n = :five", "The expression contains too many operators; operator count: 301"),
        ("NOT (" * 500 + "n = :five" + ")" * 500, "The expression contains too many operators; operator count: 301"),
        (
            f"a IN ({', '.join(['b'] * 101)})",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
    ],
)
def test_an_invalid_condition(text: str, reason: str) -> None:
    """An invalid condition is rejected in DynamoDB's words."""
    assert error(text) == reason


UNUSED = "Value provided in ExpressionAttribute"


@pytest.mark.parametrize(
    ("values", "names", "reason"),
    [
        ({":a": {"N": "1"}, ":b": {"N": "1"}}, {}, ""),
        ({":a": {"N": "1"}, ":c": {"N": "1"}}, {}, f"{UNUSED}Values unused in expressions: keys: {{:c}}"),
        ({":a": {"N": "1"}}, {"#q": "q"}, f"{UNUSED}Names unused in expressions: keys: {{#q}}"),
        ({":a": {"N": "1"}}, {"q": "q"}, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "q"'),
        (
            {":a": {"N": "1"}},
            {"#q": ""},
            "ExpressionAttributeNames contains invalid value: Empty attribute name for key #q",
        ),
        ({"a": {"N": "1"}}, {}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "a"'),
        ({":a-b": {"N": "1"}}, {}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: ":a-b"'),
        ({}, None, "ExpressionAttributeValues must not be empty"),
        (
            {":a": {"SS": []}},
            {},
            "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: "
            "An string set  may not be empty for key :a",
        ),
        (
            {":a": {"S": "x", "N": "1"}},
            {},
            "ExpressionAttributeValues contains invalid value: Supplied AttributeValue has more than one datatypes "
            "set, must contain exactly one of the supported datatypes for key :a",
        ),
    ],
)
def test_names_and_values(values: dict[str, Any], names: dict[str, str] | None, reason: str) -> None:
    """Names and values must be valid, and each must be used."""
    params: dict[str, Any] = {"FilterExpression": "x = :a" + (" OR y = :b" if ":b" in values else "")}
    params |= {"ExpressionAttributeValues": values} | ({"ExpressionAttributeNames": names} if names else {})

    def run() -> None:
        expressions = Expressions(params, "FilterExpression")
        expressions.filter()
        expressions.check_unused()

    if not reason:
        run()
        return
    with pytest.raises(AwsError) as raised:
        run()
    assert raised.value.message == reason


def test_values_of_a_write() -> None:
    """The errors of PutItem, UpdateItem and DeleteItem are counted and name no value (recorded in moto's tests)."""
    params = {"ConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"NS": []}}}

    with pytest.raises(AwsError) as raised, detected():
        Expressions(params, "ConditionExpression")

    assert raised.value.message == (
        "1 validation error detected: One or more parameter values were invalid: An number set  may not be empty"
    )


MIXED = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters:"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": {":a": {"N": "1"}}},
            "ExpressionAttributeValues can only be specified when using expressions: "
            "FilterExpression and KeyConditionExpression are null",
        ),
        (
            {"FilterExpression": "a = b", "KeyConditions": {"a": {}}, "ConditionalOperator": "OR"},
            f"{MIXED} {{ConditionalOperator, KeyConditions}} Expression parameters: {{FilterExpression}}",
        ),
        ({"ConditionalOperator": "OR"}, "ConditionalOperator cannot be used without Filter or Expected"),
    ],
)
def test_parameters_that_do_not_fit(params: dict[str, Any], reason: str) -> None:
    """Names and values need expressions, and expressions exclude the older parameters."""
    with pytest.raises(AwsError) as raised:
        Expressions(params, "FilterExpression", "KeyConditionExpression")
    assert raised.value.message == reason


# A random condition is printed and parsed again: it must have the same value for random items.

_ATTRIBUTES = ("a", "b")
_literals = st.sampled_from([{"N": "1"}, {"N": "2"}, {"S": "x"}, {"S": "xy"}, {"SS": ["x", "y"]}, {"NULL": True}])
_operands = st.one_of(st.sampled_from([Path((name,)) for name in _ATTRIBUTES]), st.builds(Literal, _literals))
_comparisons = st.builds(lambda name, *two: Call(name, two), st.sampled_from(["=", "<>"]), _operands, _operands)
_nodes = st.recursive(
    _comparisons | st.builds(lambda name: Call("attribute_exists", (Path((name,)),)), st.sampled_from(_ATTRIBUTES)),
    lambda inner: st.one_of(
        st.builds(lambda one: Call("NOT", (one,)), inner),
        st.builds(lambda name, *two: Call(name, two), st.sampled_from(["AND", "OR"]), inner, inner),
    ),
    max_leaves=12,
)
_items = st.fixed_dictionaries({}, optional=dict.fromkeys(_ATTRIBUTES, _literals))


def _printed(node: Node, values: dict[str, Any]) -> str:
    if isinstance(node, Path):
        return str(node.steps[0])
    if isinstance(node, Literal):
        name = f":v{len(values)}"
        values[name] = dict(node.value)
        return name
    assert isinstance(node, Call)
    parts = [_printed(operand, values) for operand in node.operands]
    if node.name in ("AND", "OR"):
        return f" {node.name} ".join(f"({part})" for part in parts)
    if node.name == "NOT":
        return f"NOT ({parts[0]})"
    return f"attribute_exists({parts[0]})" if node.name == "attribute_exists" else f"{parts[0]} {node.name} {parts[1]}"


@given(_nodes, _items)
def test_a_printed_condition_has_the_same_value(node: Node, item: dict[str, Any]) -> None:
    """Parsing what is printed gives a condition with the same value."""
    check_item(item)
    values: dict[str, Any] = {}
    text = _printed(node, values)

    try:
        found = condition(text, values)
    except AwsError as exc:
        assert "must be distinct" in exc.message  # noqa: PT017 (an attribute compared with itself)
        return

    assert found.matches(item) == matches(node, item)
