"""Errors of DynamoDB's API, in AWS's words."""

from __future__ import annotations

from typing import Any

from localbus.errors import AwsError

_OUT = "Another engine may have it, such as MiniStack (--backend ministack) or LocalStack (--backend localstack)."


def invalid(text: str) -> AwsError:
    """Build a ValidationException."""
    return AwsError("ValidationException", text)


def invalid_parameter(text: str) -> AwsError:
    """Build the ValidationException for values that do not fit together."""
    return invalid(f"One or more parameter values were invalid: {text}")


def no_such_table() -> AwsError:
    """Build the error of item actions for a table that does not exist."""
    return AwsError("ResourceNotFoundException", "Requested resource not found")


def unknown_table(name: str) -> AwsError:
    """Build the error of table actions for a table that does not exist."""
    return AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")


def condition_failed(item: dict[str, Any] | None = None) -> AwsError:
    """Build the error for a condition that does not hold, with the item if the request asked for it."""
    members = {"Item": item} if item else {}
    return AwsError("ConditionalCheckFailedException", "The conditional request failed", members=members)


def duplicate_item() -> AwsError:
    """Build the error of an INSERT of an item that exists."""
    return AwsError("DuplicateItemException", "Duplicate primary key exists in table")


def not_built(what: str) -> AwsError:
    """Build the error for a part of DynamoDB that localbus does not have."""
    return AwsError("NotImplemented", f"localbus's DynamoDB does not implement {what}. {_OUT}")
