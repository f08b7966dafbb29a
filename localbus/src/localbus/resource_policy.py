"""Evaluation of resource-based policies, the same for queues, topics, event buses and functions.

Only resource-based policies count here: IAM, which limits a principal within its own account, is not part of this
engine. A condition on a key that requests here do not have (a VPC, an organization) is one on a missing key.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.policy_conditions import Context, condition_holds, filled, like, variables_of

_TIME_KEYS = {"aws:currenttime", "aws:epochtime"}
NO_KEYS: Context = MappingProxyType({})


class Requester(Protocol):
    """The sender of a request: its account, and the condition keys that its request has, in lower case."""

    @property
    def account(self) -> str:
        """The account."""

    def condition_keys(self) -> Context:
        """Return the condition keys."""


def user_arn(account: str) -> str:
    """Return the ARN of the caller. Credentials here stand for an account, and each account has this one user."""
    return f"arn:aws:iam::{account}:user/localbus"


@dataclass(frozen=True)
class Principal:
    """The account or the service (such as `sns.amazonaws.com`) that makes a request, and the request's context keys."""

    account: str | None = None
    service: str | None = None
    context: Context = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.account, self.service, *self.context.values()))  # the service alone is that of every rule

    def full_context(self, resource: str, now: float) -> Context:
        """Return the request's keys with those that follow from the principal, the resource's ARN and the time.

        The engine's address stands for AWS's, which clients call by HTTPS: aws:SecureTransport is true.
        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        _, _, _, region, owner, *_ = (*resource.split(":"), *[""] * 5)
        known: dict[str, str | tuple[str, ...]] = {
            "aws:currenttime": datetime.fromtimestamp(now, UTC).isoformat(),
            "aws:epochtime": str(now),
            "aws:principalisawsservice": str(self.service is not None).lower(),
            "aws:requestedregion": region,
            "aws:resourceaccount": owner,
            "aws:securetransport": "true",
            "aws:viaawsservice": "false",
        }
        if self.service is not None:
            known["aws:principalservicename"] = self.service
            known["aws:principalservicenameslist"] = (self.service,)
        if self.account is not None:
            known["aws:principalaccount"] = self.account
            known["aws:principalarn"] = user_arn(self.account)
            known["aws:principaltype"] = "User"
            known["aws:userid"] = self.account
        return known | {name.lower(): value for name, value in self.context.items()}

    def is_named_by(self, element: Any) -> bool:
        """Return whether a statement's Principal element includes this principal."""
        if element == "*":
            return True
        if not isinstance(element, dict):
            return False
        if self.service is not None and self.service in _many(element.get("Service")):
            return True
        names = {"*"}
        if self.account:
            names |= {self.account, f"arn:aws:iam::{self.account}:root", user_arn(self.account)}
        return not names.isdisjoint(_many(element.get("AWS")))


class AccessControl:
    """Access checks against resource policies, with denials in the journal. Without `enforce` everything is allowed."""

    def __init__(self, clock: Clock, journal: Journal, *, enforce: bool = True) -> None:
        self.enforce = enforce
        self._clock = clock
        self._journal = journal

    def allows_account(
        self, policy: str, caller: Requester, action: str, resource: str, *, keys: Callable[[], Context] = dict
    ) -> bool:
        """Return whether an account may do an action such as `sqs:SendMessage`. See `allows_account`."""
        if not self.enforce or allows_account(policy, caller, action, resource, now=self._clock.now(), keys=keys):
            return True
        self.note_denied(resource, f"{action.rpartition(':')[2]} by {caller.account}")
        return False

    def check_delivery(
        self, policy: str, principal: Principal, action: str, resource: str, *, kms_key: str, codes: tuple[str, str]
    ) -> None:
        """Raise AwsError unless a service, or a role of an account, may deliver.

        `codes` are the errors for the policy and for the key. A role of the owner's account needs no policy.

        A service cannot use the key that AWS manages for SQS or SNS (`alias/aws/sqs`): its policy allows accounts only.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        if not self.enforce:
            return
        if not allows_sender(policy, principal, action, resource, self._clock.now()):
            sender = principal.service or f"a role of {principal.account}"
            code, reason = codes[0], f"the resource policy does not allow {sender} to perform {action}"
        elif principal.service is not None and kms_key == f"alias/aws/{action.partition(':')[0]}":
            code, reason = codes[1], f"the policy of the key {kms_key} does not allow {principal.service} to use it"
        else:
            return
        self.note_denied(resource, reason)
        raise AwsError(code, f"Access to the resource {resource} is denied: {reason}.")

    def note_denied(self, resource: str, reason: str) -> None:
        """Record a denial in the journal."""
        self._journal.note("denied", resource, "", self._clock.now(), reason)


@dataclass(frozen=True, eq=False)
class _Policy:
    """A parsed policy with the condition keys that it uses, in lower case."""

    statements: list[dict[str, Any]]
    keys: frozenset[str]
    has_variables: bool  # before Version 2012-10-17 they are plain text

    @property
    def uses_time(self) -> bool:
        """True if the answer depends on the time."""
        return not self.keys.isdisjoint(_TIME_KEYS)


@lru_cache(maxsize=512)
def _parsed(policy: str) -> _Policy:
    statements = statements_of(policy)
    tests = [test for one in statements for test in one.get("Condition", {}).values()]
    keys = {key.lower() for test in tests for key in test} | variables_of(policy)
    return _Policy(statements, frozenset(keys), '"2012-10-17"' in policy)


def keys_of(policy: str) -> frozenset[str]:
    """Return the condition keys that a policy uses, in lower case."""
    return _parsed(policy).keys


def allows(policy: str, principal: Principal, action: str, resource: str, now: float = 0) -> bool:
    """Return whether a statement of the policy allows the action and none denies it. `now` is for its dates."""
    allowed = _allows_at_any_time(policy, principal, action, resource)
    return _is_allowed(_effects(policy, principal, action, resource, now)) if allowed is None else allowed


def allows_sender(policy: str, principal: Principal, action: str, resource: str, now: float) -> bool:
    """Return whether a service, or a role, may: a role of the owner's account unless it is denied."""
    if allows(policy, principal, action, resource, now):
        return True
    if principal.service is not None or principal.account != resource.split(":")[4]:
        return False
    return "Deny" not in policy or "Deny" not in _effects(policy, principal, action, resource, now)


