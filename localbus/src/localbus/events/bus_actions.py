"""EventBridge's actions on event buses and their policies."""

from __future__ import annotations

import json

from localbus.errors import AwsError
from localbus.events.bus import DEFAULT_BUS, Bus
from localbus.events.errors import invalid, invalid_parameter, missing
from localbus.events.registry import pick
from localbus.events.state import EventBridge
from localbus.events.tags import read_tags
from localbus.policy_document import InvalidPolicyError, read_policy
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
MAX_POLICY_BYTES = 10_240
_SETTINGS = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


def create_event_bus(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CreateEventBus."""
    name = params["Name"]
    if "EventSourceName" in params:
        raise missing(f"Event source {params['EventSourceName']} does not exist.")
    if "/" in name:
        raise invalid_parameter("Name", "A custom event bus name must not contain '/'.")
    settings = pick(params, *_SETTINGS)
    bus = events.buses.create(name, caller, settings, read_tags(params.get("Tags", []), {}))
    return {"EventBusArn": bus.arn} | settings


def describe_event_bus(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeEventBus."""
    bus = events.buses.find(params.get("Name"), caller)
    return describe(bus) | bus.settings


def update_event_bus(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UpdateEventBus."""
    bus = events.buses.find(params.get("Name"), caller)
    bus.settings |= pick(params, *_SETTINGS)
    bus.modified_at = events.clock.now()
    events.buses.save(bus)
    return {"Arn": bus.arn, "Name": bus.name} | bus.settings


def list_event_buses(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListEventBuses."""
    return list_page("EventBuses", events.buses.of(caller), params, key=lambda bus: bus.name, show=describe)


def delete_event_bus(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteEventBus. Deleting a bus that does not exist succeeds."""
    if params["Name"] == DEFAULT_BUS:
        raise invalid("Cannot delete event bus default.")
    bus = events.buses.look_up(params["Name"], caller)
    if bus is not None:
        if bus.rules:
            raise invalid("EventBus can't be deleted since it has rules.")
        events.buses.delete(bus.name, Caller(bus.account, bus.region))
    return {}


def describe(bus: Bus) -> Params:
    """Return the bus as ListEventBuses shows it."""
    item: Params = {
        "Name": bus.name,
        "Arn": bus.arn,
        "CreationTime": bus.created_at,
        "LastModifiedTime": bus.modified_at,
        **pick(bus.settings, "Description"),
    }
    return item | ({"Policy": bus.policy_text} if bus.policy else {})


def put_permission(events: EventBridge, params: Params, caller: Caller) -> Params:
    """PutPermission: add or replace one statement, or replace the whole policy."""
    bus = events.buses.find(params.get("EventBusName"), caller)
    if "Policy" in params:
        policy = _read_policy(params["Policy"])
    else:
        for name in ("Action", "Principal", "StatementId"):
            if name not in params:
                raise invalid_parameter(name, f"{name} is required.")
        if params["Action"] != "events:PutEvents":
            raise invalid("Provided value in parameter 'action' is not supported.")
        kept = [one for one in _statements(bus) if one.get("Sid") != params["StatementId"]]
        policy = {"Version": "2012-10-17", "Statement": [*kept, _statement(params, bus)]}
    if len(json.dumps(policy)) > MAX_POLICY_BYTES:
        raise AwsError("PolicyLengthExceededException", f"The policy is longer than {MAX_POLICY_BYTES} bytes.")
    return _set_policy(events, bus, policy)


def _set_policy(events: EventBridge, bus: Bus, policy: Params | None) -> Params:
    bus.policy = policy
    events.buses.save(bus)
    return {}


def _read_policy(text: str) -> Params:
    try:
        policy = read_policy(text)
    except InvalidPolicyError as exc:
        raise invalid_parameter("Policy", str(exc)) from exc
    statements = policy["Statement"]
    return {**policy, "Statement": statements if isinstance(statements, list) else [statements]}


def _statement(params: Params, bus: Bus) -> Params:
    principal, condition = params["Principal"], params.get("Condition")
    statement: Params = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": "events:PutEvents",
        "Resource": bus.arn,
    }
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def _statements(bus: Bus) -> list[Params]:
    return list(bus.policy["Statement"]) if bus.policy else []


def remove_permission(events: EventBridge, params: Params, caller: Caller) -> Params:
    """RemovePermission: remove one statement, or all."""
    bus = events.buses.find(params.get("EventBusName"), caller)
    if params.get("RemoveAllPermissions"):
        return _set_policy(events, bus, None)
    statements = _statements(bus)
    kept = [one for one in statements if one.get("Sid") != params.get("StatementId")]
    if len(kept) == len(statements):
        raise missing("Statement with the provided id does not exist.")
    return _set_policy(events, bus, {**(bus.policy or {}), "Statement": kept} if kept else None)
