"""EventBridge's actions on events: PutEvents and TestEventPattern."""

from __future__ import annotations

from localbus.errors import not_implemented
from localbus.event_pattern.pattern import EventPattern, fields_of
from localbus.events import event
from localbus.events.bus import Bus
from localbus.events.bus_access import check_entry, check_put
from localbus.events.errors import invalid
from localbus.events.event import EntryError, check_size
from localbus.events.state import EventBridge
from localbus.input_values import read_json
from localbus.journal import Loss
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

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
            check_put(events, bus, caller)
    results = [_put(events, entry, bus, caller) for entry, bus in zip(entries, buses, strict=True)]
    return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}


def _put(events: EventBridge, entry: Params, bus: Bus | None, caller: Caller) -> Params:
    now = events.clock.now()
    try:
        made = event.build(entry, caller.account, caller.region, now)
        made.trace_header = made.trace_header or caller.trace_header or None
        if bus is not None:
            check_entry(events, bus, caller, entry)
    except EntryError as exc:
        return {"ErrorCode": exc.code, "ErrorMessage": exc.message}
    if bus is None:  # AWS accepts such an event and drops it
        name, reason = str(entry["EventBusName"]), "the event bus does not exist"
        events.journal.note("dropped", name, made.event_id, now, reason)
        fix = "Create the bus, or correct EventBusName"
        events.journal.on_loss(Loss("dropped", made.event_id, "PutEvents", name, "NoBus", reason, fix))
    else:
        events.publish(made, bus)
    return {"EventId": made.event_id}


def try_event_pattern(_events: EventBridge, params: Params, _caller: Caller) -> Params:
    """TestEventPattern."""
    pattern = EventPattern(params["EventPattern"])
    try:
        document = read_json(params["Event"])
    except (ValueError, RecursionError) as exc:
        raise invalid("Parameter Event is not valid.") from exc
    if not isinstance(document, dict) or not all(name in document for name in _REQUIRED):
        raise invalid("Parameter Event is not valid.")
    return {"Result": pattern.matches(fields_of(document))}
