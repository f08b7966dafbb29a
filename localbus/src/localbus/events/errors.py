"""Errors of EventBridge's API, in AWS's words."""

from __future__ import annotations

from localbus.errors import AwsError


def invalid(text: str) -> AwsError:
    """Build a ValidationException."""
    return AwsError("ValidationException", text)


def invalid_parameter(name: str, reason: str) -> AwsError:
    """Build the ValidationException for one parameter."""
    return invalid(f"Parameter {name} is not valid. Reason: {reason}")


def invalid_arn(arn: str) -> AwsError:
    """Build the ValidationException for an ARN of the wrong form."""
    return invalid_parameter(arn, "Provided Arn is not in correct format.")


def missing(text: str) -> AwsError:
    """Build a ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", text)


def limit_exceeded() -> AwsError:
    """Build the error for one resource too many."""
    return AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
