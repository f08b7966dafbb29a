"""Explains which rules of the bus and filter policies of the topic match an event, and why not.

localbus gives a reason for each field. On other backends EventBridge's TestEventPattern answers for rules, without a
reason; SNS has no such call, so a filter policy is tested as a pattern for `detail`: the syntax is the same.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
"""

import json
from typing import Any, Final

from orderboard_contracts.events import CancellationRequested, NotAnEvent, OrderPlaced, parse_event
from orderboard_contracts.routing import message_attributes

from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.system.target import AWS_ERRORS

# Fields that TestEventPattern requires of every event, besides source, detail-type and detail.
_REQUIRED: Final[dict[str, Any]] = {
    "id": "00000000-0000-0000-0000-000000000000",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
}


def explain(source: Source, text: str) -> dict[str, Any]:
    """Return the answer of every rule and filter policy to this event."""
    event = read_event(text)
    attributes = attributes_of(event)
    return {
        "rules": [_answer(source, name, pattern, event) for name, pattern in _rules(source)],
        "policies": [_policy_answer(source, name, policy, attributes) for name, policy in _policies(source)],
    }


def read_event(text: str) -> dict[str, Any]:
    """Read an EventBridge event, or a CloudEvents document, which is put into an EventBridge envelope."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"The event is not valid JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise UsageError("The event must be a JSON object.")
    if "detail-type" not in document and "type" in document:
        document = {"source": document.get("source"), "detail-type": document["type"], "detail": document}
    return {**_REQUIRED, **document}


def attributes_of(event: dict[str, Any]) -> dict[str, str] | None:
    """Return the message attributes of a command on the topic; None if the event is not a command."""
    try:
        command = parse_event(json.dumps(event.get("detail")))
    except NotAnEvent:
        return None
    return message_attributes(command) if isinstance(command, OrderPlaced | CancellationRequested) else None


def _rules(source: Source) -> list[tuple[str, str]]:
    target = source.target()
    rules = target.events.list_rules(EventBusName=target.outputs.bus_name)["Rules"]
    # An archive has a managed rule on the bus, which is not part of the stack.
    ours = (rule for rule in rules if "ManagedBy" not in rule)
    return [(rule["Name"], rule["EventPattern"]) for rule in ours if rule.get("EventPattern")]


def _policies(source: Source) -> list[tuple[str, str]]:
    found, topic = [], source.target().outputs.orders_topic_arn
    sns = source.target().sns
    for subscription in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        arn = subscription["SubscriptionArn"]
        if not arn.startswith("arn:"):  # not confirmed yet
            continue
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        found.append((subscription["Endpoint"].rpartition(":")[2], attributes.get("FilterPolicy", "{}")))
    return found


def _policy_answer(source: Source, name: str, policy: str, attributes: dict[str, str] | None) -> dict[str, Any]:
    if attributes is None:
        return _result(name, policy, matched=False, why="The topic carries commands only; this event is not one.")
    if not json.loads(policy):
        return _result(name, policy, matched=True, why="The subscription has no filter policy.")
    if source.localbus() is not None:
        return _answer(source, name, policy, attributes)
    event = {**_REQUIRED, "source": "sns", "detail-type": "attributes", "detail": attributes}
    return _answer(source, name, json.dumps({"detail": json.loads(policy)}), event) | {"pattern": policy}


def _answer(source: Source, name: str, pattern: str, event: dict[str, Any]) -> dict[str, Any]:
    engine = source.localbus()
    if engine is not None:
        found = engine.explain(pattern, event)
        return _result(name, pattern, matched=found["matches"], why=found["why"], reasons=found["reasons"])
    events = source.target().events
    try:
        matched = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    except AWS_ERRORS as exc:
        return _result(name, pattern, matched=None, why=f"The backend did not answer: {exc}")
    return _result(name, pattern, matched=matched, why="Only localbus gives reasons.")


def _result(
    name: str, pattern: str, *, matched: bool | None, why: str, reasons: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"name": name, "pattern": pattern, "matched": matched, "why": why, "reasons": reasons or []}
