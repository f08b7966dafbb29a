"""EventBridge's API: its actions by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from localbus.events import (
    archive_actions,
    bus_actions,
    destination_actions,
    put_events_actions,
    rule_actions,
    tags,
    target_actions,
)
from localbus.events.state import EventBridge
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params

ACTIONS: dict[str, Callable[[EventBridge, Params, Caller], Params | Awaitable[Params]]] = {
    "CancelReplay": archive_actions.cancel_replay,
    "CreateApiDestination": destination_actions.create_api_destination,
    "CreateArchive": archive_actions.create_archive,
    "CreateConnection": destination_actions.create_connection,
    "CreateEventBus": bus_actions.create_event_bus,
    "DeauthorizeConnection": destination_actions.deauthorize_connection,
    "DeleteApiDestination": destination_actions.delete_api_destination,
    "DeleteArchive": archive_actions.delete_archive,
    "DeleteConnection": destination_actions.delete_connection,
    "DeleteEventBus": bus_actions.delete_event_bus,
    "DeleteRule": rule_actions.delete_rule,
    "DescribeApiDestination": destination_actions.describe_api_destination,
    "DescribeArchive": archive_actions.describe_archive,
    "DescribeConnection": destination_actions.describe_connection,
    "DescribeEventBus": bus_actions.describe_event_bus,
    "DescribeReplay": archive_actions.describe_replay,
    "DescribeRule": rule_actions.describe_rule,
    "DisableRule": rule_actions.disable_rule,
    "EnableRule": rule_actions.enable_rule,
    "ListApiDestinations": destination_actions.list_api_destinations,
    "ListArchives": archive_actions.list_archives,
    "ListConnections": destination_actions.list_connections,
    "ListEventBuses": bus_actions.list_event_buses,
    "ListReplays": archive_actions.list_replays,
    "ListRuleNamesByTarget": rule_actions.list_rule_names_by_target,
    "ListRules": rule_actions.list_rules,
    "ListTagsForResource": tags.list_tags_for_resource,
    "ListTargetsByRule": target_actions.list_targets_by_rule,
    "PutEvents": put_events_actions.put_events,
    "PutPermission": bus_actions.put_permission,
    "PutRule": rule_actions.put_rule,
    "PutTargets": target_actions.put_targets,
    "RemovePermission": bus_actions.remove_permission,
    "RemoveTargets": target_actions.remove_targets,
    "StartReplay": archive_actions.start_replay,
    "TagResource": tags.tag_resource,
    "TestEventPattern": put_events_actions.try_event_pattern,
    "UntagResource": tags.untag_resource,
    "UpdateApiDestination": destination_actions.update_api_destination,
    "UpdateArchive": archive_actions.update_archive,
    "UpdateConnection": destination_actions.update_connection,
    "UpdateEventBus": bus_actions.update_event_bus,
}


def service(events: EventBridge) -> Service:
    """Build EventBridge for the router."""
    return Service(Api("events"), {name: partial(action, events) for name, action in ACTIONS.items()}, "1.1")
