"""Access to a bus by its policy: for PutEvents, and for the rules of another account's bus.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html for the condition keys,
and https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html for the errors of entries
"""

from __future__ import annotations

import json

from localbus.errors import AwsError
from localbus.events.bus import Bus
from localbus.events.event import EntryError, condition_keys
from localbus.events.state import EventBridge
from localbus.policy_conditions import Context
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.resource_policy import allows_account, keys_of

_CODES_OF_ENTRIES = {
    "events:source": "NotAuthorizedForSourceException",
    "events:detail-type": "NotAuthorizedForDetailTypeException",
}


def check_put(events: EventBridge, bus: Bus, caller: Caller) -> None:
    """Raise AccessDeniedException for the whole request, unless the policy depends on the entries."""
    if keys_of(bus.policy_text).isdisjoint(_CODES_OF_ENTRIES):
        keys = {"events:eventbusinvocation": "false"}
        _check(events, bus, caller, "PutEvents", resource=bus.arn, keys=keys)


def check_entry(events: EventBridge, bus: Bus, caller: Caller, entry: Params) -> None:
    """Raise EntryError for an entry whose source or detail type the policy of the bus does not allow."""
    if not bus.policy:
        return
    used = [code for key, code in _CODES_OF_ENTRIES.items() if key in keys_of(bus.policy_text)]
    keys = condition_keys(entry["Source"], entry["DetailType"], by_bus=False)
    if used and not _is_allowed(events, bus, caller, "PutEvents", resource=bus.arn, keys=keys):
        raise EntryError(used[0], f"Not authorized to put this event on {bus.arn}: its policy does not allow it.")


def find_bus(events: EventBridge, params: Params, caller: Caller, action: str, rule_name: str = "*") -> Bus:
    """Return the bus of an action on rules. Raises AwsError if it does not exist or its policy denies the action."""
    bus = events.buses.find(params.get("EventBusName"), caller)
    if bus.policy or bus.account != caller.account:
        rule = bus.rules.get(rule_name)
        keys: dict[str, str | tuple[str, ...]] = {"events:creatoraccount": rule.created_by if rule else caller.account}
        if rule and rule.managed_by:
            keys["events:managedby"] = rule.managed_by
        if "Targets" in params:
            keys["events:targetarn"] = tuple(str(target["Arn"]) for target in params["Targets"])
        keys |= _keys_of_pattern(params.get("EventPattern", ""))
        _check(events, bus, caller, action, resource=bus.rule_arn(rule_name), keys=keys)
    return bus


def _keys_of_pattern(text: str) -> dict[str, tuple[str, ...]]:
    """Return the sources and detail types that the pattern of PutRule names."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    members = {name: pattern.get(name) for name in ("source", "detail-type")} if isinstance(pattern, dict) else {}
    return {
        f"events:{name}": tuple(one for one in values if isinstance(one, str))
        for name, values in members.items()
        if isinstance(values, list)
    }


def _is_allowed(events: EventBridge, bus: Bus, caller: Caller, action: str, *, resource: str, keys: Context) -> bool:
    if not events.enforce_policies:
        return True
    now = events.clock.now()
    if allows_account(bus.policy_text, caller, f"events:{action}", resource, now=now, keys=lambda: keys):
        return True
    events.journal.note("denied", bus.arn, "", now, f"{action} by {caller.account}")
    return False


def _check(events: EventBridge, bus: Bus, caller: Caller, action: str, *, resource: str, keys: Context) -> None:
    """Require a policy that allows another account, or does not deny its own."""
    if _is_allowed(events, bus, caller, action, resource=resource, keys=keys):
        return
    user = f"User: {caller.principal_arn}"
    why = f"because no resource-based policy allows the events:{action} action"
    if caller.account == bus.account:
        why = "with an explicit deny in a resource-based policy"
    text = f"{user} is not authorized to perform: events:{action} on resource: {resource} {why}"
    raise AwsError("AccessDeniedException", text)
