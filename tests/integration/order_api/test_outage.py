"""A backend that is down, frozen or not started: timely errors, and retries that succeed."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from integration.order_api.service import ORDER, ApiProcess, api_process
from orderboard_contracts.events import parse_event
from orderboard_contracts.identity import new_order_id, order_id_for
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.local_backend import LocalBackend, start_local
from support.stack import sends_by
from support.waiting import eventually

DEADLINE_S = 5.0


@pytest.fixture
def own_backend(tmp_path: Path) -> Iterator[LocalBackend]:
    """A backend that the test may stop or freeze."""
    backend = start_local("embedded", tmp_path / "own-backend.log")
    yield backend
    backend.stop()


@pytest.fixture
def environment(own_backend: LocalBackend) -> dict[str, str]:
    """Settings for a topic with one queue, a bus and a table on that backend."""
    session, url = own_backend.endpoint.session(), own_backend.endpoint.endpoint_url
    sns = session.client("sns", endpoint_url=url, config=CLIENT_CONFIG)
    sqs = session.client("sqs", endpoint_url=url, config=CLIENT_CONFIG)
    topic = sns.create_topic(Name="orders")["TopicArn"]
    queue = sqs.create_queue(QueueName="work", Attributes=sends_by("sns"))["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    session.client("events", endpoint_url=url, config=CLIENT_CONFIG).create_event_bus(Name="board")
    session.client("dynamodb", endpoint_url=url, config=CLIENT_CONFIG).create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return {
        **own_backend.endpoint.environment(),
        "ORDERBOARD_ORDERS_TOPIC_ARN": topic,
        "ORDERBOARD_BUS_NAME": "board",
        "ORDERBOARD_ORDERS_TABLE": "orders",
    }


@pytest.fixture
async def fragile_api(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[ApiProcess]:
    """order-api on that backend."""
    async with api_process(environment, tmp_path / "order-api.log") as api:
        yield api


def signal_engines(backend: LocalBackend, number: signal.Signals) -> None:
    """Send a signal to the processes of the backend."""
    for each in psutil.Process(backend.pid).children():
        each.send_signal(number)


def messages_of(backend: LocalBackend) -> list[str]:
    """Receive messages and return their order ids."""
    sqs = backend.endpoint.session().client("sqs", endpoint_url=backend.endpoint.endpoint_url, config=CLIENT_CONFIG)
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    return [parse_event(message["Body"]).subject for message in messages]


async def assert_unavailable_in_time(api: ApiProcess, keys: list[str]) -> None:
    """Concurrent orders, a read and a readiness check all get 503 with Retry-After in time."""
    began = time.monotonic()
    responses = await asyncio.gather(
        *(api.place(key=key) for key in keys), api.http.get(f"/orders/{new_order_id()}"), api.http.get("/readyz")
    )
    assert time.monotonic() - began < DEADLINE_S + 2
    assert {response.status_code for response in responses} == {503}
    for response in responses:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"] == "1"


async def test_a_killed_backend_is_a_503_in_time(own_backend: LocalBackend, fragile_api: ApiProcess) -> None:
    """Clients get a timely error, /readyz names all three services, and the process keeps running."""
    assert (await fragile_api.place()).status_code == 202

    own_backend.stop()

    await assert_unavailable_in_time(fragile_api, [f"killed-{number}" for number in range(30)])
    not_ready = (await fragile_api.http.get("/readyz")).json()
    assert {error["field"] for error in not_ready["errors"]} == {"sns", "events", "dynamodb"}
    assert (await fragile_api.http.get("/healthz")).status_code == 200
    assert (await fragile_api.place({"customer_id": "ada"})).status_code == 422


async def test_a_frozen_backend_is_a_503_in_time_and_heals(own_backend: LocalBackend, fragile_api: ApiProcess) -> None:
    """It accepts connections without responding: 503 within the deadline. Once it resumes, the same keys succeed.

    It takes seconds: the deadline for publishing is 5 s.
    """
    keys = [f"frozen-{number}" for number in range(5)]
    assert (await fragile_api.place()).status_code == 202
    signal_engines(own_backend, signal.SIGSTOP)

    await assert_unavailable_in_time(fragile_api, keys)
    signal_engines(own_backend, signal.SIGCONT)
    healed = await asyncio.gather(*(fragile_api.place(key=key) for key in keys))

    assert [response.status_code for response in healed] == [202] * 5
    ids = [order_id_for(key) for key in keys]
    assert [response.json()["order_id"] for response in healed] == ids
    on_the_queue: set[str] = set()
    while found := await asyncio.to_thread(messages_of, own_backend):
        on_the_queue.update(found)
    assert set(ids) <= on_the_queue


async def test_sigterm_with_a_frozen_backend_still_ends_it(own_backend: LocalBackend, fragile_api: ApiProcess) -> None:
    """Orders under way get 503, and the process ends with 0 in bounded time."""
    signal_engines(own_backend, signal.SIGSTOP)
    placing = [asyncio.create_task(fragile_api.place(key=f"late-{number}")) for number in range(5)]
    await eventually(lambda: entries_in_calls(fragile_api) == 5)

    fragile_api.terminate()
    responses = await asyncio.gather(*placing)
    code = await asyncio.to_thread(fragile_api.process.wait, 15)

    assert {response.status_code for response in responses} == {503}
    assert code == 0


def entries_in_calls(api: ApiProcess) -> float:
    """The number of orders in calls to SNS so far."""
    start = 'orderboard_aws_entries_total{operation="PublishBatch",service="sns"} '
    lines = httpx.get(f"{api.url}/metrics", trust_env=False).text.splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


async def test_it_starts_before_its_backend_does(environment: dict[str, str], tmp_path: Path) -> None:
    """Without a backend it starts, is healthy and not ready: the order of starting does not matter."""
    absent = {name: "http://127.0.0.1:9" for name in environment if name.startswith("AWS_ENDPOINT_URL")}

    async with api_process({**environment, **absent}, tmp_path / "early.log") as api:
        healthy, ready = await asyncio.gather(api.http.get("/healthz"), api.http.get("/readyz"))

    assert (healthy.status_code, ready.status_code) == (200, 503)


async def test_a_client_that_hangs_up_harms_nobody(fragile_api: ApiProcess) -> None:
    """Twenty clients disconnect during their orders: no failure in the log, and the next client is served."""
    body = json.dumps(ORDER).encode()
    for number in range(20):
        _, writer = await asyncio.open_connection(fragile_api.http.base_url.host, fragile_api.http.base_url.port)
        head = (
            f"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: gone-{number}\r\n"
        )
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.transport.abort()

    assert (await fragile_api.place()).status_code == 202
    assert fragile_api.lines("request.failed") == []
