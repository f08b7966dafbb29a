"""Placing and cancelling: the published commands and the responses."""

import asyncio
import json
import logging
import re

import pytest
from orderboard_contracts.events import CancellationRequested, OrderPlaced
from orderboard_contracts.identity import event_id_for, order_id_for
from support.waiting import eventually
from unit.order_api.fakes import ORDER, FakeService, RunningApi, assert_problem, running_api

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_an_accepted_order_is_on_the_topic_and_on_the_bus(api: RunningApi) -> None:
    """202 with Location, after SNS and EventBridge have both accepted the same event."""
    response = await api.place({**ORDER, "note": "oat milk 🥛 <b>שלום</b>"})

    order_id = response.json()["order_id"]
    assert response.status_code == 202
    assert response.headers["location"] == f"/orders/{order_id}"
    assert response.json() == {
        "order_id": order_id,
        "status": "accepted",
        "total_cents": 780,
        "currency": "EUR",
        "links": {"order": f"/orders/{order_id}", "cancellation": f"/orders/{order_id}/cancellation"},
    }
    [event] = api.sns.events
    assert api.events.events == [event]
    assert isinstance(event, OrderPlaced)
    assert event.subject == event.data.order_id == order_id
    assert event.data.note == "oat milk 🥛 <b>שלום</b>"
    assert event.data.total_cents == 780
    assert event.id == event_id_for("orderboard.order.placed.v1", order_id, event.data.digest)


async def test_routing_attributes_go_with_the_message(api: RunningApi) -> None:
    """SNS gets event type and priority as attributes, EventBridge gets source, detail type and the bus's name."""
    await api.place({**ORDER, "priority": "express"})

    assert api.sns.accepted[0]["MessageAttributes"] == {
        "event_type": {"DataType": "String", "StringValue": "orderboard.order.placed.v1"},
        "priority": {"DataType": "String", "StringValue": "express"},
    }
    entry = api.events.accepted[0]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "test",
        "orderboard.order-api",
        "orderboard.order.placed.v1",
    )
    assert entry["Detail"] == api.sns.accepted[0]["Message"]


@pytest.mark.parametrize(("slow", "fast"), [("events", "sns"), ("sns", "events")])
async def test_an_order_is_accepted_only_when_both_have_it(api: RunningApi, slow: str, fast: str) -> None:
    """While one service has not responded, the client has no response either."""
    slow_service: FakeService = getattr(api, slow)
    fast_service: FakeService = getattr(api, fast)
    slow_service.gate.clear()

    placing = asyncio.create_task(api.place())
    await slow_service.called.wait()
    await eventually(lambda: fast_service.accepted)
    done, _ = await asyncio.wait([placing], timeout=0.05)
    slow_service.gate.set()

    assert not done
    assert (await placing).status_code == 202


