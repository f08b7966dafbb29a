"""Fakes of SNS, EventBridge and DynamoDB, and the app on top of them without a socket."""

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
from orderboard_aws_client.request_metrics import CountRequests
from orderboard_contracts.events import Event, parse_event
from orderboard_contracts.tracing import Tracing
from prometheus_client import CollectorRegistry

ORDER: Mapping[str, Any] = {"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]}
SETTINGS: Mapping[str, Any] = {
    "orders_topic_arn": "arn:aws:sns:us-east-1:000000000000:test-orders",
    "bus_name": "test",
    "orders_table": "test-orders",
}


def throttled(operation: str) -> ClientError:
    """The error of a throttled call."""
    return ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)


def unreachable() -> EndpointConnectionError:
    """The error of a call to a backend that is down."""
    return EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def broken_responses() -> dict[str, Exception]:
    """Errors of responses that are cut off or garbled: botocore translates none of them."""
    return {
        "cut off": aiohttp.ClientPayloadError("Response payload is not completed"),
        "stalled": aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
        "reset": ConnectionResetError(104, "Connection reset by peer"),
        "not XML": ResponseParserError("Unable to parse response, invalid XML received"),
        "not JSON": json.JSONDecodeError("Expecting value", "<html>", 0),
    }


@dataclass
class FakeService:
    """Responds when the gate is open; `failures` are raised by the next calls, one each.

    The next `responses_to_lose` calls take effect without a response. `rejections` are the results of the next entries.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    failures: deque[Exception] = field(default_factory=deque)
    responses_to_lose: int = 0
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    rejections: deque[dict[str, Any]] = field(default_factory=deque)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def respond(self) -> None:
        """Wait for the gate, then fail if that is due."""
        self.called.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.popleft()

    async def accept(self, entries: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
        """Accept the entries of a batch, and return a rejection or None for each."""
        self.calls.append(entries)
        await self.respond()
        results = [self.rejections.popleft() if self.rejections else None for _ in entries]
        self.accepted += [entry for entry, rejection in zip(entries, results, strict=True) if rejection is None]
        if self.responses_to_lose:
            self.responses_to_lose -= 1
            raise ReadTimeoutError(endpoint_url="http://aws.test")
        return results


class FakeSns(FakeService):
    """SNS. The message id derives from the message, so that a test can tell which is which."""

    async def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Any) -> Any:  # noqa: N803
        """Call PublishBatch."""
        assert TopicArn == SETTINGS["orders_topic_arn"]
        successful, failed = [], []
        for entry, rejection in zip(
            PublishBatchRequestEntries, await self.accept(PublishBatchRequestEntries), strict=True
        ):
            if rejection is None:
                successful.append({"Id": entry["Id"], "MessageId": f"message-of-{json.loads(entry['Message'])['id']}"})
            else:
                failed.append({"Id": entry["Id"], **rejection})
        return {"Successful": successful[::-1], "Failed": failed}  # SNS promises no order

    async def get_topic_attributes(self, *, TopicArn: str) -> Any:  # noqa: N803
        """Call GetTopicAttributes."""
        await self.respond()
        return {"Attributes": {"TopicArn": TopicArn}}

    @property
    def events(self) -> list[Event]:
        """Events that a subscribed queue receives."""
        return [parse_event(entry["Message"]) for entry in self.accepted]


class FakeEvents(FakeService):
    """EventBridge."""

    async def put_events(self, *, Entries: Any) -> Any:  # noqa: N803
        """Call PutEvents."""
        results = zip(Entries, await self.accept(Entries), strict=True)
        return {
            "Entries": [each or {"EventId": f"bus-event-of-{json.loads(e['Detail'])['id']}"} for e, each in results]
        }

    async def describe_event_bus(self, *, Name: str) -> Any:  # noqa: N803
        """Call DescribeEventBus."""
        await self.respond()
        return {"Name": Name}

    @property
    def events(self) -> list[Event]:
        """Events that a rule sees."""
        return [parse_event(entry["Detail"]) for entry in self.accepted]


@dataclass
class FakeDynamoDb(FakeService):
    """A table of items in DynamoDB's own JSON, with its index by customer."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> Any:  # noqa: N803
        """Call GetItem."""
        assert (TableName, ConsistentRead) == (SETTINGS["orders_table"], True)
        await self.respond()
        item = self.items.get(Key["order_id"]["S"])
        return {"Item": item} if item else {}

    async def query(self, **arguments: Any) -> Any:
        """Call Query: newest first; a key that is not in the index is rejected."""
        await self.respond()
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
        """Call DescribeTable."""
        await self.respond()
        return {"Table": {"TableName": TableName}}


@dataclass
class RunningApi:
    """The app, its client and its fakes."""

    app: FastAPI
    http: httpx.AsyncClient
    sns: FakeSns
    events: FakeEvents
    dynamodb: FakeDynamoDb

    async def place(self, order: Mapping[str, Any] = ORDER, *, key: str | None = None) -> httpx.Response:
        """POST /orders."""
        return await self.http.post("/orders", json=order, headers={} if key is None else {"Idempotency-Key": key})

    async def metric(self, line_start: str) -> float:
        """The sum of the metrics whose line starts so."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(line_start))

    def waiting(self, service: str) -> float | None:
        """The number of commands that wait for a call to this service."""
        registry: CollectorRegistry = self.app.state.metrics.registry
        return registry.get_sample_value("orderboard_api_publish_waiting", {"service": service})

    def assert_nothing_published(self) -> None:
        """Neither service was called, and no command waits for a call."""
        assert self.sns.calls == self.events.calls == []
        assert self.waiting("sns") == self.waiting("events") == 0


@asynccontextmanager
async def running_api(*, tracing: Tracing | None = None, **settings: Any) -> AsyncIterator[RunningApi]:
    """The app with these settings on fresh fakes."""
    sns, events, dynamodb = FakeSns(), FakeEvents(), FakeDynamoDb()

    @asynccontextmanager
    async def open_fakes(_: Settings, __: CountRequests) -> AsyncIterator[Clients]:
        yield Clients(cast("Any", sns), cast("Any", events), cast("Any", dynamodb))

    chosen = Settings(**{**SETTINGS, "api_publish_linger_ms": 2.0, **settings})
    app = create_app(chosen, open_clients=open_fakes, tracing=tracing)
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
