"""One trace an order: from the request to the alert, under duplicates, retries, redrives and replays.

Span kinds and parents are those of OpenTelemetry's conventions for messaging:
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

import json
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from opentelemetry.trace import StatusCode
from orderboard_aws_client.event_bus import event_bus
from orderboard_contracts.events import Event
from support.spans import Spans, ids, parent_id
from unit.notifier.events import completed
from unit.notifier.fakes import bus_message
from unit.notifier.test_batch import Harness
from unit.order_api.fakes import FakeEvents, running_api, throttled
from unit.worker.commands import TRACE, cancellation, placed
from unit.worker.fakes import MemoryBus, SqsQueue
from unit.worker.running import ENTRIES, running_worker, until
from unit.worker.test_orders_table import TABLE, FakeDynamo
from worker.orders_table import orders_table
from worker.outcomes import OutcomeBus

CLIENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CLIENT_TRACE, CLIENT_SPAN = CLIENT[3:35], CLIENT[36:52]
EXPRESS = {"customer_id": "ada", "priority": "express", "lines": [{"sku": "flat-white", "quantity": 2}]}


def carried(event: Event) -> tuple[str, str]:
    """The trace id and the span id that an event carries."""
    assert event.traceparent is not None
    return event.traceparent[3:35], event.traceparent[36:52]


async def made(spans: Spans, *bodies: str) -> list[Event]:
    """Let a worker handle messages on a table and a bus with spans; return what it emitted."""
    queue, events = SqsQueue(), FakeEvents()
    queue.send(*bodies)
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(event_bus(cast("Any", events)))
        orders = await stack.enter_async_context(
            orders_table(cast("Any", FakeDynamo()), TABLE, linger_s=0, tracing=spans.tracing)
        )
        outcomes = cast("Any", OutcomeBus(bus, "cafe", spans.tracing))
        async with running_worker(work=queue, orders=cast("Any", orders), bus=outcomes, tracing=spans.tracing):
            await until(lambda: not queue.bodies)
    return events.events


async def test_an_order_is_one_trace_from_the_request_to_the_alert() -> None:
    """Each hop is a span below the one that caused it, in the trace that the client's header names."""
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        headers = {"traceparent": CLIENT, "tracestate": "vendor=opaque"}
        assert (await api.http.post("/orders", json=EXPRESS, headers=headers)).status_code == 202
    (command,) = api.sns.events

    (outcome,) = await made(spans, command.to_json())
    notifier = Harness()
    notifier.trace(spans.tracing)
    assert notifier.receive(bus_message(outcome)) == []

    assert spans.tree(CLIENT_TRACE) == [
        "SERVER POST /orders",
        "  PRODUCER create orderboard.order.placed.v1",
        "    CONSUMER process cafe-work",
        f"      CLIENT BatchExecuteStatement {TABLE}",
        "      PRODUCER create orderboard.order.completed.v1",
        "        CONSUMER process cafe-alerts",
        "          CLIENT PutItem cafe-notifier-idempotency",
        "          CLIENT UpdateItem cafe-notifier-idempotency",
        "          PRODUCER create orderboard.alert.v1",
        "            CLIENT send cafe-alerts",
        "        CLIENT send cafe",
        "    CLIENT send test",
        "    CLIENT send test-orders",
    ]
    (server,) = spans.named("POST /orders")
    assert parent_id(server) == CLIENT_SPAN
    (alert,) = notifier.topic.alerts
    assert alert.traceparent is not None
    assert alert.traceparent[36:52] == ids(spans.named("create orderboard.alert.v1")[0])[1]
    assert {command.tracestate, outcome.tracestate, alert.tracestate} == {"vendor=opaque"}


