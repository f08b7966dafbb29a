"""Literal values of statements: texts, numbers, true, false, null, [lists], {tuples} and <<sets>>."""

from __future__ import annotations

from localbus.dynamodb.attribute_value import AttributeValue, check_value, kind_of
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.partiql.lexer import Tokens
from localbus.errors import AwsError

_MAX_NESTING = 50
_WORDS: dict[str, AttributeValue] = {"TRUE": {"BOOL": True}, "FALSE": {"BOOL": False}, "NULL": {"NULL": True}}


class Literals:
    """A parser of values without parameters."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._nesting = 0

    def value(self) -> AttributeValue:
        """Parse a value and return it checked. Raises AwsError."""
        value = self._value()
        check_value(value)
        return value

    def _value(self) -> AttributeValue:
        tokens = self._tokens
        if tokens.kind in {"number", "-", "+"}:
            sign = "-" if tokens.accept("-") else ""
            tokens.accept("+")
            return {"N": sign + tokens.expect("number")}
        if tokens.kind in _WORDS:
            return dict(_WORDS[tokens.expect(*_WORDS).upper()])
        if tokens.kind in {"?", "MISSING"}:
            raise invalid(f"Unsupported data type: {'Parameter' if tokens.kind == '?' else 'MISSING'}")
        if tokens.kind == "string":
            return {"S": tokens.expect("string")}
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise tokens.error()
        value = self._container(tokens.expect("[", "{", "<<"))
        self._nesting -= 1
        return value

    def _container(self, opened: str) -> AttributeValue:
        if opened == "{":
            members: dict[str, AttributeValue] = {}
            if not self._tokens.accept("}"):
                self._member(members)
                while self._tokens.accept(","):
                    self._member(members)
                self._tokens.expect("}")
            return {"M": members}
        close = "]" if opened == "[" else ">>"
        values: list[AttributeValue] = []
        if not self._tokens.accept(close):
            values.append(self._value())
            while self._tokens.accept(","):
                values.append(self._value())
            self._tokens.expect(close)
        return {"L": values} if opened == "[" else _bag(values)

    def _member(self, members: dict[str, AttributeValue]) -> None:
        name = self.name()
        if name in members:
            raise duplicate_name(name)
        members[name] = self._value()

    def name(self) -> str:
        """Parse the name of a tuple's member, and the colon after it."""
        if self._tokens.kind == "name":
            raise invalid("Tuple keys must be of type String. Actual type: VariableReference")
        name = self._tokens.expect("string")
        self._tokens.expect(":")
        return name


def duplicate_name(name: str) -> AwsError:
    """Return the error for a member that a tuple has twice."""
    return invalid(f"Duplicate keys in tuple. Key: {name}")


def _bag(values: list[AttributeValue]) -> AttributeValue:
    if not values:
        raise invalid("Empty bags are not supported")
    kinds = {kind_of(value) for value in values}
    if len(kinds) > 1 or not kinds <= {"S", "N"}:
        raise invalid("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
    kind = kinds.pop()
    return {f"{kind}S": [value[kind] for value in values]}
