"""SNS, EventBridge and DynamoDB as order-api sees them, and the app on top of them without a socket."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import httpx
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from fastapi import FastAPI
from order_api.app import create_app
from order_api.aws import Clients
from order_api.settings import Settings
from orderboard_aws_client.request_counts import CountRequests
from orderboard_contracts.events import Event, parse_event

ORDER: Mapping[str, Any] = {"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]}
SETTINGS: Mapping[str, Any] = {
    "orders_topic_arn": "arn:aws:sns:us-east-1:000000000000:test-orders",
    "bus_name": "test",
    "orders_table": "test-orders",
}


def throttled(operation: str) -> ClientError:
    """What a throttled call raises."""
    return ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)


def unreachable() -> EndpointConnectionError:
    """What a call to a backend that is down raises."""
    return EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def broken_answers() -> dict[str, Exception]:
    """What a call raises whose answer breaks off in its body or is none: nothing that botocore translates."""
    return {
        "cut off": aiohttp.ClientPayloadError("Response payload is not completed"),
        "stalled": aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
        "reset": ConnectionResetError(104, "Connection reset by peer"),
        "not XML": ResponseParserError("Unable to parse response, invalid XML received"),
        "not JSON": json.JSONDecodeError("Expecting value", "<html>", 0),
    }


@dataclass
class FakeService:
    """Answers when the gate is open; `failures` are raised by the next calls, one each.

    The next `answers_to_lose` calls take effect, and then nobody hears of it.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failures: deque[Exception] = field(default_factory=deque)
    answers_to_lose: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def answer(self) -> None:
        """Wait for the gate, then fail if that is due."""
        await self.gate.wait()
        if self.failures:
            raise self.failures.popleft()

    def lose_answer(self) -> None:
        """Raise after the effect, if that is due."""
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise ReadTimeoutError(endpoint_url="http://aws.test")


@dataclass
class FakeSns(FakeService):
    """Keeps what was published; `refusals` are given to the next entries instead of a message id."""

    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    refusals: deque[dict[str, Any]] = field(default_factory=deque)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    async def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Any) -> Any:  # noqa: N803
        """SNS PublishBatch; the message id is made of the message, so that a test can tell whose it is."""
        assert TopicArn == SETTINGS["orders_topic_arn"]
        self.calls.append(PublishBatchRequestEntries)
        await self.answer()
        successful, failed = [], []
        for entry in PublishBatchRequestEntries:
            if self.refusals:
                failed.append({"Id": entry["Id"], **self.refusals.popleft()})
            else:
                self.accepted.append(entry)
                successful.append({"Id": entry["Id"], "MessageId": f"message-of-{json.loads(entry['Message'])['id']}"})
        self.lose_answer()
        return {"Successful": successful[::-1], "Failed": failed}  # SNS promises no order

    async def get_topic_attributes(self, *, TopicArn: str) -> Any:  # noqa: N803
        """The topic is there."""
        await self.answer()
        return {"Attributes": {"TopicArn": TopicArn}}

    @property
    def events(self) -> list[Event]:
        """What a subscribed queue has."""
        return [parse_event(entry["Message"]) for entry in self.accepted]


@dataclass
class FakeEvents(FakeService):
    """Keeps what was put; `refusals` are given to the next entries instead of an event id."""

    calls: list[list[dict[str, str]]] = field(default_factory=list)
    refusals: deque[dict[str, str]] = field(default_factory=deque)
    accepted: list[dict[str, str]] = field(default_factory=list)

    async def put_events(self, *, Entries: Any) -> Any:  # noqa: N803
        """EventBridge PutEvents."""
        self.calls.append(Entries)
        await self.answer()
        results: list[dict[str, str]] = []
        for entry in Entries:
            if self.refusals:
                results.append(self.refusals.popleft())
            else:
                self.accepted.append(entry)
                results.append({"EventId": f"bus-event-of-{json.loads(entry['Detail'])['id']}"})
        self.lose_answer()
        return {"Entries": results}

    async def describe_event_bus(self, *, Name: str) -> Any:  # noqa: N803
        """The bus is there."""
        await self.answer()
        return {"Name": Name}

    @property
    def events(self) -> list[Event]:
        """What a rule sees."""
        return [parse_event(entry["Detail"]) for entry in self.accepted]


@dataclass
class FakeDynamoDb(FakeService):
    """A table of items in DynamoDB's own JSON, with its index by customer."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> Any:  # noqa: N803
        """One row."""
        assert (TableName, ConsistentRead) == (SETTINGS["orders_table"], True)
        await self.answer()
        item = self.items.get(Key["order_id"]["S"])
        return {"Item": item} if item else {}

    async def query(self, **arguments: Any) -> Any:
        """A page of the customer's rows, newest first; a key that is not of this index is refused."""
        await self.answer()
        customer_id = arguments["ExpressionAttributeValues"][":customer_id"]["S"]
        rows = sorted(
            (row for row in self.items.values() if row.get("customer_id") == {"S": customer_id}),
            key=lambda row: cast(str, row["placed_at"]["S"]),
            reverse=True,
        )
        if (start := arguments.get("ExclusiveStartKey")) is not None:
            if not any(row["order_id"] == start["order_id"] for row in rows):
                raise ClientError({"Error": {"Code": "ValidationException", "Message": "starting key"}}, "Query")
            rows = [row for row in rows if row["placed_at"]["S"] < start["placed_at"]["S"]]
        page = rows[: arguments["Limit"]]
        if len(page) == len(rows):
            return {"Items": page}
        return {
            "Items": page,
            "LastEvaluatedKey": {name: page[-1][name] for name in ("order_id", "customer_id", "placed_at")},
        }

    async def describe_table(self, *, TableName: str) -> Any:  # noqa: N803
        """The table is there."""
        await self.answer()
        return {"Table": {"TableName": TableName}}


@dataclass
class RunningApi:
    """The app, its client, and what is behind it."""

    app: FastAPI
    http: httpx.AsyncClient
    sns: FakeSns
    events: FakeEvents
    dynamodb: FakeDynamoDb

    async def place(self, order: Mapping[str, Any] = ORDER, *, key: str | None = None) -> httpx.Response:
        """POST /orders."""
        return await self.http.post("/orders", json=order, headers={} if key is None else {"Idempotency-Key": key})

    async def metric(self, line_start: str) -> float:
        """The value of the metrics line that starts so; 0 where there is none."""
        text = (await self.http.get("/metrics")).text
        values = [float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(line_start)]
        return sum(values)


@asynccontextmanager
async def running_api(**settings: Any) -> AsyncIterator[RunningApi]:
    """The app with these settings on fresh fakes."""
    sns, events, dynamodb = FakeSns(), FakeEvents(), FakeDynamoDb()

    @asynccontextmanager
    async def open_fakes(_: Settings, __: CountRequests) -> AsyncIterator[Clients]:
        yield Clients(sns, events, dynamodb)

    app = create_app(Settings(**{**SETTINGS, "api_publish_linger_ms": 2.0, **settings}), open_clients=open_fakes)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://order-api") as http,
    ):
        yield RunningApi(app, http, sns, events, dynamodb)
        for service in (sns, events, dynamodb):
            service.gate.set()  # so that the batchers can close


def assert_problem(response: httpx.Response, status: int, name: str) -> Mapping[str, Any]:
    """The response is this problem, well-formed; returns the document."""
    document: Mapping[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, document["status"], document["type"]) == (status, status, f"/problems/{name}"), (
        document
    )
    assert document["title"]
    assert document["detail"]
    return document
