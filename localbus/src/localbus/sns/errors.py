"""The errors of SNS that more than one module raises, in AWS's words."""

from __future__ import annotations

from localbus.errors import AwsError


def invalid(reason: str) -> AwsError:
    """A parameter that may not be as it is."""
    return AwsError("InvalidParameterException", f"Invalid parameter: {reason}")


def bad_value(text: str) -> AwsError:
    """A message attribute that may not be as it is."""
    return AwsError("InvalidParameterValueException", text)


def no_topic() -> AwsError:
    """A topic that is not there."""
    return AwsError("NotFoundException", "Topic does not exist")


def no_subscription() -> AwsError:
    """A subscription that is not there."""
    return AwsError("NotFoundException", "Subscription does not exist")


def not_authorized(account: str, action: str, resource: str, *, denied: bool = False) -> AwsError:
    """An account that the topic's policy does not let, or its own one that it denies."""
    who = f"User: arn:aws:iam::{account}:root is not authorized to perform: SNS:{action} on resource: {resource}"
    why = f"because no resource-based policy allows the SNS:{action} action"
    if denied:
        why = "with an explicit deny in a resource-based policy"
    return AwsError("AuthorizationErrorException", f"{who} {why}")


def check_arn(arn: str, parameter: str) -> list[str]:
    """The parts of an ARN."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    return parts
