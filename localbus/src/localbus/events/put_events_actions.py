"""EventBridge's actions on events: PutEvents and TestEventPattern."""

from __future__ import annotations

import json

from localbus.errors import AwsError, not_implemented
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events import event
from localbus.events.bus import Bus
from localbus.events.errors import invalid
from localbus.events.event import EntryError, check_size
from localbus.events.state import EventBridge
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import allows_account

_REQUIRED = ("id", "account", "source", "time", "region", "detail-type")


def put_events(events: EventBridge, params: Params, caller: Caller) -> Params:
    """PutEvents: publish the valid entries and report the others as failed."""
    if "EndpointId" in params:
        raise not_implemented("events", "PutEvents to a global endpoint")
    entries: list[Params] = params["Entries"]
    check_size(entries)
    buses = [events.buses.look_up(entry.get("EventBusName"), caller) for entry in entries]
    for bus in buses:
        if bus is not None and (bus.policy or bus.account != caller.account):
            _check_permission(events, bus, caller)
    results = [_put(events, entry, bus, caller) for entry, bus in zip(entries, buses, strict=True)]
    return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}


def _put(events: EventBridge, entry: Params, bus: Bus | None, caller: Caller) -> Params:
    now = events.clock.now()
    try:
        made = event.build(entry, caller.account, caller.region, now)
        made.trace_header = made.trace_header or caller.trace_header or None
    except EntryError as exc:
        return {"ErrorCode": exc.code, "ErrorMessage": exc.message}
    if bus is None:  # AWS accepts such an event and drops it
        events.journal.note("dropped", str(entry["EventBusName"]), made.event_id, now, "the event bus does not exist")
    else:
        events.publish(made, bus)
    return {"EventId": made.event_id}


def _check_permission(events: EventBridge, bus: Bus, caller: Caller) -> None:
    """Require a policy that allows another account, or does not deny its own."""
    policy = json.dumps(bus.policy) if bus.policy else ""
    allowed = allows_account(policy, caller.account, bus.account, "events:PutEvents", bus.arn)
    if events.enforce_policies and not allowed:
        events.journal.note("denied", bus.arn, "", events.clock.now(), f"PutEvents by {caller.account}")
        user = f"User: arn:aws:iam::{caller.account}:root"
        why = "because no resource-based policy allows the events:PutEvents action"
        if caller.account == bus.account:
            why = "with an explicit deny in a resource-based policy"
        text = f"{user} is not authorized to perform: events:PutEvents on resource: {bus.arn} {why}"
        raise AwsError("AccessDeniedException", text)


def try_event_pattern(_events: EventBridge, params: Params, _caller: Caller) -> Params:
    """TestEventPattern."""
    pattern = EventPattern(params["EventPattern"])
    try:
        document = json.loads(params["Event"])
    except (ValueError, RecursionError) as exc:
        raise invalid("Parameter Event is not valid.") from exc
    if not isinstance(document, dict) or not all(name in document for name in _REQUIRED):
        raise invalid("Parameter Event is not valid.")
    return {"Result": pattern.matches(fields_of(document))}
