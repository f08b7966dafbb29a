"""Explains which rules of the stack's bus and filter policies of its topic match an event, and why not."""

import json
from dataclasses import asdict
from typing import Any

from orderboard_contracts.events import CancellationRequested, NotAnEvent, OrderPlaced, parse_event
from orderboard_contracts.routing import message_attributes

from orderboard.console.source import Source
from orderboard.resources.matching import Match, Matcher, read_event


def explain(source: Source, text: str) -> dict[str, Any]:
    """Return the answer of every rule and filter policy to this event."""
    event = read_event(text)
    attributes = attributes_of(event)
    matcher = Matcher(source.localbus(), source.target().events)
    rules = [matcher.pattern(name, pattern, event) for name, pattern in _rules(source)]
    policies = [_policy_answer(matcher, name, policy, attributes) for name, policy in _policies(source)]
    return {"rules": [asdict(each) for each in rules], "policies": [asdict(each) for each in policies]}


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


def _policy_answer(matcher: Matcher, name: str, policy: str, attributes: dict[str, str] | None) -> Match:
    if attributes is None:
        return Match(name, policy, matched=False, why="The topic carries commands only; this event is not one.")
    return matcher.policy(name, policy, dict(attributes))
