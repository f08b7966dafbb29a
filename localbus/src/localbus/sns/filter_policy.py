"""Filter policies: they select the messages that a subscription gets, by their attributes or by their body.

A filter policy is an event pattern with fewer operators and other limits, so `event_pattern` parses and compiles it.
SNS's limits and errors are here, the fields of messages in `message_fields`.
Source: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, Literal

from localbus.errors import AwsError
from localbus.event_pattern.json_tokenizer import JsonTokens
from localbus.event_pattern.pattern import EventPattern, Fields, holds
from localbus.input_values import read_json
from localbus.sns.message_fields import Unsound, five_digits

Scope = Literal["MessageAttributes", "MessageBody"]

# https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
MAX_KEYS = 5
MAX_COMBINATIONS = 150
MAX_BYTES = 262_144
HIGHEST_NUMBER = 1e9
# https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
_NOT_IN_SNS = {"exactly", "wildcard"}
_PREFIX_OF_REASON = "Event pattern is not valid. Reason: "
_SOURCE = re.compile(r"\[Source: \(String\).*?; (line: \d+, column: \d+\])", re.DOTALL)
_REDACTED = r"[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); \1"


class FilterPolicyError(Exception):
    """An invalid filter policy. The caller adds the name of the parameter."""


class FilterPolicy:
    """A compiled filter policy."""

    def __init__(self, text: str, scope: Scope) -> None:
        document = _read(text)
        try:
            _check_operators(JsonTokens(text))
            self._branches = EventPattern(text, five_digits).branches
        except AwsError as exc:
            raise FilterPolicyError(f"FilterPolicy: {_reason(exc)}") from exc
        if scope == "MessageAttributes" and _is_nested(document):
            raise FilterPolicyError(f"Filter policy scope {scope} does not support nested filter policy")
        _check_limits(document)
        self.text = text
        self.scope: Scope = scope

    def accepts(self, fields: Fields | Unsound) -> bool:
        """Return whether the policy accepts a message with these fields, of its attributes or of its body."""
        return not isinstance(fields, Unsound) and any(holds(branch, fields) for branch in self._branches)


def _read(text: str) -> dict[str, Any]:
    if len(text.encode()) > MAX_BYTES:
        raise FilterPolicyError("FilterPolicy: Filter policy is too long")
    try:
        document = read_json(text)
    except (ValueError, RecursionError) as exc:
        reason = syntax_error(text) or "the text is not JSON"
        raise FilterPolicyError(f"FilterPolicy: failed to parse JSON. {reason}") from exc
    if not isinstance(document, dict):
        raise FilterPolicyError("FilterPolicy: Filter is not an object")
    return document


def syntax_error(text: str) -> str | None:
    """Return what is wrong with the syntax of a JSON text, in AWS's words."""
    tokens = JsonTokens(text)
    try:
        while tokens.next().kind != "end":
            pass
    except AwsError as exc:
        return _reason(exc)
    return None


def _reason(error: AwsError) -> str:
    """Return the reason as SNS words it: without the text of the policy."""
    return _SOURCE.sub(_REDACTED, error.message.removeprefix(_PREFIX_OF_REASON))


def _is_nested(document: Mapping[str, Any]) -> bool:
    """Return whether a policy is deeper than names and their values; the alternatives of an $or do not count."""
    for name, value in document.items():
        if name == "$or" and isinstance(value, list):
            if any(isinstance(one, dict) and _is_nested(one) for one in value):
                return True
        elif isinstance(value, dict):
            return True
    return False


def _check_operators(tokens: JsonTokens) -> None:
    """Raise AwsError for operators of event patterns that SNS does not have, and for numbers out of its range."""
    within: list[str] = []
    after = ""
    must_be_text = False
    while (token := tokens.next()).kind != "end":
        if must_be_text and token.kind != "string":
            raise tokens.error("prefix match pattern must be a string")
        must_be_text = False
        match token.kind:
            case "{" | "[":
                within.append(f"{token.kind}{after}")
                after = ""
            case "}" | "]":
                within.pop()
            case "name":
                after = str(token.value)
                _check_operator(tokens, within, after)
                must_be_text = _is_in_anything_but(within)
            case "number" if abs(float(token.value or 0)) > HIGHEST_NUMBER:
                raise tokens.error("Value must be between -1.0E9 and 1.0E9, inclusive")


def _check_operator(tokens: JsonTokens, within: list[str], name: str) -> None:
    in_values = len(within) > 1 and within[-2].startswith("[") and within[-2] != "[$or"
    if in_values and name in _NOT_IN_SNS:
        raise tokens.error(f"Unrecognized match type {name}")
    if _is_in_anything_but(within) and name != "prefix":
        raise tokens.error(f"Unsupported anything-but pattern: {name}")


def _is_in_anything_but(within: list[str]) -> bool:
    in_expression = len(within) > 2 and within[-3].startswith("[") and within[-3] != "[$or"
    return in_expression and within[-1] == "{anything-but"


def _check_limits(document: Mapping[str, Any]) -> None:
    branches = list(_combinations(document, "", 1))
    if len({path for branch in branches for path in branch}) > MAX_KEYS:
        raise FilterPolicyError(f"FilterPolicy: Filter policy can not have more than {MAX_KEYS} keys")
    if sum(prod(branch.values()) for branch in branches) > MAX_COMBINATIONS:
        raise FilterPolicyError("FilterPolicy: Filter policy is too complex")


def _combinations(document: Mapping[str, Any], path: str, depth: int) -> Iterator[dict[str, int]]:
    """Yield for each branch of the $or operators the number of values of each key, times the depth of the key."""
    branches: list[dict[str, int]] = [{}]
    for name, value in document.items():
        if name == "$or":
            found = [branch for one in value for branch in _combinations(one, path, depth)]
        elif isinstance(value, dict):
            found = list(_combinations(value, f"{path}{name}.", depth + 1))
        else:
            found = [{f"{path}{name}": len(value) * depth}]
        branches = [branch | more for branch in branches for more in found]
    yield from branches
