"""The actions of EventBridge that are about events: putting them on a bus, and asking what a pattern would say."""

from __future__ import annotations

import json

from localbus.errors import AwsError, not_implemented
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events import event
from localbus.events.bus import Bus
from localbus.events.event import EntryError, check_size
from localbus.events.state import EventBridge
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import allows_account

_REQUIRED = ("id", "account", "source", "time", "region", "detail-type")


def put_events(events: EventBridge, params: Params, caller: Caller) -> Params:
    """PutEvents: each entry that is good gets an id and goes on its way; the others say what is wrong with them."""
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
    if bus is None:  # AWS takes such an event and says nothing
        events.journal.note("dropped", str(entry["EventBusName"]), made.event_id, now, "there is no such event bus")
    else:
        events.publish(made, bus)
    return {"EventId": made.event_id}


def _check_permission(events: EventBridge, bus: Bus, caller: Caller) -> None:
    """Another account's bus takes events only as its policy says, and one's own unless that denies it."""
    policy = json.dumps(bus.policy) if bus.policy else ""
    allowed = allows_account(policy, caller.account, bus.account, "events:PutEvents", bus.arn)
    if events.enforce_policies and not allowed:
        events.journal.note("denied", bus.arn, "", events.clock.now(), f"PutEvents by {caller.account}")
        text = (
            f"arn:aws:iam::{caller.account}:root is not authorized to perform: events:PutEvents on resource: {bus.arn}"
        )
        why = "because no resource-based policy allows the events:PutEvents action"
        if caller.account == bus.account:
            why = "with an explicit deny in a resource-based policy"
        raise AwsError("AccessDeniedException", f"User: {text} {why}")


def try_event_pattern(_events: EventBridge, params: Params, _caller: Caller) -> Params:
    """TestEventPattern."""
    pattern = EventPattern(params["EventPattern"])
    try:
        document = json.loads(params["Event"])
    except (ValueError, RecursionError) as exc:
        raise _not_an_event() from exc
    if not isinstance(document, dict) or not all(name in document for name in _REQUIRED):
        raise _not_an_event()
    return {"Result": pattern.matches(fields_of(document))}


def _not_an_event() -> AwsError:
    return AwsError("ValidationException", "Parameter Event is not valid.")
