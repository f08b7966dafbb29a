"""Batches: the function's event, the effect of its answer on each message, batch size and window.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-configure.html and
services-sqs-errorhandling.html there
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.cloudwatch.counted_metrics import mapping_metrics
from support.fake_lambda import FUNCTION_ARN, QUEUE_ARN, Event, FunctionFailedError, MappingBench

REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def _fail(_event: Event) -> None:
    raise FunctionFailedError("on purpose")


async def test_messages_reach_the_function_and_are_deleted(bench: MappingBench) -> None:
    """A batch that the function processes is deleted from the bench.work, and the journal records it."""
    uuid = await bench.map()

    ids = bench.send("a", "b", "c")
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a", "b", "c"]]
    assert sum(bench.work.counts()) == 0
    assert bench.noted("invoked") == bench.noted("deleted") == ids
    entry = next(bench.journal.entries(event="invoked"))
    assert entry.resource.endswith(f":event-source-mapping:{uuid}")
    assert entry.detail == {"function": FUNCTION_ARN, "messages": 3}
    assert "LastProcessingResult" not in await bench.call("GetEventSourceMapping", UUID=uuid)


async def test_the_record_has_the_shape_of_aws(bench: MappingBench) -> None:
    """A record has the message's system attributes, its message attributes of each type, and the queue's ARN."""
    await bench.map()

    attributes = {
        "size": {"DataType": "String", "StringValue": "large"},
        "mark": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    (message_id,) = bench.send("body", MessageAttributes=attributes)
    await bench.invoked(1)

    (record,) = bench.functions.events[0]["Records"]
    now_ms = str(int(bench.clock.now() * 1000))
    assert record.pop("receiptHandle").startswith("AQEB")
    assert len(record.pop("md5OfMessageAttributes")) == 32
    assert record == {
        "messageId": message_id,
        "body": "body",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now_ms,
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": now_ms,
        },
        "messageAttributes": {
            "size": {"stringValue": "large", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "mark": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        },
        "md5OfBody": "841a2d689ad86bd1611447453c22c6fc",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }


@pytest.mark.parametrize(("window_s", "shown"), [(0, {}), (1, {"md5OfMessageAttributes": None})])
async def test_the_digest_of_no_attributes(bench: MappingBench, window_s: int, shown: dict[str, None]) -> None:
    """A message without attributes has null for their digest if the mapping has a batching window (recorded of AWS)."""
    await bench.map(MaximumBatchingWindowInSeconds=window_s)

    bench.send("a")
    await bench.quiet()
    bench.clock.advance(window_s)
    await bench.invoked(1)

    (record,) = bench.functions.events[0]["Records"]
    assert {name: value for name, value in record.items() if name == "md5OfMessageAttributes"} == shown


async def test_a_failed_batch_is_received_again_after_its_visibility_timeout(bench: MappingBench) -> None:
    """After an error of the function the whole batch is received again once its visibility timeout ends, no sooner."""
    bench.function(_fail)
    await bench.map()

    ids = bench.send("a", "b")
    await bench.invoked(1)
    bench.function(lambda _event: None)
    assert bench.work.counts().in_flight == 2
    assert bench.noted("invocation_failed") == ids == [loss.message_id for loss in bench.losses]
    assert bench.losses[0].reason.startswith("the function failed: ")
    bench.clock.advance(29)
    await bench.quiet()
    assert len(bench.functions.events) == 1
    bench.clock.advance(1)
    await bench.invoked(2)

    assert bench.functions.bodies() == [["a", "b"], ["a", "b"]]
    assert bench.functions.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert sum(bench.work.counts()) == 0


async def test_a_message_that_always_fails_is_dead_lettered(bench: MappingBench) -> None:
    """After maxReceiveCount receives a message of a failing function is moved to the queue's dead-letter queue."""
    dead = bench.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    arn = bench.queue("failing", RedrivePolicy=policy).arn
    bench.function(_fail)
    await bench.map(EventSourceArn=arn)
    bench.send("poison", arn=arn)
    for times in (1, 2):
        await bench.invoked(times)
        bench.clock.advance(30)
    await bench.quiet()

    assert len(bench.functions.events) == 2
    assert dead.counts().visible == 1
    assert [loss.event for loss in bench.losses] == ["invocation_failed", "invocation_failed", "moved"]


@pytest.mark.parametrize(
    ("answer", "fails"),
    [
        (None, False),
        (b"", False),
        ({}, False),
        ({"batchItemFailures": []}, False),
        ({"batchItemFailures": None}, False),
        (b"not JSON", True),
        ("a text", True),
        ([1], True),
        ({"batchItemFailures": "all"}, True),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, True),
        ({"batchItemFailures": [{"messageId": "wrong name"}]}, True),
        ({"batchItemFailures": ["not an object"]}, True),
    ],
)
async def test_responses(bench: MappingBench, answer: Any, fails: bool) -> None:
    """With ReportBatchItemFailures an empty response, null and an empty list report no failure: all is deleted.

    An invalid response fails the whole batch.
    """
    bench.function(lambda _event: answer)
    await bench.map(**REPORTING)

    ids = bench.send("a", "b")
    await bench.invoked(1)

    assert bench.work.counts().in_flight == sum(bench.work.counts()) == (2 if fails else 0)
    assert bench.noted("invocation_failed") == (ids if fails else [])