async def test_spans_have_the_attributes_of_the_conventions() -> None:
    """System, operation, destination and ids of a message; method, route and status of a request."""
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        order_id = (await api.place()).json()["order_id"]
        await api.http.get(f"/orders/{order_id}")
    await made(spans, api.sns.events[0].to_json())

    found = {span.name: dict(span.attributes or {}) for span in spans.all}
    assert found["POST /orders"] == {
        "http.request.method": "POST",
        "url.path": "/orders",
        "url.scheme": "http",
        "http.route": "/orders",
        "orderboard.order_id": order_id,
        "http.response.status_code": 202,
    }
    assert found["send test-orders"]["messaging.system"] == "aws.sns"
    assert str(found["send test-orders"]["messaging.message.id"]).startswith("message-of-")
    assert found["send test"]["messaging.system"] == "aws.eventbridge"
    process = found["process cafe-work"]
    assert process.pop("messaging.message.id")
    assert process == {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "cafe-work",
        "orderboard.receive_count": 1,
        "orderboard.order_id": order_id,
        "orderboard.outcome": "completed",
    }
    assert found["GetItem test-orders"]["db.system.name"] == "aws.dynamodb"
    assert max(len(attributes) for attributes in found.values()) <= 12


async def test_a_method_that_is_none_of_http_names_no_span() -> None:
    """It is HTTP in names, which are counted and listed, and _OTHER as the attribute, on a route and beside them.

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name
    """
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        assert (await api.http.request("PROPFIND", "/orders")).status_code == 405
        assert (await api.http.request("PROPFIND", "/nowhere")).status_code == 404

    assert sorted(span.name for span in spans.all) == ["HTTP", "HTTP /orders"]
    assert {(span.attributes or {})["http.request.method"] for span in spans.all} == {"_OTHER"}


