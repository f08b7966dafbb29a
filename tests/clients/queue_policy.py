"""Queue policies for services."""

from __future__ import annotations

import json
from typing import Any


def sends_by(*services: str, queue_arn: str, source_arn: str | None = None) -> dict[str, str]:
    """The attributes of a queue to which services may send, such as sns, and only from the source if there is one."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    if source_arn is not None:
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": source_arn}}
    return {"Policy": json.dumps({"Statement": [statement]})}