async def test_only_reported_failures_are_received_again(bench: MappingBench) -> None:
    """With ReportBatchItemFailures the reported messages are received again; without it, all are deleted."""
    bench.functions.functions[FUNCTION_ARN] = lambda event: {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "b"
        ]
    }
    uuid = await bench.map(**REPORTING)

    _, b, _ = bench.send("a", "b", "c")
    await bench.invoked(1)
    assert bench.noted("item_failed") == [b]
    assert bench.work.counts().in_flight == 1
    await bench.call("UpdateEventSourceMapping", UUID=uuid, FunctionResponseTypes=[])
    bench.clock.advance(30)
    await bench.invoked(2)

    assert bench.functions.bodies() == [["a", "b", "c"], ["b"]]
    assert sum(bench.work.counts()) == 0


async def test_batches_have_at_most_the_batch_size(bench: MappingBench) -> None:
    """A backlog is split into batches of BatchSize."""
    bench.send(*map(str, range(7)))

    await bench.map(BatchSize=3)
    await bench.invoked(3)

    assert sorted(map(len, bench.functions.bodies())) == [1, 3, 3]


async def test_a_batching_window_collects_messages(bench: MappingBench) -> None:
    """Messages are collected until the window ends; then the function gets them."""
    await bench.map(BatchSize=100, MaximumBatchingWindowInSeconds=5)

    for body in "abc":
        bench.send(body)
        await bench.quiet()
        bench.clock.advance(1)
    await bench.quiet()
    assert bench.functions.events == []
    bench.clock.advance(2)
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a", "b", "c"]]


async def test_a_full_batch_does_not_wait_for_its_window(bench: MappingBench) -> None:
    """A full batch is delivered immediately, and the rest starts another window."""
    await bench.map(BatchSize=25, MaximumBatchingWindowInSeconds=300)

    bench.send(*map(str, range(30)))
    await bench.invoked(1)
    assert [len(bodies) for bodies in bench.functions.bodies()] == [25]
    bench.clock.advance(300)
    await bench.quiet()

    assert sorted(body for bodies in bench.functions.bodies() for body in bodies) == sorted(map(str, range(30)))


async def test_a_payload_has_at_most_six_megabytes(bench: MappingBench) -> None:
    """A batch ends before the event exceeds 6 MB; a message that does not fit starts the next."""
    sizes: list[int] = []
    bench.function(lambda event: sizes.append(len(json.dumps(event))))
    for _ in range(9):
        bench.send("x" * 1_000_000)

    await bench.map()
    await bench.invoked(2)

    assert sorted(len(event["Records"]) for event in bench.functions.events) == [3, 6]
    assert max(sizes) <= 6 * 1024 * 1024
    assert sum(bench.work.counts()) == 0
    assert all(r["attributes"]["ApproximateReceiveCount"] == "1" for e in bench.functions.events for r in e["Records"])


def _bad_fail(event: Event) -> dict[str, Any]:
    failed = [record["messageId"] for record in event["Records"] if "bad" in record["body"]]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


async def test_a_batch_without_failures_counts_as_one(bench: MappingBench) -> None:
    """The values of a mapping's metrics are those of its batches: without a failure the greatest number is 0."""
    bench.functions.functions[FUNCTION_ARN] = _bad_fail
    bench.send("good", "better")

    await bench.map(MetricsConfig={"Metrics": ["EventCount"]}, **REPORTING)
    await bench.invoked(1)
    await bench.until(lambda: any("DeletedEventCount" in mapping.counts.counts for mapping in bench.mappings))

    points = {one.name: one.point for _, _, one in mapping_metrics(bench.mappings)(0.0)}
    assert points["InvokedEventCount"][:4] == (1, 2, 2, 2)
    assert points["FailedInvokeEventCount"][:4] == (1, 0, 0, 0)


async def test_a_mapping_counts_its_events(bench: MappingBench) -> None:
    """With MetricsConfig a mapping publishes the events that it polled, filtered out, invoked with, failed and deleted.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
    """
    bench.functions.functions[FUNCTION_ARN] = _bad_fail
    pattern = json.dumps({"body": {"size": ["L"]}})
    bench.send('{"size": "L"}', '{"size": "L", "is": "bad"}', '{"size": "S"}')

    uuid = await bench.map(
        MetricsConfig={"Metrics": ["EventCount"]}, FilterCriteria={"Filters": [{"Pattern": pattern}]}, **REPORTING
    )
    await bench.invoked(1)
    await bench.until(lambda: any("DeletedEventCount" in mapping.counts.counts for mapping in bench.mappings))

    found = {one.name: one.point.total for _, _, one in mapping_metrics(bench.mappings)(0.0)}
    assert found == {
        "PolledEventCount": 3,
        "FilteredOutEventCount": 1,
        "InvokedEventCount": 2,
        "FailedInvokeEventCount": 1,
        "DeletedEventCount": 1,
    }
    answer = await bench.call("UpdateEventSourceMapping", UUID=uuid, MetricsConfig={"Metrics": []})
    assert "MetricsConfig" not in answer
