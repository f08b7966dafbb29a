"""API destinations: HTTP endpoints as targets.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from urllib.parse import quote

from localbus.clock import Clock
from localbus.delivery.attempt import DeliveryError
from localbus.events.connection import Connection, Connections, with_query
from localbus.events.delivery import EventDelivery
from localbus.events.errors import missing
from localbus.events.event import Event
from localbus.events.input_transformer import find_path, parse_path
from localbus.events.registry import Registry, pick
from localbus.http import client as http_client
from localbus.http.client import Answer, NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

TIMEOUT_S = 5
DEFAULT_RATE = 300
_RETRYABLE_STATUSES = {401, 407, 409, 429}
_NEW_TOKEN_STATUSES = {401, 407}
_CONTENT_TYPE = {"Content-Type": "application/json; charset=utf-8"}
_FIXED_HEADERS = {
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
    "Range": "bytes=0-1048575",
    "Accept-Encoding": "gzip,deflate",
}
# Removed from those that the connection and the target give.
_FORBIDDEN_HEADERS = {
    *("a-im", "accept-charset", "accept-datetime", "accept-encoding", "cache-control", "connection"),
    *("content-encoding", "content-length", "content-md5", "date", "expect", "forwarded", "from", "host"),
    *("http2-settings", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
    *("max-forwards", "origin", "pragma", "proxy-authorization", "range", "referer", "te", "trailer"),
    *("transfer-encoding", "user-agent", "upgrade", "via", "warning"),
}


@dataclass(eq=False)
class ApiDestination:
    """An API destination. `given` is the input of CreateApiDestination and UpdateApiDestination."""

    name: str
    arn: str
    given: Params
    connections: Connections
    created_at: float
    modified_at: float
    second: int = 0  # the latest second with a call, and the calls in it
    calls_in_second: int = 0

    @property
    def connection(self) -> Connection | None:
        """The connection that authorizes the calls, if it exists."""
        return self.connections.by_arn(self.given["ConnectionArn"])

    def reserve_call(self, now: float) -> float:
        """Reserve the next call that the rate limit permits, and return its time."""
        if int(now) > self.second:
            self.second, self.calls_in_second = int(now), 0
        if self.calls_in_second >= self.given.get("InvocationRateLimitPerSecond", DEFAULT_RATE):
            self.second, self.calls_in_second = self.second + 1, 0
        self.calls_in_second += 1
        return max(now, float(self.second))

    def summary(self) -> Params:
        """Return the destination as Create and Update do. It is inactive without an authorized connection."""
        connection = self.connection
        active = connection is not None and connection.state == "AUTHORIZED"
        return {
            "ApiDestinationArn": self.arn,
            "ApiDestinationState": "ACTIVE" if active else "INACTIVE",
            "CreationTime": self.created_at,
            "LastModifiedTime": self.modified_at,
        }

    def list_item(self) -> Params:
        """Return the destination as ListApiDestinations does."""
        settings = pick(self.given, "ConnectionArn", "InvocationEndpoint", "HttpMethod")
        rate = self.given.get("InvocationRateLimitPerSecond", DEFAULT_RATE)
        return self.summary() | settings | {"Name": self.name, "InvocationRateLimitPerSecond": rate}

    def details(self) -> Params:
        """Return the destination as DescribeApiDestination does."""
        return self.list_item() | pick(self.given, "Description")

    def document(self) -> Document:
        """Return the destination for the storage."""
        return {"given": self.given, "created_at": self.created_at, "modified_at": self.modified_at}


class ApiDestinations(Registry[ApiDestination]):
    """The API destinations of all accounts, and their invocation."""

    kind = "events.api_destination"
    quota = 3_000
    in_use = "An api-destination '{name}' already exists."
    not_found = "Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist."

    def __init__(self, clock: Clock, storage: Storage, connections: Connections) -> None:
        super().__init__(clock, storage)
        self._connections = connections

    def create(self, given: Params, caller: Caller) -> ApiDestination:
        """Create a destination."""
        name = given["Name"]
        self.require_new(name, caller)
        self._check_connection(given)
        now = self._clock.now()
        arn = f"arn:aws:events:{caller.region}:{caller.account}:api-destination/{name}/{new_id()}"
        return self.add(ApiDestination(name, arn, given, self._connections, now, now), caller)

    def update(self, given: Params, caller: Caller) -> ApiDestination:
        """Replace the given settings of a destination."""
        destination = self.find(given["Name"], caller, "update")
        self._check_connection(destination.given | given)
        destination.given = destination.given | given
        destination.modified_at = self._clock.now()
        self.save(destination)
        return destination

    def _restored(self, arn: str, stored: Document) -> ApiDestination:
        return ApiDestination(stored["given"]["Name"], arn, connections=self._connections, **stored)

    def _check_connection(self, given: Params) -> None:
        if self._connections.by_arn(given["ConnectionArn"]) is None:
            raise missing(f"Connection '{given['ConnectionArn'].split('/')[1]}' does not exist.")

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
        destination = self.by_arn(arn)
        connection = destination.connection if destination else None
        if destination is None or connection is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} or its connection does not exist.")
        await self._wait_until(destination.reserve_call(self._clock.now()))
        if connection.uses_token and connection.token is None:
            await self._connections.authorize(connection)
        if connection.state != "AUTHORIZED":
            raise DeliveryError("CONNECTION_FAILURE", f"{connection.arn} is not authorized.", retryable=True)
        url, headers, body = _request(destination, connection, delivery)
        try:
            answer = await http_client.send(destination.given["HttpMethod"], url, headers, body, timeout_s=TIMEOUT_S)
        except TimeoutError as exc:
            raise DeliveryError("TIMEOUT", f"{url} did not answer within {TIMEOUT_S} s.", retryable=True) from exc
        except NoAnswerError as exc:
            raise DeliveryError("CONNECTION_FAILURE", str(exc), retryable=True) from exc
        if answer.status in _NEW_TOKEN_STATUSES:
            self._connections.discard_token(connection)
        if answer.status >= 300:
            delivery.retry_after_s = _retry_after_s(answer, self._clock.now())
            retryable = answer.status in _RETRYABLE_STATUSES or answer.status >= 500
            retryable = retryable and delivery.retry_after_s >= 0
            raise DeliveryError("ERROR_FROM_TARGET", f"{url} answered {answer.status}.", retryable=retryable)


def _retry_after_s(answer: Answer, now: float) -> float:
    """Return the delay that the answer asks for, in seconds. A negative one means not to retry."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - takes 6 ms, which a restart need not wait for

    try:
        return parsedate_to_datetime(text).timestamp() - now
    except ValueError:
        return 0


