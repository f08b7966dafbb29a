"""The errors of SNS that several modules raise, in AWS's words."""

from __future__ import annotations

from localbus.errors import AwsError
from localbus.resource_policy import user_arn


def invalid(reason: str) -> AwsError:
    """Return the error for an invalid parameter."""
    return AwsError("InvalidParameterException", f"Invalid parameter: {reason}")


def not_found(kind: str) -> AwsError:
    """Return the error for a topic or anything else that does not exist."""
    return AwsError("NotFoundException", f"{kind} does not exist")


def not_authorized(account: str, action: str, resource: str, *, denied: bool = False) -> AwsError:
    """Return the error for an account that the policy does not allow, or, with `denied`, explicitly denies."""
    who = f"User: {user_arn(account)} is not authorized to perform: SNS:{action} on resource: {resource}"
    why = f"because no resource-based policy allows the SNS:{action} action"
    if denied:
        why = "with an explicit deny in a resource-based policy"
    return AwsError("AuthorizationErrorException", f"{who} {why}")


def check_arn(arn: str, parameter: str) -> list[str]:
    """Return the parts of an ARN; raises InvalidParameter."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    return parts