@lru_cache(maxsize=4096)
def _allows_at_any_time(policy: str, principal: Principal, action: str, resource: str) -> bool | None:
    """Return the answer; None if it depends on the time. Cached, because a topic asks the same for every message."""
    return None if _parsed(policy).uses_time else _is_allowed(_effects(policy, principal, action, resource, 0))


def _is_allowed(effects: frozenset[str]) -> bool:
    return "Allow" in effects and "Deny" not in effects


def allows_account(
    policy: str, caller: Requester, action: str, resource: str, *, now: float, keys: Callable[[], Context] = dict
) -> bool:
    """Return whether an account may: the owner unless it is denied, another if it is allowed and not denied.

    `keys` returns the condition keys of the action and the resource, in lower case, such as `events:source`.
    """
    owned = caller.account == resource.split(":")[4]
    if owned and "Deny" not in policy:
        return True
    parsed = _parsed(policy)
    context: dict[str, Any] = {"aws:sourceowner": caller.account}
    if not parsed.keys <= context.keys():
        known = {**caller.condition_keys(), **context, **keys()}
        context = {key: known[key] for key in sorted(parsed.keys & known.keys())}
    principal = Principal(account=caller.account, context=context)
    effects = _effects(policy, principal, action, resource, now if parsed.uses_time else 0)
    return "Deny" not in effects and (owned or "Allow" in effects)


@lru_cache(maxsize=4096)
def _effects(policy: str, principal: Principal, action: str, resource: str, now: float) -> frozenset[str]:
    """Return the effects of the statements that apply."""
    parsed = _parsed(policy)
    context = principal.full_context(resource, now)

    def texts(value: Any) -> list[str]:
        return filled(_many(value), context) if parsed.has_variables else _many(value)

    def applies(statement: Mapping[str, Any]) -> bool:
        return (
            _is_principal(statement, principal)
            and _covers(_many, statement, "Action", lambda pattern: like(pattern.lower(), action.lower()))
            and _covers(texts, {"Resource": "*", **statement}, "Resource", lambda pattern: like(pattern, resource))
            and all(
                condition_holds(operator, key, texts(values), context)
                for operator, tests in statement.get("Condition", {}).items()
                for key, values in tests.items()
            )
        )

    return frozenset(str(statement["Effect"]) for statement in parsed.statements if applies(statement))


def _is_principal(statement: Mapping[str, Any], principal: Principal) -> bool:
    if "NotPrincipal" in statement:
        return not principal.is_named_by(statement["NotPrincipal"])
    return principal.is_named_by(statement.get("Principal"))


def _covers(
    texts: Callable[[Any], list[str]], statement: Mapping[str, Any], name: str, test: Callable[[str], bool]
) -> bool:
    """Return whether an element such as Action, or its opposite NotAction, includes what is tested."""
    if f"Not{name}" in statement:
        return not any(map(test, texts(statement[f"Not{name}"])))
    return any(map(test, texts(statement.get(name))))


def resource_tag_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the condition keys of a resource's tags. Like all condition keys, they ignore case."""
    return {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}


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
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


@lru_cache(maxsize=512)
def statements_of(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy document; none of an empty one."""
    if not policy:
        return []
    found = json.loads(policy).get("Statement", [])
    return found if isinstance(found, list) else [found]
