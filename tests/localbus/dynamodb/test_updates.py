"""Update expressions: what they make of an item, and their errors in DynamoDB's words.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html has the rules; the
texts are those of Amazon's DynamoDB Local 3.3. UPDATED_OLD and UPDATED_NEW have only the nested parts that are named,
as recorded from AWS in ScyllaDB's test_returnvalues.py; DynamoDB Local shows whole attributes.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.dynamodb.expressions.request import Expressions
from localbus.dynamodb.expressions.update import Update
from localbus.errors import AwsError

ITEM: dict[str, Any] = {
    "n": {"N": "5"},
    "s": {"S": "x"},
    "l": {"L": [{"N": "1"}, {"S": "x"}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "d"}}}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
}
VALUES: dict[str, Any] = {
    ":one": {"N": "1"},
    ":x": {"S": "x"},
    ":list": {"L": [{"N": "9"}]},
    ":set": {"SS": ["b", "c"]},
    ":numbers": {"NS": ["1.0"]},
    ":big": {"N": "9.9E125"},
    ":digits": {"N": "12345678901234567890123456789012345678"},
    ":half": {"N": "0.5"},
    ":tiny": {"N": "1.1E-130"},
}


def update(text: str) -> Update:
    """Parse an update with those of the values that it has."""
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
    values = {key: dict(value) for key, value in VALUES.items() if key in words}
    params: dict[str, Any] = {"UpdateExpression": text} | ({"ExpressionAttributeValues": values} if values else {})
    params |= {"ExpressionAttributeNames": {"#q": "m.a"}} if "#q" in words else {}
    expressions = Expressions(params, "UpdateExpression", "ConditionExpression")
    found = expressions.update()
    expressions.check_unused()
    return found


def error(text: str) -> str:
    """Return the reason for which an update fails, at once or on the item."""
    with pytest.raises(AwsError) as raised:
        update(text).apply(ITEM)
    assert raised.value.code == "ValidationException"
    return raised.value.message.removeprefix("Invalid UpdateExpression: ")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("SET a = :one", {"a": {"N": "1"}}),
        ("set a = n", {"a": {"N": "5"}}),
        ("SET n = n + :one", {"n": {"N": "6"}}),
        ("SET n = :one - n", {"n": {"N": "-4"}}),
        ("SET a = (n + :one)", {"a": {"N": "6"}}),
        ("SET #q = :one", {"m.a": {"N": "1"}}),
        ("SET a = if_not_exists(n, :x), b = if_not_exists(zz, :x)", {"a": {"N": "5"}, "b": {"S": "x"}}),
        ("SET a = if_not_exists(zz, :one) + :one", {"a": {"N": "2"}}),
        ("SET l = list_append(l, :list)", {"l": {"L": [{"N": "1"}, {"S": "x"}, {"N": "9"}]}}),
        ("SET l = list_append(:list, l)", {"l": {"L": [{"N": "9"}, {"N": "1"}, {"S": "x"}]}}),
        ("SET a = list_append(if_not_exists(zz, :list), :list)", {"a": {"L": [{"N": "9"}, {"N": "9"}]}}),
        ("SET n = s, s = n", {"n": {"S": "x"}, "s": {"N": "5"}}),
        ("SET m.z = :one REMOVE m.a", {"m": {"M": {"b": ITEM["m"]["M"]["b"], "z": {"N": "1"}}}}),
        ("SET l[0] = :x", {"l": {"L": [{"S": "x"}, {"S": "x"}]}}),
        ("SET l[9] = :one, l[7] = n", {"l": {"L": [{"N": "1"}, {"S": "x"}, {"N": "5"}, {"N": "1"}]}}),
        ("SET l[7] = :one REMOVE l[0]", {"l": {"L": [{"S": "x"}, {"N": "1"}]}}),
        ("REMOVE l[0], l[1]", {"l": {"L": []}}),
        ("REMOVE l[9], zz, m.zz", {}),
        ("REMOVE n SET a = n", {"a": {"N": "5"}, "n": None}),
        ("ADD n :one", {"n": {"N": "6"}}),
        ("ADD zz :one", {"zz": {"N": "1"}}),
        ("ADD ss :set", {"ss": {"SS": ["a", "b", "c"]}}),
        ("ADD zz :set", {"zz": {"SS": ["b", "c"]}}),
        ("ADD m.q :one", {"m": {"M": {**ITEM["m"]["M"], "q": {"N": "1"}}}}),
        ("DELETE ss :set", {"ss": {"SS": ["a"]}}),
        ("DELETE ns :numbers", {"ns": {"NS": ["2"]}}),
        ("DELETE zz :set", {}),
    ],
)
def test_an_update(text: str, changed: dict[str, Any]) -> None:
    """An update reads the old item, and changes only what it names."""
    expected = {name: value for name, value in (ITEM | changed).items() if value is not None}

    assert update(text).apply(ITEM) == expected


def test_a_set_that_loses_its_last_element_goes() -> None:
    """A set without elements does not exist in DynamoDB."""
    assert update("DELETE ss :set").apply({"ss": {"SS": ["b"]}}) == {}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("SET n = :one", {"n": {"N": "5"}}, {"n": {"N": "1"}}),
        ("SET m.a = :x", {"m": {"M": {"a": {"N": "1"}}}}, {"m": {"M": {"a": {"S": "x"}}}}),
        ("SET l[1] = :one", {"l": {"L": [{"S": "x"}]}}, {"l": {"L": [{"N": "1"}]}}),
        ("SET m.q = :one", {}, {"m": {"M": {"q": {"N": "1"}}}}),
        ("SET l[100] = :one", {}, {}),
        ("REMOVE s", {"s": {"S": "x"}}, {}),
        ("REMOVE l[0]", {"l": {"L": [{"N": "1"}]}}, {"l": {"L": [{"S": "x"}]}}),
    ],
)
def test_updated_attributes(text: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """UPDATED_OLD and UPDATED_NEW have the paths that the update names."""
    found = update(text)

    assert found.touched.apply(ITEM) == old
    assert found.touched.apply(found.apply(ITEM)) == new


@pytest.mark.parametrize(
    ("text", "creates"), [("SET a = :one REMOVE b", True), ("ADD a :one", True), ("REMOVE a", False)]
)
def test_what_creates_an_item(text: str, creates: bool) -> None:
    """Removing alone does not create an item that does not exist."""
    assert update(text).creates == creates


OVERLAP = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one:"
CONFLICT = "Two document paths conflict with each other; must remove or rewrite one of these paths; path one:"
MISUSED = "The function is not allowed to be used this way in an expression; function:"
WRONG_TYPE = "Incorrect operand type for operator or function; operator"
WRONG_DATA = "An operand in the update expression has an incorrect data type"
ABSENT = "The provided expression refers to an attribute that does not exist in the item"
NO_PATH = "The document path provided in the update expression is invalid for update"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The expression can not be empty;"),
        ("SET", 'Syntax error; token: "<EOF>", near: "SET"'),
        ("FOO a = :one", 'Syntax error; token: "FOO", near: "FOO a"'),
        ("SET a = :one,", 'Syntax error; token: "<EOF>", near: ","'),
        ("SET a = :one, SET b = :one", 'Syntax error; token: "SET", near: ", SET b"'),
        ("SET a = n + :one + :one", 'Syntax error; token: "+", near: ":one + :one"'),
        ("SET size(a) = :one", 'Syntax error; token: "(", near: "size(a"'),
        ("SET a = foo()", 'Syntax error; token: ")", near: "()"'),
        ("ADD n n", 'Syntax error; token: "n", near: "n n"'),
        ("DELETE ss", 'Syntax error; token: "<EOF>", near: "ss"'),
        ("REMOVE n s", 'Syntax error; token: "s", near: "n s"'),
        ("SET a = ((:one))", "The expression has redundant parentheses;"),
        ("SET a = :one SET b = :one", 'The "SET" section can only be used once in an update expression;'),
        ("SET name = :one", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("SET a = foo(l)", "Invalid function name; function: foo"),
        ("SET a = size(l)", "The function is not allowed in an update expression; function: size"),
        ("SET a = list_append(list_append(l, l), l)", f"{MISUSED} list_append"),
        ("SET a = list_append(l, l) + n", f"{MISUSED} list_append"),
        (
            "SET a = list_append(l)",
            "Incorrect number of operands for operator or function; operator or function: list_append, "
            "number of operands: 1",
        ),
        (
            "SET a = if_not_exists(:one, n)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        ("SET a = :no", "An expression attribute value used in expression is not defined; attribute value: :no"),
        ("SET a = n + :x", f"{WRONG_TYPE} or function: +, operand type: S"),
        ("SET a = list_append(l, :one)", f"{WRONG_TYPE} or function: list_append, operand type: N"),
        ("ADD n :x", f"{WRONG_TYPE}: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("ADD n :list", f"{WRONG_TYPE}: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("DELETE ss :one", f"{WRONG_TYPE}: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"),
        ("SET a = :one, a = :x", f"{OVERLAP} [a], path two: [a]"),
        ("SET m.a = :one REMOVE m", f"{OVERLAP} [m, a], path two: [m]"),
        ("SET l[0] = :one, l[0].x = :x", f"{OVERLAP} [l, [0]], path two: [l, [0], x]"),
        ("SET l[0] = :one, l.x = :x", f"{CONFLICT} [l, [0]], path two: [l, x]"),
        ("SET a = s + :one", WRONG_DATA),
        ("SET a = list_append(n, :list)", WRONG_DATA),
        ("ADD ss :one", WRONG_DATA),
        ("ADD s :one", WRONG_DATA),
        ("DELETE n :set", WRONG_DATA),
        ("DELETE ss :numbers", WRONG_DATA),
        ("SET a = zz", ABSENT),
        ("SET a = if_not_exists(n, zz)", ABSENT),
        ("SET zz.a = :one", NO_PATH),
        ("SET n.a = :one", NO_PATH),
        ("SET l.a = :one", NO_PATH),
        ("SET m[0] = :one", NO_PATH),
        ("REMOVE zz.a", NO_PATH),
        ("ADD zz.a :one", NO_PATH),
        (
            "SET n = :big + :big",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        ("SET n = :digits + :half", "Attempting to store more than 38 significant digits in a Number"),
    ],
)
def test_an_invalid_update(text: str, reason: str) -> None:
    """An invalid update is rejected in DynamoDB's words."""
    assert error(text) == reason


