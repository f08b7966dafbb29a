""" "Why did it not match?": an event held against every rule of the bus and every filter policy of the topic."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orderboard_contracts.events import CancellationRequested, NotAnEvent, OrderPlaced, parse_event
from orderboard_contracts.routing import message_attributes

from orderboard.console.pattern import Explanation, explain
from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.system.target import AWS_ERRORS


def read_event(text: str) -> dict[str, Any]:
    """Take an EventBridge event, or the CloudEvents document in one, which is then put into its envelope."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"This is no JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise UsageError("An event is a JSON object.")
    if "detail-type" not in document and "type" in document:
        document = {"source": document.get("source"), "detail-type": document["type"], "detail": document}
    # What TestEventPattern insists on.
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
    needed = {
        "id": "00000000-0000-0000-0000-000000000000",
        "account": "000000000000",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
    }
    return {**needed, **document}


def attributes_of(event: Mapping[str, Any]) -> dict[str, str] | None:
    """The message attributes under which the topic gets it; None for what is no command."""
    try:
        command = parse_event(json.dumps(event.get("detail")))
    except NotAnEvent:
        return None
    return message_attributes(command) if isinstance(command, OrderPlaced | CancellationRequested) else None


def matches(source: Source, text: str) -> dict[str, Any]:
    """Every rule and policy with its answer. backend is None where it did not say."""
    event = read_event(text)
    attributes = attributes_of(event)
    return {
        "rules": [_rule(source, rule, event) for rule in _rules(source)],
        "policies": [_policy(each, attributes) for each in _policies(source)],
        "attributes": attributes,
    }


def _rules(source: Source) -> list[tuple[str, str]]:
    target = source.target()
    rules = target.events.list_rules(EventBusName=target.outputs.bus_name)["Rules"]
    # An archive has a rule of its own on the bus, which is not ours to explain.
    ours = (rule for rule in rules if "ManagedBy" not in rule)
    return [(rule["Name"], rule["EventPattern"]) for rule in ours if rule.get("EventPattern")]


def _rule(source: Source, rule: tuple[str, str], event: Mapping[str, Any]) -> dict[str, Any]:
    name, pattern = rule
    explained = explain(json.loads(pattern), event)
    try:
        said: bool | None = source.target().events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))[
            "Result"
        ]
        trouble = None
    except AWS_ERRORS as exc:
        said, trouble = None, str(exc)
    return {"name": name, "pattern": pattern, "backend": said, "trouble": trouble, **_told(explained)}


def _policies(source: Source) -> list[tuple[str, str]]:
    sns, found = source.sns(), []
    topic = source.target().outputs.orders_topic_arn
    for subscription in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        arn = subscription["SubscriptionArn"]
        if not arn.startswith("arn:"):  # not confirmed yet
            continue
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        found.append((subscription["Endpoint"].rpartition(":")[2], attributes.get("FilterPolicy", "{}")))
    return found


def _policy(policy: tuple[str, str], attributes: Mapping[str, str] | None) -> dict[str, Any]:
    name, text = policy
    document = json.loads(text)
    if attributes is None:
        return {
            "name": name,
            "pattern": text,
            "matched": False,
            "checks": [],
            "why": "The topic carries commands only.",
        }
    if not document:
        return {"name": name, "pattern": text, "matched": True, "checks": [], "why": "It has no filter policy."}
    return {"name": name, "pattern": text, **_told(explain(document, attributes))}


def _told(explained: Explanation) -> dict[str, Any]:
    decided = explained.decided_by
    why = (
        "Every path fits."
        if decided is None
        else f"{decided.path} is {decided.found or 'absent'}; wanted: {decided.wanted}"
    )
    return {"matched": explained.matched, "checks": [asdict(each) for each in explained.checks], "why": why}
