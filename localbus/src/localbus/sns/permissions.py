"""The access policy of a topic: its default, its validation, and the statements that AddPermission writes.

Policies are evaluated in `resource_policy`.
Source: https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from localbus.errors import AwsError
from localbus.policy_document import InvalidPolicyError, read_policy
from localbus.resource_policy import permission_statement, statements_of
from localbus.sns.errors import invalid

_ACTIONS = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe"),
    *("ListSubscriptionsByTopic", "Publish"),
)


def default_policy(topic_arn: str, account: str) -> str:
    """Return the policy of a new topic, which allows its owner everything."""
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
    """Raise InvalidParameter unless the text is a policy."""
    try:
        read_policy(text)
    except InvalidPolicyError as exc:
        raise invalid("Policy Error: null") from exc


def add_permission(policy: str, topic_arn: str, label: str, accounts: list[str], actions: list[str]) -> str:
    """Return the policy with another statement, which allows the accounts these actions."""
    if not set(actions) <= set(_ACTIONS):
        raise invalid("Policy statement action out of service scope!")
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise invalid(f"Policy Error: PrincipalNotFound: {account}")
    statements = statements_of(policy)
    if any(one.get("Sid") == label for one in statements):
        raise invalid("Statement already exists")
    statement = permission_statement(label, accounts, [f"SNS:{action}" for action in actions], topic_arn)
    return _text(json.loads(policy) | {"Statement": [*statements, statement]})


def remove_permission(policy: str, label: str) -> str:
    """Return the policy without the statement of that label; raises NotFound."""
    statements = statements_of(policy)
    left = [one for one in statements if one.get("Sid") != label]
    if len(left) == len(statements):
        raise AwsError("NotFoundException", "Invalid parameter: Label does not exist")
    return _text(json.loads(policy) | {"Statement": left})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
