"""Quotas of EventBridge.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
"""

from __future__ import annotations

from localbus.errors import AwsError

MAX_BUSES = 100
MAX_RULES = 300  # on a bus
MAX_TARGETS = 5  # of a rule
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
MAX_POLICY_BYTES = 10_240


def limit_exceeded() -> AwsError:
    """Build the error for one resource too many."""
    return AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