async def test_concurrent_orders_share_calls_and_each_gets_its_own_result(
    api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    """30 orders at once take about 3 calls of 10 to each service, and every response and log line matches its order."""
    caplog.set_level(logging.INFO, "order_api")
    keys = [f"key-{number}" for number in range(30)]

    responses = await asyncio.gather(*(api.place(key=key) for key in keys))

    assert [response.json()["order_id"] for response in responses] == [order_id_for(key) for key in keys]
    assert len(api.sns.accepted) == len(api.events.accepted) == 30
    assert len(api.sns.calls) <= 6
    assert len(api.events.calls) <= 6
    assert max(map(len, api.sns.calls)) == 10
    lines = [record.__dict__ for record in caplog.records if record.message == "order.accepted"]
    assert len(lines) == 30
    for line in lines:
        event_id = line["event_id"]
        assert (line["message_id"], line["bus_event_id"]) == (f"message-of-{event_id}", f"bus-event-of-{event_id}")


async def test_the_same_key_is_the_same_order(api: RunningApi) -> None:
    """Sending an order twice with one key gives the same bytes and event id, so the worker detects the repeat."""
    first = await api.place(key="once")
    second = await api.place(key="once")

    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert len({event.id for event in api.sns.events}) == 1


async def test_another_process_gives_a_key_the_same_response(api: RunningApi) -> None:
    """The response depends on key and body alone, so any process gives the same."""
    async with running_api() as other:
        assert (await other.place(key="once")).content == (await api.place(key="once")).content


async def test_a_key_with_another_body_is_rejected(api: RunningApi) -> None:
    """A key of one order is not accepted for another; the first one is not affected."""
    await api.place(key="once")

    refused = await api.place({**ORDER, "note": "another"}, key="once")
    again = await api.place(key="once")

    assert_problem(refused, 422, "idempotency-key-reused")
    assert again.status_code == 202
    assert len({event.id for event in api.sns.events}) == 1


async def test_of_two_bodies_at_once_under_one_key_one_wins(api: RunningApi) -> None:
    """The key is claimed before anything is published, so only one of several requests gets it."""
    api.sns.gate.clear()
    bodies = [{**ORDER, "note": f"version {number}"} for number in range(5)]

    placing = [asyncio.create_task(api.place(body, key="once")) for body in bodies]
    await eventually(lambda: sum(task.done() for task in placing) == 4)
    api.sns.gate.set()
    statuses = sorted([(await task).status_code for task in placing])

    assert statuses == [202, 422, 422, 422, 422]
    assert len(api.sns.events) == 1


async def test_without_a_key_every_request_is_a_new_order(api: RunningApi) -> None:
    """Two requests without a key are two orders."""
    first, second = await api.place(), await api.place()

    assert first.json()["order_id"] != second.json()["order_id"]


@pytest.mark.parametrize("key", ["", " ", "two words", "caf\u00e9", "\x7f", "k" * 256])
async def test_a_key_is_visible_ascii_of_at_most_255(api: RunningApi, key: str) -> None:
    """Any other key is an error that names the header, and nothing is published."""
    response = await api.http.post("/orders", json=ORDER, headers=[(b"Idempotency-Key", key.encode("latin-1"))])

    [error] = assert_problem(response, 422, "invalid-request")["errors"][:1]
    assert (error["source"], error["field"]) == ("header", "Idempotency-Key")
    assert api.sns.calls == []


@pytest.mark.parametrize("key", ["!", "k" * 255, '~{"}'])
async def test_a_key_at_the_limit_is_accepted(api: RunningApi, key: str) -> None:
    """The limits are inclusive."""
    assert (await api.place(key=key)).json()["order_id"] == order_id_for(key)


async def test_a_cancellation_is_a_command_and_a_fact(api: RunningApi) -> None:
    """It is published like an express order, with an id that is the same each time."""
    order_id = order_id_for("x")

    first = await api.http.post(f"/orders/{order_id}/cancellation", json={"reason": "changed my mind"})
    second = await api.http.post(f"/orders/{order_id}/cancellation")

    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert first.json()["status"] == "cancellation_requested"
    assert first.headers["location"] == f"/orders/{order_id}"
    event, repeat = api.sns.events
    assert isinstance(event, CancellationRequested)
    assert event.data.reason == "changed my mind"
    assert event.id == repeat.id == event_id_for("orderboard.order.cancellation_requested.v1", order_id)
    assert api.events.events == [event, repeat]
    assert api.sns.accepted[0]["MessageAttributes"]["priority"]["StringValue"] == "express"


async def test_trace_and_correlation_go_into_the_event(api: RunningApi) -> None:
    """A valid traceparent and X-Correlation-ID are passed on, and the correlation id comes back."""
    headers = {"traceparent": TRACEPARENT, "X-Correlation-ID": "morning-rush:7"}

    response = await api.http.post("/orders", json=ORDER, headers=headers)

    [event] = api.sns.events
    assert event.traceparent == TRACEPARENT
    assert event.correlationid == response.headers["x-correlation-id"] == "morning-rush:7"


@pytest.mark.parametrize(
    ("traceparent", "correlation_id"),
    [
        ("", ""),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", "has space"),
        ("ff" + TRACEPARENT[2:], "x" * 129),
        (TRACEPARENT.upper(), "<script>"),
        (TRACEPARENT + "-more", '{"a":1}'),
    ],
)
async def test_invalid_trace_headers_are_replaced(api: RunningApi, traceparent: str, correlation_id: str) -> None:
    """Invalid headers never reject an order; new identifiers replace them."""
    headers = {"traceparent": traceparent, "X-Correlation-ID": correlation_id}

    response = await api.http.post("/orders", json=ORDER, headers=headers)

    [event] = api.sns.events
    assert response.status_code == 202
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", event.traceparent or "")
    assert event.traceparent != traceparent
    assert event.correlationid == response.headers["x-correlation-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", event.correlationid or "")


async def test_faults_need_permission(api: RunningApi) -> None:
    """An order with a fault, be it null, is rejected unless faults are allowed: the description has no such field."""
    faulty = {**ORDER, "fault": "slow:500"}

    refused = await api.place(faulty)
    assert_problem(await api.place({**ORDER, "fault": None}), 422, "invalid-request")
    async with running_api(allow_faults=True) as permissive:
        allowed = await permissive.place(faulty)
        [event] = permissive.sns.events

    assert assert_problem(refused, 422, "invalid-request")["errors"][0]["field"] == "/fault"
    assert api.sns.calls == []
    assert allowed.status_code == 202
    assert isinstance(event, OrderPlaced)
    assert event.data.fault == "slow:500"


async def test_accepting_needs_no_table(api: RunningApi) -> None:
    """Orders are accepted while DynamoDB hangs."""
    api.dynamodb.gate.clear()

    response = await asyncio.wait_for(api.place(), timeout=1)

    assert response.status_code == 202


async def test_the_menu_has_prices(api: RunningApi) -> None:
    """The menu lists the items that can be ordered, with their prices."""
    response = await api.http.get("/menu")

    assert {item["sku"]: item["unit_price_cents"] for item in json.loads(response.content)["items"]}[
        "flat-white"
    ] == 390
