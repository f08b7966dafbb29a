"""Evaluation of resource-based policies, the same for queues, topics, event buses and functions.

Only resource-based policies count here: IAM, which limits a principal within its own account, is not part of this
engine. A condition on a key that requests here do not have (a VPC, an organization) is one on a missing key.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.journal import Journal


@dataclass(frozen=True)
class Principal:
    """The account or the service (such as `sns.amazonaws.com`) that makes a request, and the request's context keys."""

    account: str | None = None
    service: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.account, self.service, *self.context.values()))  # the service alone is that of every rule

    def is_named_by(self, element: Any) -> bool:
        """Return whether a statement's Principal element includes this principal."""
        if element == "*":
            return True
        if not isinstance(element, dict):
            return False
        if self.service is not None and self.service in _many(element.get("Service")):
            return True
        accounts = {"*", self.account, f"arn:aws:iam::{self.account}:root"} if self.account else {"*"}
        return not accounts.isdisjoint(_many(element.get("AWS")))


class AccessControl:
    """Access checks against resource policies, with denials in the journal. Without `enforce` everything is allowed."""

    def __init__(self, clock: Clock, journal: Journal, *, enforce: bool = True) -> None:
        self.enforce = enforce
        self._clock = clock
        self._journal = journal

    def allows_account(self, policy: str, account: str, owner: str, action: str, resource: str) -> bool:
        """Return whether an account may do an action such as `sqs:SendMessage`."""
        if not self.enforce or allows_account(policy, account, owner, action, resource):
            return True
        self.note_denied(resource, f"{action.rpartition(':')[2]} by {account}")
        return False

    def check_delivery(
        self, policy: str, principal: Principal, action: str, resource: str, *, kms_key: str, codes: tuple[str, str]
    ) -> None:
        """Raise AwsError unless a service may deliver. `codes` are the errors for the policy and for the key.

        A service cannot use the key that AWS manages for SQS or SNS (`alias/aws/sqs`): its policy allows accounts only.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        if not self.enforce:
            return
        if not allows(policy, principal, action, resource):
            code, reason = codes[0], f"the resource policy does not allow {principal.service} to perform {action}"
        elif kms_key == f"alias/aws/{action.partition(':')[0]}":
            code, reason = codes[1], f"the policy of the key {kms_key} does not allow {principal.service} to use it"
        else:
            return
        self.note_denied(resource, reason)
        raise AwsError(code, f"Access to the resource {resource} is denied: {reason}.")

    def note_denied(self, resource: str, reason: str) -> None:
        """Record a denial in the journal."""
        self._journal.note("denied", resource, "", self._clock.now(), reason)


@lru_cache(maxsize=4096)
def allows(policy: str, principal: Principal, action: str, resource: str) -> bool:
    """Return whether a statement of the policy allows the action and none denies it.

    Cached, because a topic asks the same for every message.
    """
    effects = _effects(policy, principal, action, resource)
    return "Allow" in effects and "Deny" not in effects


@lru_cache(maxsize=4096)
def allows_account(policy: str, account: str, owner: str, action: str, resource: str) -> bool:
    """Return whether an account may: the owner unless it is denied, another if it is allowed and not denied."""
    if account == owner and "Deny" not in policy:
        return True
    context = {"aws:PrincipalAccount": account, "aws:SourceOwner": account}
    context["aws:PrincipalArn"] = f"arn:aws:iam::{account}:root"
    effects = _effects(policy, Principal(account=account, context=context), action, resource)
    return "Deny" not in effects and (account == owner or "Allow" in effects)


def _effects(policy: str, principal: Principal, action: str, resource: str) -> set[str]:
    return {
        str(statement.get("Effect"))
        for statement in statements_of(policy)
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
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))  # linear in the number of wildcards


def _like(pattern: str, value: str) -> bool:
    return _wildcard(pattern).fullmatch(value) is not None


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda expected, value: expected == value,
    "StringEqualsIgnoreCase": lambda expected, value: expected.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda expected, value: expected.lower() == value.lower(),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _condition_holds(operator: str, key: str, expected: list[str], context: Mapping[str, str]) -> bool:
    """Return whether one condition holds. An unknown operator never does."""
    name = operator.removesuffix("IfExists").rpartition(":")[2]
    value = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if name == "Null":
        return expected == [str(value is None).lower()]
    if value is None:
        return operator.endswith("IfExists") or name in _NEGATIONS
    if name in _NEGATIONS:
        return not any(_TESTS[_NEGATIONS[name]](one, value) for one in expected)
    return name in _TESTS and any(_TESTS[name](one, value) for one in expected)


def permission_statement(label: str, accounts: list[str], actions: list[str], resource: str) -> dict[str, Any]:
    """Return the statement that AddPermission writes for actions such as `SQS:SendMessage`."""
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    return {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
        "Action": actions[0] if len(actions) == 1 else actions,
        "Resource": resource,
    }


def _many(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@lru_cache(maxsize=512)
def statements_of(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy document; none of an empty one."""
    if not policy:
        return []
    found = json.loads(policy).get("Statement", [])
    return found if isinstance(found, list) else [found]
