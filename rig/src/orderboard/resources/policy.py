"""Resource policies in a line: who may send, and whether a service may deliver.

An evaluation that would need more than the policy's text has no answer here, rather than a guess.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

# The actions that bring a message to a resource, by the service in its ARN.
SEND_ACTIONS: Final = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "events": "events:PutEvents"}
# Condition operators that compare texts with * and ?, or exactly. Their names end in these words.
_LIKE, _EQUAL = ("ArnLike", "ArnEquals", "StringLike"), ("StringEquals", "Bool")
_NOT_SET: Final = frozenset(("aws:sourceowner",))  # of the default policy of a topic; no service of ours sets it
_SHOWN: Final = 3


@dataclass(frozen=True)
class Sender:
    """A service that delivers for one of its resources: a topic or a rule."""

    service: str  # such as sns.amazonaws.com
    source_arn: str

    @property
    def keys(self) -> dict[str, str]:
        """The condition keys that AWS sets for the delivery, in lower case."""
        parts = [*self.source_arn.split(":"), *[""] * 6]
        return {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": parts[4],
            "aws:principalservicename": self.service,
            "aws:principalisawsservice": "true",
            "aws:securetransport": "true",
        }


def who_may_send(policy: str, resource: str) -> str:
    """Return in a line who may send to the resource of this ARN, by its policy's text (empty: no policy)."""
    service, owner = (resource.split(":")[part] for part in (2, 4))
    action = SEND_ACTIONS[service]
    names = [name for each in statements(policy) if _allows(each, action) for name in _principals(each, owner)]
    others = [name for name in dict.fromkeys(names) if name != owner]
    shown = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
    denies = " A statement denies: see the policy." if any(_denies(each, action) for each in statements(policy)) else ""
    if not others:
        return f"Only account {owner} itself: no service and no other account.{denies}"
    return f"Account {owner} itself; {shown}.{denies}"


def admits(policy: str, sender: Sender, resource: str) -> bool | None:
    """Return whether the policy lets this service deliver to the resource; None if its text alone does not say."""
    action = SEND_ACTIONS[resource.split(":")[2]]
    allowed: bool | None = False
    for each in statements(policy):
        applies = _applies(each, sender, action, resource)
        if applies is False:
            continue
        if each.get("Effect") == "Deny":
            return False if applies else None
        allowed = True if applies else (allowed or None)
    return allowed


def statement_for(sender: Sender, resource: str) -> dict[str, Any]:
    """Return the statement that allows this delivery and no other, as AWS recommends it (with aws:SourceArn)."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": sender.service},
        "Action": SEND_ACTIONS[resource.split(":")[2]],
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": sender.source_arn}},
    }


def send_policy(sender: Sender, resource: str) -> str:
    """Return a policy that allows this delivery and no other."""
    return extended("", statement_for(sender, resource))


def extended(policy: str, statement: Mapping[str, Any]) -> str:
    """Return the policy with one more statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements(policy), statement]})


def statements(policy: str) -> list[Mapping[str, Any]]:
    """Return the statements of a policy; none of a text that is not a policy."""
    try:
        document = json.loads(policy or "{}")
    except (ValueError, RecursionError):
        return []
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _allows(statement: Mapping[str, Any], action: str) -> bool:
    return statement.get("Effect") == "Allow" and _has_action(statement, action)


def _denies(statement: Mapping[str, Any], action: str) -> bool:
    return statement.get("Effect") == "Deny" and _has_action(statement, action)


def _has_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_like(statement["NotAction"], action, ignore_case=True)
    return _any_like(statement.get("Action"), action, ignore_case=True)


def _principals(statement: Mapping[str, Any], owner: str) -> Iterator[str]:
    """Yield the names of a statement's principals, each with the sources that its condition names."""
    if "NotPrincipal" in statement:
        yield "everyone but those that a statement names"
        return
    principal = statement.get("Principal")
    named = {"AWS": principal} if isinstance(principal, str) else principal if isinstance(principal, dict) else {}
    sources = [_short(each) for each in _sources(statement)]
    limit = f" for {' or '.join(sources)}" if sources else " under conditions" if statement.get("Condition") else ""
    for kind, values in named.items():
        for value in _texts(values):
            if value == "*":
                yield owner if set(_sources(statement)) == {owner} else f"anyone{limit}"
            elif kind == "AWS":
                account = value.split(":")[4] if value.startswith("arn:") else value
                role = "" if not value.startswith("arn:") or value.endswith(":root") else f" ({_short(value)})"
                yield owner if account == owner else f"account {account}{role}{limit}"
            else:
                yield f"{value}{limit}"


def _sources(statement: Mapping[str, Any]) -> list[str]:
    condition = statement.get("Condition")
    tests = condition.values() if isinstance(condition, dict) else ()
    return [
        text
        for test in tests
        if isinstance(test, dict)
        for key, values in test.items()
        if key.lower() in ("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner")
        for text in _texts(values)
    ]


def _applies(statement: Mapping[str, Any], sender: Sender, action: str, resource: str) -> bool | None:
    if not _has_action(statement, action) or not _is_principal(statement, sender):
        return False
    if "NotResource" in statement:
        has_resource = not _any_like(statement["NotResource"], resource)
    else:
        has_resource = "Resource" not in statement or _any_like(statement["Resource"], resource)
    return _holds(statement.get("Condition"), sender) if has_resource else False


def _is_principal(statement: Mapping[str, Any], sender: Sender) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], sender)
    return _names(statement.get("Principal"), sender)


def _names(principal: object, sender: Sender) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    return sender.service in _texts(principal.get("Service")) or "*" in _texts(principal.get("AWS"))


def _holds(condition: object, sender: Sender) -> bool | None:
    """Return whether all tests of a condition hold; None if one needs more than is known of the delivery."""
    answer: bool | None = True
    for operator, tests in condition.items() if isinstance(condition, dict) else ():
        for key, values in tests.items() if isinstance(tests, dict) else ():
            value = sender.keys.get(key.lower())
            name = str(operator).removesuffix("IfExists")
            if key.lower() in _NOT_SET and name == operator:
                return False
            if value is None or name not in (*_LIKE, *_EQUAL):
                answer = None
            elif not _matches(name, values, value):
                return False
    return answer


def _matches(operator: str, values: object, value: str) -> bool:
    if operator in _LIKE:
        return _any_like(values, value)
    return value in ([each.lower() for each in _texts(values)] if operator == "Bool" else _texts(values))


def _any_like(patterns: object, text: str, *, ignore_case: bool = False) -> bool:
    found = _texts(patterns)
    if ignore_case:
        text, found = text.lower(), [each.lower() for each in found]
    # Only * and ? are wildcards of policies; brackets are text.
    return any(fnmatchcase(text, each.replace("[", "[[]")) for each in found)


def _texts(values: object) -> list[str]:
    return [str(each) for each in (values if isinstance(values, list) else [] if values is None else [values])]


def _short(arn: str) -> str:
    return arn.split(":", 5)[5] if arn.count(":") >= 5 else arn