@pytest.mark.parametrize("entry", ENTRIES)
async def test_a_retry_is_a_further_consumer_span_of_the_same_trace(entry: str) -> None:
    """Both deliveries are below the span that created the message; the first failed, the second caused the outcome."""
    spans, queue, bus = Spans(), SqsQueue(), MemoryBus()
    queue.send(placed(fault="flaky:1").to_json())

    async with ENTRIES[entry](work=queue, bus=bus, tracing=spans.tracing):
        await until(lambda: not queue.bodies)

    first, second = spans.named("process cafe-work")
    assert {ids(first)[0], ids(second)[0]} == {TRACE.traceparent[3:35]}
    assert parent_id(first) == parent_id(second) == TRACE.traceparent[36:52]
    outcomes = [(span.attributes or {})["orderboard.outcome"] for span in (first, second)]
    assert outcomes == ["retried", "completed"]
    assert (first.status.status_code, second.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    assert carried(bus.emitted[0]) == ids(second)


@pytest.mark.parametrize("entry", ENTRIES)
async def test_a_poisonous_message_is_an_error_of_its_trace(entry: str, caplog: pytest.LogCaptureFixture) -> None:
    """Redriven, it is one more consumer span below the same parent. The log line of each names its span."""
    spans, queue = Spans(), SqsQueue(max_receive_count=1)
    poison = placed(fault="poison").to_json()

    async with ENTRIES[entry](work=queue, tracing=spans.tracing):
        for count in (1, 2):
            queue.send(poison)
            await until(lambda count=count: len(queue.dead) == count)  # type: ignore[misc]

    found = spans.named("process cafe-work")
    assert {parent_id(span) for span in found} == {TRACE.traceparent[36:52]}
    assert [(span.attributes or {})["error.type"] for span in found] == ["poison"] * 2
    lines = [each.__dict__ for each in caplog.records if each.message == "message.poison"]
    assert [(line["trace_id"], line["span_id"]) for line in lines] == [ids(span) for span in found]


async def test_a_repeat_with_another_trace_is_linked_to_the_orders_trace() -> None:
    """A client that sends an order again without its trace starts another; the outcome that follows is of that one."""
    spans = Spans()
    first = placed()
    again = first.model_copy(update={"traceparent": CLIENT})

    emitted = await made(spans, first.to_json(), again.to_json())

    earlier, later = emitted
    assert earlier.id == later.id
    assert (carried(earlier)[0], carried(later)[0]) == (TRACE.traceparent[3:35], CLIENT_TRACE)
    (repeat,) = [span for span in spans.named("process cafe-work") if ids(span)[0] == CLIENT_TRACE]
    assert [f"{link.context.trace_id:032x}" for link in repeat.links] == [TRACE.traceparent[3:35]]


async def test_a_refused_cancellation_is_of_the_cancellations_trace() -> None:
    """The effect of a request is below that request, whatever trace the order had."""
    spans = Spans()
    order = placed()
    request = cancellation(order.subject).model_copy(update={"traceparent": CLIENT})

    completed, refused = await made(spans, order.to_json(), request.to_json())

    assert refused.type == "orderboard.order.cancellation_refused.v1"
    assert (carried(completed)[0], carried(refused)[0]) == (TRACE.traceparent[3:35], CLIENT_TRACE)


async def test_a_receive_is_a_trace_by_itself_linked_to_its_messages() -> None:
    """A poll's messages are of many orders, so it is the parent of none."""
    spans, queue = Spans(), SqsQueue()
    queue.send(placed().to_json(), placed().model_copy(update={"traceparent": CLIENT}).to_json(), "not an event")

    async with running_worker(work=queue, tracing=spans.tracing):
        await until(lambda: len(queue.bodies) <= 1)

    receive = spans.named("receive cafe-work")[0]
    assert (receive.kind.name, receive.parent) == ("CLIENT", None)
    assert [f"{link.context.trace_id:032x}" for link in receive.links] == [TRACE.traceparent[3:35], CLIENT_TRACE]
    assert (receive.attributes or {})["messaging.batch.message_count"] == 3


async def test_an_order_that_is_not_published_is_an_error() -> None:
    """The request fails with its status, its creation with the reason."""
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        api.sns.failures.append(throttled("PublishBatch"))
        assert (await api.place()).status_code == 503

    (server,) = spans.named("POST /orders")
    (created,) = spans.named("create orderboard.order.placed.v1")
    assert (server.status.status_code, (server.attributes or {})["error.type"]) == (StatusCode.ERROR, "503")
    assert (created.attributes or {})["error.type"] == "NotPublishedError"


async def test_a_trace_that_is_not_sampled_is_passed_on_without_spans() -> None:
    """The client's decision holds in every service: the flags stay 00."""
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        await api.http.post("/orders", json=EXPRESS, headers={"traceparent": CLIENT[:-2] + "00"})
    (command,) = api.sns.events

    (outcome,) = await made(spans, command.to_json())

    assert [span.name for span in spans.all if not span.name.startswith("receive")] == []
    assert outcome.traceparent is not None
    assert (outcome.traceparent[3:35], outcome.traceparent[-2:]) == (CLIENT_TRACE, "00")


async def test_probes_have_no_spans() -> None:
    """A load balancer's health checks and Prometheus' scrapes would be most of all traces."""
    spans = Spans()
    async with running_api(tracing=spans.tracing) as api:
        for path in ("/healthz", "/readyz", "/metrics"):
            await api.http.get(path)

    assert spans.all == ()


async def test_without_traces_the_context_is_passed_on_as_it_came() -> None:
    """The outcome and the alert carry the client's own span and state."""
    async with running_api() as api:
        headers = {"traceparent": CLIENT, "tracestate": "a=1,b=2"}
        await api.http.post("/orders", json=EXPRESS, headers=headers)
    queue, bus = SqsQueue(), MemoryBus()
    queue.send(api.sns.events[0].to_json())

    async with running_worker(express=queue, bus=bus):
        await until(lambda: not queue.bodies)
    notifier = Harness()
    notifier.receive(bus_message(bus.emitted[0]))

    for carrier in (api.sns.events[0], api.events.events[0], bus.emitted[0], notifier.topic.alerts[0]):
        assert (carrier.traceparent, carrier.tracestate) == (CLIENT, "a=1,b=2")


async def test_what_a_failed_alert_leaves_is_found_by_its_trace() -> None:
    """A message that the notifier returns is an error of the order's trace; its log line names its span."""
    spans = Spans()
    event = completed().model_copy(update={"traceparent": CLIENT})
    notifier = Harness()
    notifier.trace(spans.tracing)
    notifier.topic.failures_left = 1

    assert notifier.receive(bus_message(event)) == ["m0"]
    assert notifier.receive(bus_message(event)) == []

    failed, published = spans.named("process cafe-alerts")
    assert (failed.status.status_code, published.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    assert {ids(failed)[0], ids(published)[0]} == {CLIENT_TRACE}
    lines = [json.loads(line) for line in notifier.log.getvalue().splitlines()]
    assert {line["trace_id"] for line in lines if "order_id" in line} == {CLIENT_TRACE}
    assert [line["span_id"] for line in lines if "order_id" in line] == [ids(failed)[1], ids(published)[1]]
