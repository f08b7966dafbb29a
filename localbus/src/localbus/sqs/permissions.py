"""The statements that AddPermission and RemovePermission write into a queue's policy.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

from __future__ import annotations

import json
import re

from localbus.errors import AwsError
from localbus.resource_policy import permission_statement, statements_of
from localbus.sqs.errors import invalid_value, missing

MAX_ACTIONS = 7
_ACTIONS = {
    "*",
    "AddPermission",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
}


def add_permission(policy: str, queue_arn: str, label: str, accounts: list[str], actions: list[str]) -> str:
    """Return the policy with another statement, which allows the accounts these actions."""
    for parameter, given in (("AWSAccountIds", accounts), ("Actions", actions)):
        if not given:
            raise missing(parameter)
    if len(actions) > MAX_ACTIONS:
        raise AwsError("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {MAX_ACTIONS}.")
    for action in actions:
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions."
            raise invalid_value("ActionName", f"SQS:{action}", reason)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", label):
        reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise invalid_value("Label", label, reason)
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise invalid_value("PrincipalId", account, "Unable to verify principal.")
    document = json.loads(policy) if policy else {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy"}
    statements = statements_of(policy)
    if any(statement.get("Sid") == label for statement in statements):
        raise invalid_value("Label", label, "Already exists.")
    statement = permission_statement(label, accounts, [f"SQS:{action}" for action in actions], queue_arn)
    return json.dumps(document | {"Statement": [*statements, statement]}, separators=(",", ":"))


def remove_permission(policy: str, label: str) -> str:
    """Return the policy without the statement of that label; empty text when none is left."""
    left = [statement for statement in statements_of(policy) if statement.get("Sid") != label]
    if len(left) == len(statements_of(policy)):
        raise invalid_value("Label", label, "can't find label.")
    return json.dumps(json.loads(policy) | {"Statement": left}, separators=(",", ":")) if left else ""
