"""Publishing: requests to the real process become messages on a deployed stack."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import httpx
from integration.bus_queue import bus_queue
from integration.order_api.service import ORDER, ApiProcess
from orderboard_contracts.events import CancellationRequested, Event, OrderPlaced, parse_event
from orderboard_contracts.identity import order_id_for
from support.stack import DeployedStack
from support.waiting import eventually

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef


async def received(stack: DeployedStack, queue: str, count: int) -> "list[MessageTypeDef]":
    """Receive exactly so many messages of a queue."""
    messages: list[MessageTypeDef] = []

    def enough() -> bool:
        messages.extend(stack.receive(queue))
        return len(messages) >= count

    await eventually(enough, within_s=15)
    messages.extend(await asyncio.to_thread(stack.receive, queue))
    assert len(messages) == count
    return messages


def events_of(messages: "Sequence[MessageTypeDef]") -> list[Event]:
    """Parse the events in these messages."""
    return [parse_event(message["Body"]) for message in messages]


async def test_an_order_is_work_on_the_queue_and_a_fact_on_the_bus(stack: DeployedStack, api: ApiProcess) -> None:
    """The body is the event, its attributes route it, and the bus has the same document."""
    with bus_queue(stack, "orderboard.order-api") as facts:
        response = await api.http.post("/orders", json=ORDER, headers={"X-Correlation-ID": "rush-1"})
        [fact] = await received(stack, facts, 1)

    assert response.status_code == 202
    [message] = await received(stack, stack.outputs.work_queue, 1)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {"event_type": "orderboard.order.placed.v1", "priority": "normal"}
    [event] = events_of([message])
    assert isinstance(event, OrderPlaced)
    assert (event.subject, event.correlationid) == (response.json()["order_id"], "rush-1")
    delivered: dict[str, Any] = json.loads(fact["Body"])
    assert delivered["detail-type"] == "orderboard.order.placed.v1"
    assert parse_event(delivered["detail"]) == event


async def test_express_orders_and_cancellations_take_the_express_queue(stack: DeployedStack, api: ApiProcess) -> None:
    """Urgent commands do not wait behind others."""
    placed = await api.place({**ORDER, "priority": "express"})
    cancelled = await api.http.post(f"/orders/{placed.json()['order_id']}/cancellation", json={"reason": "late"})

    assert (placed.status_code, cancelled.status_code) == (202, 202)
    events = events_of(await received(stack, stack.outputs.express_queue, 2))
    assert {type(event) for event in events} == {OrderPlaced, CancellationRequested}
    assert {event.subject for event in events} == {placed.json()["order_id"]}
    assert await asyncio.to_thread(stack.waiting, stack.outputs.work_queue) == 0


async def test_concurrent_orders_are_all_published_and_logged(stack: DeployedStack, api: ApiProcess) -> None:
    """200 orders at once: each gets 202, is on the queue once, and has its line in the log."""
    keys = [f"concurrent-{number}" for number in range(200)]

    responses = await asyncio.gather(*(api.place(key=key) for key in keys))

    assert {response.status_code for response in responses} == {202}
    expected = sorted(map(order_id_for, keys))
    messages = await received(stack, stack.outputs.work_queue, 200)
    assert sorted(event.subject for event in events_of(messages)) == expected
    lines = {line["order_id"]: line for line in api.lines("order.accepted")}
    assert sorted(lines) == expected
    correlations = {response.json()["order_id"]: response.headers["x-correlation-id"] for response in responses}
    for order_id, line in lines.items():
        assert line["correlation_id"] == correlations[order_id]
        assert line["bus_event_id"]
        assert line["message_id"]
    text = (await api.http.get("/metrics")).text
    assert 'orderboard_api_orders_total{result="accepted"} 200.0' in text


async def test_ready_on_a_deployed_stack(api: ApiProcess) -> None:
    """All three services respond."""
    response = await api.http.get("/readyz")

    assert response.json() == {"status": "ready", "checks": {"sns": "ok", "events": "ok", "dynamodb": "ok"}}


async def test_sigterm_ends_it_cleanly_and_loses_nothing(stack: DeployedStack, api: ApiProcess) -> None:
    """Every order that got 202 around a SIGTERM is on the queue; the process ends with 0 in time."""
    answered: set[str] = set()
    draining_when_closed: list[bool] = []

    async def customer(number: int) -> None:
        for turn in range(200):
            try:
                response = await api.place(key=f"customer-{number}-{turn}")
            except httpx.TransportError:
                draining_when_closed.append(bool(api.lines("api.draining")))
                return
            assert response.status_code == 202
            answered.add(response.json()["order_id"])

    customers = [asyncio.create_task(customer(number)) for number in range(20)]
    await eventually(lambda: len(answered) >= 40, within_s=10)
    api.terminate()
    await asyncio.gather(*customers)
    code = await asyncio.to_thread(api.process.wait, 15)

    assert code == 0
    assert all(draining_when_closed)
    assert [line["message"] for line in api.lines()][-1] == "api.stopped"
    assert api.lines("request.failed") == []
    on_the_queue: set[str] = set()

    def all_there() -> bool:
        on_the_queue.update(event.subject for event in events_of(stack.receive(stack.outputs.work_queue)))
        return answered <= on_the_queue

    await eventually(all_there, within_s=15, every_s=0.01)


async def test_a_second_process_on_the_port_says_so(stack: DeployedStack, api: ApiProcess) -> None:
    """A port in use is an error with an exit code, not a hanging process."""
    process = await asyncio.create_subprocess_exec(
        *api.process.args,  # type: ignore[misc]
        env={**stack.environment, "ORDERBOARD_API_PORT": api.url.rpartition(":")[2].strip("/")},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), timeout=20)

    assert process.returncode == 3
    assert b"address already in use" in errors