# Random updates of top-level numbers and sets, compared with a model

_names = st.sampled_from(["a", "b", "c"])
_numbers = st.integers(-1000, 1000)
_letters = st.sets(st.sampled_from("uvwxyz"), min_size=1)
_values = st.one_of(_numbers, _letters)
_actions = st.dictionaries(_names, st.tuples(st.sampled_from(["SET", "REMOVE", "ADD", "DELETE"]), _values), min_size=1)


def _attribute(value: int | set[str]) -> dict[str, Any]:
    return {"N": str(value)} if isinstance(value, int) else {"SS": sorted(value)}


def _modelled(old: Any, section: str, value: Any) -> Any:
    """Return the new value, or None for none, or raise TypeError."""
    match section:
        case "SET":
            return value
        case "REMOVE":
            return None
        case "ADD":
            if old is None:
                return value
            return old + value if isinstance(old, int) and isinstance(value, int) else old.union(value)
    if isinstance(value, int) or isinstance(old, int):
        raise TypeError("not a set")
    return (old or set()) - value or None


@given(st.dictionaries(_names, _values), _actions)
def test_updates_against_a_model(before: dict[str, Any], actions: dict[str, tuple[str, Any]]) -> None:
    """An update does what a model of its actions does, or both reject it."""
    sections: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name, (section, value) in actions.items():
        sign = " =" if section == "SET" else ""
        sections.setdefault(section, []).append(name if section == "REMOVE" else f"{name}{sign} :{name}")
        values |= {} if section == "REMOVE" else {f":{name}": _attribute(value)}
    params: dict[str, Any] = {"UpdateExpression": " ".join(f"{one} {', '.join(of)}" for one, of in sections.items())}
    params |= {"ExpressionAttributeValues": values} if values else {}
    try:
        changes = {name: _modelled(before.get(name), *action) for name, action in actions.items()}
        expected = {name: _attribute(value) for name, value in (before | changes).items() if value is not None}
    except (TypeError, AttributeError):
        expected = None
    item = {name: _attribute(value) for name, value in before.items()}

    try:
        found = Expressions(params, "UpdateExpression").update().apply(item)
    except AwsError as exc:
        assert expected is None, exc.message  # noqa: PT017
        return

    assert found == expected
