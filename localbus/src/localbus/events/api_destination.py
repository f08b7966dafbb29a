"""API destinations: HTTP endpoints as targets.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError
from localbus.errors import AwsError
from localbus.events import json_path
from localbus.events.connection import Connection, Connections, with_query
from localbus.events.delivery import EventDelivery
from localbus.events.event import Event
from localbus.http import client as http_client
from localbus.http.client import NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

TIMEOUT_S = 5
DEFAULT_RATE = 300
_SENT_AGAIN = {401, 407, 409, 429}
_FIXED_HEADERS = {
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
    "Content-Type": "application/json; charset=utf-8",
    "Range": "bytes=0-1048575",
}


@dataclass(eq=False)
class ApiDestination:
    """One destination. `given` is as CreateApiDestination and UpdateApiDestination had it."""

    name: str
    arn: str
    given: Params
    created_at: float
    modified_at: float
    second: int = 0  # the last one in which it is called, and how often
    calls_in_second: int = 0

    def turn_at(self, now: float) -> float:
        """When it may be called again, which then is spoken for: so many calls a second, the others wait."""
        if int(now) > self.second:
            self.second, self.calls_in_second = int(now), 0
        if self.calls_in_second >= self.given.get("InvocationRateLimitPerSecond", DEFAULT_RATE):
            self.second, self.calls_in_second = self.second + 1, 0
        self.calls_in_second += 1
        return max(now, float(self.second))

    def brief(self, connection: Connection | None) -> Params:
        """What Create and Update answer. Without an authorized connection a destination is inactive."""
        active = connection is not None and connection.state == "AUTHORIZED"
        return {
            "ApiDestinationArn": self.arn,
            "ApiDestinationState": "ACTIVE" if active else "INACTIVE",
            "CreationTime": self.created_at,
            "LastModifiedTime": self.modified_at,
        }

    def listed(self, connection: Connection | None) -> Params:
        """The destination in a list."""
        shown = {name: self.given[name] for name in ("ConnectionArn", "InvocationEndpoint", "HttpMethod")}
        rate = self.given.get("InvocationRateLimitPerSecond", DEFAULT_RATE)
        return self.brief(connection) | shown | {"Name": self.name, "InvocationRateLimitPerSecond": rate}

    def described(self, connection: Connection | None) -> Params:
        """The whole destination."""
        return self.listed(connection) | {n: self.given[n] for n in ("Description",) if n in self.given}


class ApiDestinations:
    """The destinations of every account and region, and how they are called."""

    def __init__(self, clock: Clock, connections: Connections) -> None:
        self._clock = clock
        self.connections = connections
        self._destinations: dict[tuple[str, str, str], ApiDestination] = {}

    def create(self, given: Params, caller: Caller) -> ApiDestination:
        """Make a destination."""
        name = given["Name"]
        key = (caller.account, caller.region, name)
        if key in self._destinations:
            raise AwsError("ResourceAlreadyExistsException", f"An api-destination '{name}' already exists.")
        self._check_connection(given)
        now = self._clock.now()
        arn = f"arn:aws:events:{caller.region}:{caller.account}:api-destination/{name}/{new_id()}"
        destination = self._destinations[key] = ApiDestination(name, arn, given, now, now)
        return destination

    def update(self, given: Params, caller: Caller) -> ApiDestination:
        """Change a destination."""
        destination = self.find(given["Name"], caller, "update")
        self._check_connection(destination.given | given)
        destination.given = destination.given | given
        destination.modified_at = self._clock.now()
        return destination

    def delete(self, name: str, caller: Caller) -> None:
        """Take a destination away."""
        self.find(name, caller, "delete")
        del self._destinations[(caller.account, caller.region, name)]

    def find(self, name: str, caller: Caller, verb: str) -> ApiDestination:
        """The destination of that name; raises ResourceNotFoundException."""
        destination = self._destinations.get((caller.account, caller.region, name))
        if destination is None:
            text = f"Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist."
            raise AwsError("ResourceNotFoundException", text)
        return destination

    def of(self, caller: Caller) -> list[ApiDestination]:
        """The caller's destinations by name."""
        scope = (caller.account, caller.region)
        return [self._destinations[key] for key in sorted(self._destinations) if key[:2] == scope]

    def connection_of(self, destination: ApiDestination) -> Connection | None:
        """The connection by which a destination is called."""
        return self.connections.by_arn(destination.given["ConnectionArn"])

    def _check_connection(self, given: Params) -> None:
        if self.connections.by_arn(given["ConnectionArn"]) is None:
            name = given["ConnectionArn"].split("/")[1]
            raise AwsError("ResourceNotFoundException", f"Connection '{name}' does not exist.")

    async def _wait_until(self, when: float) -> None:
        if when > self._clock.now():
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            wake = self._clock.call_at(when, lambda: None if turn.done() else turn.set_result(None))
            try:
                await turn
            finally:
                wake.cancel()

    async def send(self, delivery: EventDelivery) -> None:
        """Call the endpoint with the event. Raises DeliveryError."""
        arn = delivery.target.arn
        destination = next((one for one in self._destinations.values() if one.arn == arn), None)
        connection = self.connection_of(destination) if destination else None
        if destination is None or connection is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} or its connection does not exist.")
        await self._wait_until(destination.turn_at(self._clock.now()))
        if connection.uses_token and connection.token is None:
            await connection.authorize(self._clock.now)
        if connection.state != "AUTHORIZED":
            raise DeliveryError("CONNECTION_FAILURE", f"{connection.arn} is not authorized.", retryable=True)
        url, headers, body = _request(destination, connection, delivery)
        try:
            answer = await http_client.send(destination.given["HttpMethod"], url, headers, body, timeout_s=TIMEOUT_S)
        except TimeoutError as exc:
            raise DeliveryError("TIMEOUT", f"{url} did not answer within {TIMEOUT_S} s.", retryable=True) from exc
        except NoAnswerError as exc:
            raise DeliveryError("CONNECTION_FAILURE", str(exc), retryable=True) from exc
        if answer.status == 401:
            connection.token = None
        if answer.status >= 300:
            retryable = answer.status in _SENT_AGAIN or answer.status >= 500
            raise DeliveryError("ERROR_FROM_TARGET", f"{url} answered {answer.status}.", retryable=retryable)


