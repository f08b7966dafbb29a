"""The actions of EventBridge that are about connections and API destinations."""

from __future__ import annotations

from localbus.events.api_destination import ApiDestination
from localbus.events.state import EventBridge
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def create_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CreateConnection."""
    connection = events.connections.create(params, caller)
    events.authorize_soon(connection)
    return connection.brief()


def update_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UpdateConnection."""
    connection = events.connections.update(params, caller)
    events.authorize_soon(connection)
    return connection.brief()


def describe_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeConnection."""
    return events.connections.find(params["Name"], caller, "describe").described()


def list_connections(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListConnections."""
    state = params.get("ConnectionState")
    found = [one for one in events.connections.of(caller) if state in {None, one.state}]
    return list_page("Connections", found, params, key=lambda one: one.name, show=lambda one: one.listed())


def deauthorize_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeauthorizeConnection: what authorizes it is forgotten."""
    connection = events.connections.find(params["Name"], caller, "deauthorize")
    connection.state, connection.token = "DEAUTHORIZED", None
    return connection.brief()


def delete_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteConnection."""
    return events.connections.delete(params["Name"], caller).brief()


def create_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CreateApiDestination."""
    return _brief(events, events.destinations.create(params, caller))


def update_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UpdateApiDestination."""
    return _brief(events, events.destinations.update(params, caller))


def describe_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeApiDestination."""
    destination = events.destinations.find(params["Name"], caller, "describe")
    return destination.described(events.destinations.connection_of(destination))


def list_api_destinations(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListApiDestinations."""
    wanted = params.get("ConnectionArn")
    found = [one for one in events.destinations.of(caller) if wanted in {None, one.given["ConnectionArn"]}]
    return list_page(
        "ApiDestinations",
        found,
        params,
        key=lambda one: one.name,
        show=lambda one: one.listed(events.destinations.connection_of(one)),
    )


def delete_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteApiDestination."""
    events.destinations.delete(params["Name"], caller)
    return {}


def _brief(events: EventBridge, destination: ApiDestination) -> Params:
    return destination.brief(events.destinations.connection_of(destination))
