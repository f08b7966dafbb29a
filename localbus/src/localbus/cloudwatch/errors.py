"""The errors of CloudWatch."""

from __future__ import annotations

from localbus.errors import AwsError


def invalid(message: str) -> AwsError:
    """Build the error for input that is not valid."""
    return AwsError("ValidationException", message)


def invalid_value(message: str) -> AwsError:
    """Build the error for a parameter with a value that is not valid."""
    return AwsError("InvalidParameterValueException", message)


def bad_combination(message: str) -> AwsError:
    """Build the error for parameters that exclude each other."""
    return AwsError("InvalidParameterCombinationException", message)


def missing(message: str) -> AwsError:
    """Build the error for a parameter that is required."""
    return AwsError("MissingRequiredParameterException", message)