def _request(
    destination: ApiDestination, connection: Connection, delivery: EventDelivery
) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body. Where target and connection both give a parameter, the connection's counts."""
    given = delivery.target.given.get("HttpParameters", {})
    event = delivery.event
    extras = connection.extras()
    url = _with_path(destination.given["InvocationEndpoint"], _filled(given.get("PathParameterValues", []), event))
    query = {name: _fill(value, event) for name, value in given.get("QueryStringParameters", {}).items()}
    own = {name: _fill(value, event) for name, value in given.get("HeaderParameters", {}).items()}
    fixed = {name.lower() for name in [*own, *extras.headers]}
    headers = {name: value for name, value in _FIXED_HEADERS.items() if name.lower() not in fixed}
    replaced = {name.lower() for name in extras.headers}
    headers |= {name: value for name, value in own.items() if name.lower() not in replaced} | extras.headers
    return with_query(url, query | extras.query), headers, _with_body(delivery.body, extras.body).encode()


def _with_path(endpoint: str, values: Iterable[str]) -> str:
    """The address with each `*` of its path replaced by the next value."""
    for value in values:
        endpoint = endpoint.replace("*", quote(value, safe=""), 1)
    return endpoint


def _filled(values: list[str], event: Event) -> list[str]:
    return [_fill(value, event) for value in values]


def _fill(value: str, event: Event) -> str:
    """A parameter that is a JSON path stands for what it finds in the event."""
    steps = json_path.parse(value) if value.startswith("$.") else None
    if steps is None:
        return value
    try:
        found = json_path.find(event.document, steps)
    except json_path.NothingThereError:
        return ""
    return found if isinstance(found, str) else json.dumps(found)


def _with_body(body: str, more: dict[str, str]) -> str:
    """The connection's body parameters become members of a body that is an object."""
    if not more:
        return body
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return json.dumps(document | more) if isinstance(document, dict) else body
