"""The expressions of one request, or of one part of a batch, with their names and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from localbus.dynamodb.attribute_value import check_value
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions import legacy
from localbus.dynamodb.expressions.binding import Scope
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.key_condition import KeyCondition, KeyTypes, read_key_condition
from localbus.dynamodb.expressions.parser import parse_condition, parse_projection, parse_update
from localbus.dynamodb.expressions.projection import Projection
from localbus.dynamodb.expressions.syntax import ExpressionError, Node
from localbus.dynamodb.expressions.update import Update, bind_update
from localbus.errors import AwsError

_EXPRESSIONS = (
    "UpdateExpression",
    "ProjectionExpression",
    "FilterExpression",
    "ConditionExpression",
    "KeyConditionExpression",
)
_LEGACY = (
    "AttributesToGet",
    "AttributeUpdates",
    "QueryFilter",
    "ScanFilter",
    "Expected",
    "ConditionalOperator",
    "KeyConditions",
)
_MAX_KEY_CHARACTERS = 255
_MAX_NAME_BYTES = 65_535
_KEY = re.compile(r"[#:][A-Za-z0-9_]+")

_Parsed = TypeVar("_Parsed")


class Expressions:
    """The expressions of `params`. Raises AwsError, as all methods do.

    `with_values` are the parameters of the action whose expressions may have values, in the order of AWS's errors.
    """

    def __init__(self, params: Mapping[str, Any], *with_values: str) -> None:
        self._params = params
        names, values = params.get("ExpressionAttributeNames"), params.get("ExpressionAttributeValues")
        used = [name for name in _EXPRESSIONS if params.get(name) is not None]
        if used or names is not None or values is not None:
            _check_kinds(used, [name for name in _LEGACY if params.get(name)])
            _check_use(used, names, values, with_values)
            _check_names(names)
            _check_values(values)
        if params.get("ConditionalOperator") is not None:
            _check_operator(max(len(params.get(name) or ()) for name in _FILTERS))
        self._scope = Scope(names or {}, values or {})

    def condition(self) -> Condition | None:
        """Return the condition of a write."""
        return self._condition("ConditionExpression", "Expected")

    def filter(self) -> Condition | None:
        """Return the filter of a query or scan."""
        return self._condition("FilterExpression", "QueryFilter", "ScanFilter")

    def _condition(self, expression: str, *older: str) -> Condition | None:
        text = self._params.get(expression)
        if text is not None:
            return self._parse(expression, lambda: Condition(self._scope.bind(parse_condition(text))))
        given: Mapping[str, Any] = next((self._params[name] for name in older if self._params.get(name)), {})
        return legacy.condition(given, self._params.get("ConditionalOperator", "AND"))

    def key_condition(self, keys: KeyTypes) -> KeyCondition:
        """Return the key condition of a query on a table or an index with these key attributes."""
        text = self._params.get("KeyConditionExpression")
        if text is not None:
            bind: Callable[[], Node] = lambda: self._scope.bind(parse_condition(text))  # noqa: E731
            return read_key_condition(self._parse("KeyConditionExpression", bind), keys)
        if not self._params.get("KeyConditions"):
            raise invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        return legacy.key_conditions(self._params["KeyConditions"], keys)

    def projection(self) -> Projection | None:
        """Return the projection of a read."""
        text = self._params.get("ProjectionExpression")
        if text is not None:
            return self._parse(
                "ProjectionExpression", lambda: Projection(map(self._scope.path, parse_projection(text)))
            )
        names = self._params.get("AttributesToGet")
        return legacy.projection(names) if names else None

    def update(self) -> Update:
        """Return the update; without one it changes nothing."""
        text = self._params.get("UpdateExpression")
        if text is not None:
            return self._parse("UpdateExpression", lambda: bind_update(parse_update(text), self._scope))
        return legacy.update(self._params.get("AttributeUpdates") or {})

    def check_unused(self) -> None:
        """Raise AwsError if a name or a value is in no expression. Call it when all have been read."""
        for kind, given in (("Names", self._scope.names), ("Values", self._scope.values)):
            unused = self._scope.unused(given)
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{', '.join(unused)}}}"
                )

    def _parse(self, parameter: str, parse: Callable[[], _Parsed]) -> _Parsed:
        try:
            return parse()
        except ExpressionError as exc:
            raise invalid(f"Invalid {parameter}: {exc}") from exc


_FILTERS = ("QueryFilter", "ScanFilter", "Expected")


def _check_operator(conditions: int) -> None:
    if not conditions:
        raise invalid("ConditionalOperator cannot be used without Filter or Expected")
    if conditions < 2:
        raise invalid("ConditionalOperator can only be used when Filter or Expected has two or more elements")


@contextmanager
def detected() -> Iterator[None]:
    """Let errors begin as AWS's do when PutItem, UpdateItem and DeleteItem check a request before they run it."""
    try:
        yield
    except AwsError as exc:
        if exc.code != "ValidationException":
            raise
        text = exc.plain if isinstance(exc, _InvalidValueError) else exc.message
        raise invalid(f"1 validation error detected: {text}") from exc


class _InvalidValueError(AwsError):
    """A value in ExpressionAttributeValues is not valid. `plain` is the text that does not say so."""

    def __init__(self, key: str, plain: str) -> None:
        text = f"ExpressionAttributeValues contains invalid value: {plain} for key {key}"
        super().__init__("ValidationException", text)
        self.plain = plain


def _check_kinds(used: Sequence[str], older: Sequence[str]) -> None:
    if used and older:
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(older)}}} Expression parameters: {{{', '.join(used)}}}"
        )


def _check_use(used: Sequence[str], names: object, values: object, with_values: Sequence[str]) -> None:
    if names is not None and not used:
        raise invalid("ExpressionAttributeNames can only be specified when using expressions")
    if values is not None and not set(used) & set(with_values):
        verb = "is" if len(with_values) == 1 else "are"
        raise invalid(
            "ExpressionAttributeValues can only be specified when using expressions: "
            f"{' and '.join(with_values)} {verb} null"
        )


def _check_names(names: Mapping[str, str] | None) -> None:
    if names is None:
        return
    _check_keys("Names", "#", names)
    for key, name in names.items():
        if not name:
            raise invalid(f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}")
        if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES:
            raise invalid(
                "ExpressionAttributeNames contains invalid value: "
                f"Attribute name is too large, must be less than 65536 bytes for key {key}"
            )


def _check_values(values: Mapping[str, Any] | None) -> None:
    if values is None:
        return
    _check_keys("Values", ":", values)
    for key, value in values.items():
        try:
            check_value(value)
        except AwsError as exc:
            raise _InvalidValueError(key, exc.message) from exc


def _check_keys(kind: str, sign: str, given: Mapping[str, object]) -> None:
    if not given:
        raise invalid(f"ExpressionAttribute{kind} must not be empty")
    for key in given:
        problem = ""
        if len(key) > _MAX_KEY_CHARACTERS:
            problem = f"The expression attribute map contains a key that is too long; size of key: {len(key)}"
        elif key[:1] != sign or not _KEY.fullmatch(key):
            problem = f'Syntax error; key: "{key}"'
        if problem:
            raise invalid(f"ExpressionAttribute{kind} contains invalid key: {problem}")
