"""Who may do what with a topic: the policy it has from the start, and the statements that AddPermission writes.

How a policy is evaluated is said in `queue_policy`.
Source: https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from localbus.errors import AwsError
from localbus.sns.errors import invalid

_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def default_policy(topic_arn: str, account: str) -> str:
    """The policy of a new topic: its owner may do everything."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _ACTIONS],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return _text({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def check_policy(text: str) -> None:
    """Refuse what is no policy."""
    try:
        document = json.loads(text)
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise invalid("Policy Error: null") from exc
    statements = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(one, dict) and one.get("Effect") in {"Allow", "Deny"} for one in statements):
        raise invalid("Policy Error: null")
    if not all(isinstance(tests, dict) for one in statements for tests in _conditions(one)):
        raise invalid("Policy Error: null")


def _conditions(statement: dict[str, Any]) -> list[Any]:
    found = statement.get("Condition", {})
    return list(found.values()) if isinstance(found, dict) else [None]


def add_permission(policy: str, topic_arn: str, label: str, accounts: list[str], actions: list[str]) -> str:
    """The policy with a statement that lets these accounts do these actions."""
    for action in actions:
        if action not in _ACTIONS:
            raise invalid("Policy statement action out of service scope!")
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise invalid(f"Policy Error: PrincipalNotFound: {account}")
    document = json.loads(policy)
    statements = _statements(document)
    if any(one.get("Sid") == label for one in statements):
        raise invalid("Statement already exists")
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    names = [f"SNS:{action}" for action in actions]
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
        "Action": names[0] if len(names) == 1 else names,
        "Resource": topic_arn,
    }
    return _text(document | {"Statement": [*statements, statement]})


def remove_permission(policy: str, label: str) -> str:
    """The policy without that statement."""
    document = json.loads(policy)
    left = [one for one in _statements(document) if one.get("Sid") != label]
    if len(left) == len(_statements(document)):
        raise AwsError("NotFoundException", "Invalid parameter: Label does not exist")
    return _text(document | {"Statement": left})


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
