"""Resource policies that allow services of AWS to send."""

from __future__ import annotations

import json
from typing import Any


def policy(action: str, arn: str, *services: str, source: dict[str, str] | None = None) -> str:
    """Return a policy that allows services, such as sns, an action, and only from the source if there is one.

    The source is a condition on `aws:SourceArn`: its operator and its value.
    """
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
        "Action": action,
        "Resource": arn,
    }
    if source:
        statement["Condition"] = {operator: {"aws:SourceArn": value} for operator, value in source.items()}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