def _request(
    destination: ApiDestination, connection: Connection, delivery: EventDelivery
) -> tuple[str, dict[str, str], bytes]:
    """Build URL, headers and body. The connection's parameters take precedence over the target's."""
    given = delivery.target.given.get("HttpParameters", {})
    event = delivery.event
    added = connection.http_parameters()
    url = destination.given["InvocationEndpoint"]
    for value in given.get("PathParameterValues", []):  # each replaces the next `*` of the path
        url = url.replace("*", quote(_fill(value, event), safe=""), 1)
    query = {name: _fill(value, event) for name, value in given.get("QueryStringParameters", {}).items()}
    own = {name: _fill(value, event) for name, value in given.get("HeaderParameters", {}).items()}
    headers: dict[str, str] = {}
    for more in (added.headers, own, _CONTENT_TYPE):
        taken = _FORBIDDEN_HEADERS | {name.lower() for name in headers}
        headers |= {name: value for name, value in more.items() if name.lower() not in taken}
    headers |= _FIXED_HEADERS
    return with_query(url, query | added.query), headers, _with_body(delivery.body, added.body).encode()


def _fill(value: str, event: Event) -> str:
    """Replace a parameter that is a JSON path with its value in the event."""
    steps = parse_path(value) if value.startswith("$.") else None
    if steps is None:
        return value
    found = find_path(event.document, steps, "")
    return found if isinstance(found, str) else json.dumps(found)


def _with_body(body: str, more: dict[str, str]) -> str:
    """Add members to a body that is a JSON object."""
    if not more:
        return body
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return json.dumps(document | more) if isinstance(document, dict) else body
