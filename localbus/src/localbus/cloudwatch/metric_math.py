"""Metric math: arithmetic, comparisons, AND, OR and functions over time series.

Two series are combined where both have a value. SEARCH, anomaly detection and Metrics Insights are not implemented.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from localbus.cloudwatch.errors import invalid
from localbus.cloudwatch.math_functions import FUNCTIONS, MathError, Range, TimeSeries, Value, combine, finite

__all__ = ["Expression", "TimeSeries", "Value"]

MAX_EXPRESSION: Final = 1024
_DEEPEST: Final = 30
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))"
)
_COMPARISONS: Final = ("==", "!=", "<=", ">=", "<", ">")
_AND, _OR = ("AND", "&&"), ("OR", "||")


class _Evaluation(NamedTuple):
    """The values of the ids, the ids of METRICS(), and the periods of one evaluation."""

    values: Mapping[str, Value]
    metrics: Sequence[str]
    range: Range


_Node = Callable[[_Evaluation], Value]


class Expression:
    """A parsed expression. `ids` are those of the queries that it names; `uses_metrics` says that it has METRICS()."""

    def __init__(self, text: str) -> None:
        if not 1 <= len(text) <= MAX_EXPRESSION:
            raise invalid(f"An expression has 1 to {MAX_EXPRESSION} characters; this one has {len(text)}.")
        self._text = text
        self._tokens = self._tokenized()
        self._at = 0
        self._depth = 0
        self.ids: set[str] = set()
        self.uses_metrics = False
        self._root = self._or()
        if self._at < len(self._tokens):
            raise self._error(f"{self._tokens[self._at]!r} is not expected here")

    def evaluate(
        self, values: Mapping[str, Value], metrics: Sequence[str], period_s: int, times: Sequence[int]
    ) -> TimeSeries:
        """Return the time series. Raises AwsError if the result is a number or several series."""
        try:
            found = self._root(_Evaluation(values, metrics, Range(period_s, times)))
        except MathError as exc:  # of an operator
            raise self._error(str(exc)) from exc
        if not isinstance(found, dict):
            kind = "several time series" if isinstance(found, list) else "a number"
            raise self._error(f"its result is {kind}; it must be one time series")
        return found

    # The parser: one method for each level of precedence.

    def _or(self) -> _Node:
        return self._chain(_OR, self._and)

    def _and(self) -> _Node:
        return self._chain(_AND, self._comparison)

    def _comparison(self) -> _Node:
        return self._chain(_COMPARISONS, self._sum)

    def _sum(self) -> _Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> _Node:
        return self._chain(("*", "/"), self._signed)

    def _chain(self, operators: Sequence[str], inner: Callable[[], _Node]) -> _Node:
        left = inner()
        while self._peek() in operators:
            operator = self._next()
            left = _operation(operator, left, inner())
        return left

    def _signed(self) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"it is nested deeper than {_DEEPEST} levels")
        try:
            return self._power()
        finally:
            self._depth -= 1

    def _power(self) -> _Node:
        if self._peek() == "-":
            self._next()
            return _operation("-", lambda _: 0.0, self._signed())
        base = self._operand(self._next())
        if self._peek() != "^":
            return base
        self._next()
        return _operation("^", base, self._signed())

    def _operand(self, first: str) -> _Node:
        if first == "(":
            inner = self._or()
            self._expect(")")
            return inner
        if first == "[":
            items = self._arguments("]")
            return lambda given: [one for item in items for one in _as_list(item(given))]
        if first[:1].isdigit() or first[:1] == ".":
            number = float(first)
            return lambda _: number
        if self._peek() == "(":
            self._next()
            return self._function(first)
        if not first[:1].islower():
            raise self._error(f"{first!r} is not expected here" if first else "it ends too early")
        self.ids.add(first)
        return lambda given: given.values[first]

    def _function(self, name: str) -> _Node:
        arguments = self._arguments(")")
        if name == "METRICS" and not arguments:
            self.uses_metrics = True
            return lambda given: [_series(given.values[one]) for one in given.metrics]
        known = FUNCTIONS.get(name)
        if known is None:
            raise self._error(f"localbus does not have the function {name}: it has {', '.join(sorted(FUNCTIONS))}")
        if len(arguments) not in known.arguments:
            counts = " or ".join(map(str, known.arguments))
            raise self._error(f"{name} takes {counts} arguments, and has {len(arguments)}")

        def call(given: _Evaluation) -> Value:
            try:
                return finite(known.function(given.range, *(argument(given) for argument in arguments)))
            except MathError as exc:
                raise self._error(f"{name}: {exc}") from exc

        return call

    def _arguments(self, end: str) -> list[_Node]:
        found: list[_Node] = []
        while self._peek() != end:
            found.append(self._or())
            if self._peek() != end:
                self._expect(",")
        self._next()
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._error(f"expected {token!r} in place of {found!r}" if found else f"{token!r} is missing")

    def _tokenized(self) -> list[str]:
        found: list[str] = []
        at, text = 0, self._text.rstrip()
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise self._error(f"{text[at:].strip()[:1]!r} is not expected here")
            found.append(token["number"] or token["name"] or token["sign"])
            at = token.end()
        return found

    def _error(self, problem: str) -> Exception:
        return invalid(f"Error in expression {self._text!r}: {problem}.")


def _operation(operator: str, left: _Node, right: _Node) -> _Node:
    return lambda given: finite(combine(operator, left(given), right(given)))


def _as_list(value: Value) -> list[TimeSeries]:
    if isinstance(value, list):
        return value
    return [_series(value)]


def _series(value: Value) -> TimeSeries:
    if not isinstance(value, dict):
        raise invalid("A list in an expression has time series only.")
    return value
