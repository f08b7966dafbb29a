"""The form of a resource policy: the elements that AWS requires, and the values that they may have.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from localbus.input_values import read_json
from localbus.policy_conditions import is_operator, is_value

_VERSIONS = ("2008-10-17", "2012-10-17")
_PRINCIPALS = {"AWS", "CanonicalUser", "Federated", "Service"}
_AWS_PRINCIPAL = re.compile(r"\*|[0-9]{12}|arn:aws[a-z-]*:(?:iam|sts)::[^:*]+:[^*]+|A[A-Z0-9]{15,}")


class InvalidPolicyError(ValueError):
    """A text that is not a resource policy, with the reason."""


def read_policy(text: str) -> dict[str, Any]:
    """Return the document of a resource policy. Raises InvalidPolicyError."""
    try:
        policy = read_json(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidPolicyError("The policy is not valid JSON.") from exc
    _require(isinstance(policy, dict), "The policy must be a JSON object.")
    _require(policy.get("Version", "2008-10-17") in _VERSIONS, f"Version must be {' or '.join(_VERSIONS)}.")
    _require(isinstance(policy.get("Id", ""), str), "Id must be a string.")
    statements = policy.get("Statement")
    statements = statements if isinstance(statements, list) else [statements]
    _require(bool(statements), "The policy must have a statement.")
    for statement in statements:
        _check_statement(statement)
    return dict(policy)


def _require(valid: bool, reason: str) -> None:
    if not valid:
        raise InvalidPolicyError(reason)


def _check_statement(statement: Any) -> None:
    _require(isinstance(statement, dict), "Each statement must be a JSON object.")
    _require(isinstance(statement.get("Sid", ""), str), "Sid must be a string.")
    effect = statement.get("Effect")
    _require(isinstance(effect, str) and effect in {"Allow", "Deny"}, "Effect must be Allow or Deny.")
    for name, required in (("Principal", True), ("Action", True), ("Resource", False)):
        given = [element for element in (name, f"Not{name}") if element in statement]
        _require(len(given) < 2, f"A statement must not have both {name} and Not{name}.")
        _require(bool(given) or not required, f"A statement must have {name} or Not{name}.")
        for element in given:
            (_check_principal if name == "Principal" else _check_texts)(element, statement[element])
    _check_conditions(statement.get("Condition", {}))


def _check_texts(name: str, value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    valid = bool(texts) and all(isinstance(text, str) and text for text in texts)
    _require(valid, f"{name} must be a string or a list of strings.")


def _check_principal(name: str, value: Any) -> None:
    if value == "*":
        return
    _require(isinstance(value, dict) and bool(value), f'{name} must be "*" or a JSON object.')
    for kind, texts in value.items():
        _require(kind in _PRINCIPALS, f"{name} must name one of {sorted(_PRINCIPALS)}, not {kind}.")
        _check_texts(f"{name}.{kind}", texts)
        for text in (texts if isinstance(texts, list) else [texts]) if kind == "AWS" else []:
            _require(_AWS_PRINCIPAL.fullmatch(text) is not None, f"{text} is not an account, a user or a role.")


def _check_conditions(conditions: Any) -> None:
    _require(isinstance(conditions, dict), "Condition must be a JSON object.")
    for operator, tests in conditions.items():
        _require(is_operator(operator), f"{operator} is not a condition operator.")
        _require(isinstance(tests, dict), f"{operator} must be a JSON object of condition keys.")
        for key, values in tests.items():
            for value in values if isinstance(values, list) else [values]:
                scalar = isinstance(value, str | int | float)
                text = str(value).lower() if isinstance(value, bool) else str(value)
                shown = text if scalar else json.dumps(value)
                _require(scalar and is_value(operator, text), f"{shown} is not a valid value of {operator} for {key}.")
