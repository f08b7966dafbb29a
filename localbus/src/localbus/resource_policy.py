"""Whether a resource's policy lets somebody do something, and the statements that AddPermission writes into one.

Evaluated are the policies of resources; what else a principal may do within its own account is a matter of IAM and not
of this engine. A condition on a key that a request here does not have (a VPC, an organization) is one on a missing key.
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from localbus.errors import AwsError
from localbus.sqs.errors import missing, refusal

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


@dataclass(frozen=True)
class Principal:
    """Who wants to do something: an account, or a service such as `sns.amazonaws.com`."""

    account: str | None = None
    service: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.account, self.service, *self.context.values()))  # all rules are one service, so it counts too

    def is_named_by(self, named: Any) -> bool:
        """Whether a statement's Principal means this one."""
        if named == "*":
            return True
        if not isinstance(named, dict):
            return False
        if self.service is not None and self.service in _many(named.get("Service")):
            return True
        accounts = {"*", self.account, f"arn:aws:iam::{self.account}:root"} if self.account else {"*"}
        return not accounts.isdisjoint(_many(named.get("AWS")))


@lru_cache(maxsize=4096)
def allows(policy: str, principal: Principal, action: str, resource: str) -> bool:
    """Whether the policy allows it: some statement says so, and none denies it.

    The answer is remembered: a topic asks the same for every message.
    """
    effects = _effects(policy, principal, action, resource)
    return "Allow" in effects and "Deny" not in effects


@lru_cache(maxsize=4096)
def lets_account(policy: str, account: str, owner: str, action: str, resource: str) -> bool:
    """Whether an account may do it: the owner unless it is denied, another if it is allowed and not denied."""
    if account == owner and "Deny" not in policy:
        return True
    context = {"aws:PrincipalAccount": account, "aws:SourceOwner": account}
    context["aws:PrincipalArn"] = f"arn:aws:iam::{account}:root"
    effects = _effects(policy, Principal(account=account, context=context), action, resource)
    return "Deny" not in effects and (account == owner or "Allow" in effects)


def _effects(policy: str, principal: Principal, action: str, resource: str) -> set[str]:
    return {
        str(statement.get("Effect"))
        for statement in _statements(policy)
        if _applies(statement, principal, action, resource)
    }


def _applies(statement: Mapping[str, Any], principal: Principal, action: str, resource: str) -> bool:
    if "NotPrincipal" in statement:
        if principal.is_named_by(statement["NotPrincipal"]):
            return False
    elif not principal.is_named_by(statement.get("Principal")):
        return False
    if "NotAction" in statement:
        if any(_like(pattern.lower(), action.lower()) for pattern in _many(statement["NotAction"])):
            return False
    elif not any(_like(pattern.lower(), action.lower()) for pattern in _many(statement.get("Action"))):
        return False
    if not any(_like(pattern, resource) for pattern in _many(statement.get("Resource", "*"))):
        return False
    conditions = statement.get("Condition", {})
    return all(
        _condition_holds(operator, key, _many(values), principal.context)
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


@lru_cache(maxsize=512)
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))  # takes no longer for many wildcards


def _like(pattern: str, value: str) -> bool:
    return _wildcard(pattern).fullmatch(value) is not None


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _condition_holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    """Whether one condition holds. An operator that is not known here never does."""
    name = operator.removesuffix("IfExists").rpartition(":")[2]
    value = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if name == "Null":
        return wanted == [str(value is None).lower()]
    if value is None:
        return operator.endswith("IfExists") or name in _NEGATIONS
    if name in _NEGATIONS:
        return not any(_TESTS[_NEGATIONS[name]](one, value) for one in wanted)
    return name in _TESTS and any(_TESTS[name](one, value) for one in wanted)


def _many(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@lru_cache(maxsize=512)
def _statements(policy: str) -> list[dict[str, Any]]:
    if not policy:
        return []
    found = json.loads(policy).get("Statement", [])
    return found if isinstance(found, list) else [found]


def add_permission(policy: str, queue_arn: str, label: str, accounts: list[str], actions: list[str]) -> str:
    """The policy with a statement that lets these accounts do these actions."""
    for parameter, given in (("AWSAccountIds", accounts), ("Actions", actions)):
        if not given:
            raise missing(parameter)
    if len(actions) > MAX_ACTIONS:
        raise AwsError("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {MAX_ACTIONS}.")
    for action in actions:
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions."
            raise refusal("ActionName", f"SQS:{action}", reason)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", label):
        reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise refusal("Label", label, reason)
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise refusal("PrincipalId", account, "Unable to verify principal.")
    document = json.loads(policy) if policy else {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy"}
    statements = _statements(policy)
    if any(statement.get("Sid") == label for statement in statements):
        raise refusal("Label", label, "Already exists.")
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_many([f"SQS:{action}" for action in actions]),
        "Resource": queue_arn,
    }
    return json.dumps(document | {"Statement": [*statements, statement]}, separators=(",", ":"))


def remove_permission(policy: str, label: str) -> str:
    """The policy without that statement; empty when none is left."""
    left = [statement for statement in _statements(policy) if statement.get("Sid") != label]
    if len(left) == len(_statements(policy)):
        raise refusal("Label", label, "can't find label.")
    return json.dumps(json.loads(policy) | {"Statement": left}, separators=(",", ":")) if left else ""


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
