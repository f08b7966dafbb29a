"""EventBridge's actions on connections and API destinations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from localbus.errors import AwsError
from localbus.events.api_destination import ApiDestination
from localbus.events.connection import Connection
from localbus.events.state import EventBridge
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def create_connection(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """CreateConnection."""
    _check_is_public(params)
    connection = events.connections.create(params, caller)
    return _authorized(events, connection, caller)


def update_connection(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """UpdateConnection."""
    _check_is_public(params)
    return _authorized(events, events.connections.update(params, caller), caller)


def _check_is_public(params: Params) -> None:
    """Raise AwsError for a connection to a private endpoint, which needs VPC Lattice."""
    for given, name in (
        (params, "InvocationConnectivityParameters"),
        (params.get("AuthParameters", {}), "ConnectivityParameters"),
    ):
        if given.get(name):
            text = f"localbus does not implement {name}: leave them out for a public endpoint."
            raise AwsError("NotImplemented", text)


def _authorized(events: EventBridge, connection: Connection, caller: Caller) -> Params | Awaitable[Params]:
    """Start the authorization, after the secret is stored where there is a Secrets Manager."""

    async def store() -> Params:
        try:
            await events.secrets.store(connection)
        except AwsError:
            if not connection.has_secret:
                events.connections.delete(connection.name, caller)
            raise
        events.connections.save(connection)
        events.start_authorization(connection)
        return connection.summary()

    if events.secrets.are_kept:
        return store()
    events.start_authorization(connection)
    return connection.summary()


def describe_connection(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeConnection."""
    return events.connections.find(params["Name"], caller).details()


def list_connections(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListConnections."""
    state = params.get("ConnectionState")
    found = [one for one in events.connections.of(caller) if state in {None, one.state}]
    return list_page("Connections", found, params, key=lambda one: one.name, show=Connection.list_item)


def deauthorize_connection(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """DeauthorizeConnection: discard the token and the secret."""
    connection = events.connections.find(params["Name"], caller, "deauthorize")
    events.connections.deauthorize(connection)
    return _without_secret(events, connection, connection.summary)


def delete_connection(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """DeleteConnection."""
    connection = events.connections.find(params["Name"], caller, "delete")
    return _without_secret(events, connection, lambda: events.connections.delete(connection.name, caller).summary())


def _without_secret(
    events: EventBridge, connection: Connection, finish: Callable[[], Params]
) -> Params | Awaitable[Params]:
    """Finish an action after the secret is deleted."""

    async def remove() -> Params:
        await events.secrets.remove(connection)
        events.connections.save(connection)
        return finish()

    return remove() if connection.has_secret else finish()


def create_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CreateApiDestination."""
    return events.destinations.create(params, caller).summary()


def update_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UpdateApiDestination."""
    return events.destinations.update(params, caller).summary()


def describe_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeApiDestination."""
    return events.destinations.find(params["Name"], caller).details()


def list_api_destinations(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListApiDestinations."""
    arn = params.get("ConnectionArn")
    found = [one for one in events.destinations.of(caller) if arn in {None, one.given["ConnectionArn"]}]
    return list_page("ApiDestinations", found, params, key=lambda one: one.name, show=ApiDestination.list_item)


def delete_api_destination(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteApiDestination."""
    events.destinations.delete(params["Name"], caller)
    return {}
