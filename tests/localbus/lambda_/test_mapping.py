"""From a queue to a function: batches, what the function's answer does to each message, and trouble on the way.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, services-sqs-configure.html,
services-sqs-scaling.html and services-sqs-errorhandling.html there
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fake_lambda import FUNCTION_ARN, QUEUE_ARN, Event, FunctionFailedError, cafe
from localbus.sqs.message import Received
from support import eventually

FIFO_ARN = f"{QUEUE_ARN}.fifo"
REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


async def test_messages_reach_the_function_and_are_deleted() -> None:
    """A batch that the function takes without an error is deleted from the queue, and the journal tells of it."""
    async with cafe() as it:
        queue = it.queue()
        uuid = await it.map()

        ids = it.send("a", "b", "c")
        await it.invoked(1)

        assert it.functions.bodies() == [["a", "b", "c"]]
        assert sum(queue.counts()) == 0
        assert it.noted("invoked") == it.noted("deleted") == ids
        entry = next(it.journal.entries(event="invoked"))
        assert entry.resource.endswith(f":event-source-mapping:{uuid}")
        assert entry.detail == {"function": FUNCTION_ARN, "messages": 3}
        assert "LastProcessingResult" not in await it.call("GetEventSourceMapping", UUID=uuid)


async def test_the_record_has_the_shape_of_aws() -> None:
    """A function sees a message with its system attributes, its own attributes of each type, and the queue's ARN."""
    async with cafe() as it:
        it.queue()
        await it.map()

        attributes = {
            "size": {"DataType": "String", "StringValue": "large"},
            "mark": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        }
        (message_id,) = it.send("body", MessageAttributes=attributes)
        await it.invoked(1)

        (record,) = it.functions.events[0]["Records"]
        now_ms = str(int(it.clock.now() * 1000))
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


async def test_a_failed_batch_comes_back_after_the_visibility_timeout() -> None:
    """A function's error brings the whole batch back when its visibility timeout has passed, no sooner."""
    async with cafe() as it:
        queue = it.queue()
        it.functions.functions[FUNCTION_ARN] = _fails_first_time()
        await it.map()

        ids = it.send("a", "b")
        await it.invoked(1)
        assert queue.counts().in_flight == 2
        assert it.noted("invocation_failed") == ids
        it.clock.advance(29)
        await it.quiet()
        assert len(it.functions.events) == 1
        it.clock.advance(1)
        await it.invoked(2)

        assert it.functions.bodies() == [["a", "b"], ["a", "b"]]
        assert it.functions.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
        assert sum(queue.counts()) == 0


def _fails_first_time() -> Any:
    calls: list[Event] = []

    def function(event: Event) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise FunctionFailedError("not today")

    return function


@pytest.mark.parametrize(("window_s", "shown"), [(0, {}), (1, {"md5OfMessageAttributes": None})])
async def test_a_window_shows_a_digest_of_nothing(window_s: int, shown: dict[str, None]) -> None:
    """A message without attributes has null for their digest where the mapping has a window (recorded of AWS)."""
    async with cafe() as it:
        it.queue()
        await it.map(MaximumBatchingWindowInSeconds=window_s)

        it.send("a")
        await it.quiet()
        it.clock.advance(window_s)
        await it.invoked(1)

        (record,) = it.functions.events[0]["Records"]
        assert {name: value for name, value in record.items() if name == "md5OfMessageAttributes"} == shown


async def test_a_message_that_always_fails_rests_in_the_dead_letter_queue() -> None:
    """After maxReceiveCount receives a message of a failing function goes to the queue's dead-letter queue."""
    async with cafe() as it:
        dead = it.queue("dead")
        it.queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2}))

        def fail(_event: Event) -> None:
            raise FunctionFailedError

        it.functions.functions[FUNCTION_ARN] = fail
        await it.map()
        it.send("poison")
        for times in (1, 2):
            await it.invoked(times)
            it.clock.advance(30)
        await it.quiet()

        assert len(it.functions.events) == 2
        assert dead.counts().visible == 1


@pytest.mark.parametrize("answer", [None, b"", {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
async def test_what_counts_as_complete_success(answer: Any) -> None:
    """With ReportBatchItemFailures, nothing, null and an empty list all say that every message is done."""
    async with cafe() as it:
        queue = it.queue()
        it.functions.functions[FUNCTION_ARN] = lambda _event: answer
        await it.map(**REPORTING)

        it.send("a", "b")
        await it.invoked(1)

        assert sum(queue.counts()) == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"not JSON",
        "a text",
        [1],
        {"batchItemFailures": "all"},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"messageId": "wrong name"}]},
        {"batchItemFailures": ["no object"]},
    ],
)
async def test_what_counts_as_complete_failure(answer: Any) -> None:
    """With ReportBatchItemFailures, a response that cannot be understood fails the whole batch."""
    async with cafe() as it:
        queue = it.queue()
        it.functions.functions[FUNCTION_ARN] = lambda _event: answer
        await it.map(**REPORTING)

        ids = it.send("a", "b")
        await it.invoked(1)

        assert queue.counts().in_flight == 2
        assert it.noted("invocation_failed") == ids


async def test_only_reported_failures_come_back() -> None:
    """With ReportBatchItemFailures what is reported comes back and the rest is deleted; without it, all is deleted."""
    async with cafe() as it:
        queue = it.queue()
        it.functions.functions[FUNCTION_ARN] = lambda event: {
            "batchItemFailures": [
                {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "b"
            ]
        }
        uuid = await it.map(**REPORTING)

        _, b, _ = it.send("a", "b", "c")
        await it.invoked(1)
        assert it.noted("item_failed") == [b]
        assert queue.counts().in_flight == 1
        await it.call("UpdateEventSourceMapping", UUID=uuid, FunctionResponseTypes=[])
        it.clock.advance(30)
        await it.invoked(2)

        assert it.functions.bodies() == [["a", "b", "c"], ["b"]]
        assert sum(queue.counts()) == 0


async def test_batches_have_at_most_the_batch_size() -> None:
    """A backlog is cut into batches of BatchSize."""
    async with cafe() as it:
        it.queue()
        it.send(*map(str, range(7)))

        await it.map(BatchSize=3)
        await it.invoked(3)

        assert sorted(map(len, it.functions.bodies())) == [1, 3, 3]


async def test_a_batching_window_gathers_messages() -> None:
    """Within the window messages are gathered; when it has passed, the function gets what there is."""
    async with cafe() as it:
        it.queue()
        await it.map(BatchSize=100, MaximumBatchingWindowInSeconds=5)

        for body in "abc":
            it.send(body)
            await it.quiet()
            it.clock.advance(1)
        await it.quiet()
        assert it.functions.events == []
        it.clock.advance(2)
        await it.invoked(1)

        assert it.functions.bodies() == [["a", "b", "c"]]


async def test_a_full_batch_does_not_wait_for_its_window() -> None:
    """A batch that is full is handed over at once, and the rest begins a window of its own."""
    async with cafe() as it:
        it.queue()
        await it.map(BatchSize=25, MaximumBatchingWindowInSeconds=300)

        it.send(*map(str, range(30)))
        await it.invoked(1)
        assert [len(bodies) for bodies in it.functions.bodies()] == [25]
        it.clock.advance(300)
        await it.quiet()

        assert sorted(body for bodies in it.functions.bodies() for body in bodies) == sorted(map(str, range(30)))


async def test_a_payload_has_at_most_six_megabytes() -> None:
    """A batch ends before the event would have more than 6 MB; a message that did not fit begins the next."""
    async with cafe() as it:
        queue = it.queue()
        sizes: list[int] = []
        it.functions.functions[FUNCTION_ARN] = lambda event: sizes.append(len(json.dumps(event)))
        for _ in range(9):
            it.send("x" * 1_000_000)

        await it.map()
        await it.invoked(2)

        assert sorted(len(event["Records"]) for event in it.functions.events) == [3, 6]
        assert max(sizes) <= 6 * 1024 * 1024
        assert sum(queue.counts()) == 0
        assert all(r["attributes"]["ApproximateReceiveCount"] == "1" for e in it.functions.events for r in e["Records"])


@pytest.mark.parametrize(("given", "most"), [({}, 5), ({"ScalingConfig": {"MaximumConcurrency": 2}}, 2)])
async def test_concurrency_is_never_exceeded(given: dict[str, Any], most: int) -> None:
    """Five invocations run at a time, or as many as MaximumConcurrency says: never one more."""
    async with cafe() as it:
        it.queue()

        async def take_a_while(_event: Event) -> None:
            await asyncio.sleep(0.01)

        it.functions.functions[FUNCTION_ARN] = take_a_while
        it.send(*map(str, range(40)))

        await it.map(BatchSize=1, **given)
        await it.invoked(40)

        assert it.functions.most_running == most


async def test_messages_wait_in_the_queue_while_there_is_no_room() -> None:
    """What cannot be handed over stays visible for others, and uses up no receive."""
    async with cafe() as it:
        queue = it.queue()
        gate = asyncio.Event()
        it.functions.functions[FUNCTION_ARN] = lambda _event: gate.wait()
        it.send(*"abcde")

        await it.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
        await eventually(lambda: it.functions.running == 2)
        await it.quiet()

        assert queue.counts().visible == 3
        gate.set()
        await it.invoked(5)


async def test_a_fifo_queue_keeps_its_order() -> None:
    """Of each group one batch is under way at a time, and its messages come in the order of sending."""
    async with cafe() as it:
        it.queue("work.fifo")
        under_way: set[str] = set()

        async def function(event: Event) -> None:
            groups = {record["attributes"]["MessageGroupId"] for record in event["Records"]}
            assert not groups & under_way
            under_way.update(groups)
            await asyncio.sleep(0.01)
            under_way.difference_update(groups)

        it.functions.functions[FUNCTION_ARN] = function
        for number in range(12):
            it.send(f"{number:02}", arn=FIFO_ARN, MessageGroupId="ab"[number % 2])
        await it.map(EventSourceArn=FIFO_ARN, BatchSize=2)
        await it.invoked(6)

        records = [record for event in it.functions.events for record in event["Records"]]
        for group in "ab":
            bodies = [record["body"] for record in records if record["attributes"]["MessageGroupId"] == group]
            assert bodies == sorted(bodies)
            assert len(bodies) == 6
        assert {"MessageDeduplicationId", "SequenceNumber"} <= records[0]["attributes"].keys()


async def test_a_failing_fifo_group_stands_still_and_others_go_on() -> None:
    """A failed message holds up the later ones of its group until it is done, and no other group."""
    async with cafe() as it:
        it.queue("work.fifo")
        failing = True

        def function(event: Event) -> None:
            if failing and event["Records"][0]["attributes"]["MessageGroupId"] == "a":
                raise FunctionFailedError

        it.functions.functions[FUNCTION_ARN] = function
        await it.map(EventSourceArn=FIFO_ARN, BatchSize=1)
        it.send("a1", "a2", arn=FIFO_ARN, MessageGroupId="a")
        it.send("b1", "b2", arn=FIFO_ARN, MessageGroupId="b")
        await it.invoked(3)
        assert sorted(it.functions.bodies()) == [["a1"], ["b1"], ["b2"]]

        failing = False
        it.clock.advance(30)
        await it.invoked(5)

        assert it.functions.bodies()[3:] == [["a1"], ["a2"]]


async def test_a_throttled_function_is_tried_again() -> None:
    """While Lambda throttles, the same invocation is tried again after growing pauses, and no more is received."""
    async with cafe() as it:
        queue = it.queue()
        it.functions.refusal = (429, {"Type": "User", "message": "Rate Exceeded."})
        await it.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})

        it.send(*"abcd")
        await eventually(lambda: len(it.noted("retry_scheduled")) == 2)
        it.clock.advance(1)
        await eventually(lambda: len(it.noted("retry_scheduled")) == 4)
        assert queue.counts().visible == 2
        it.functions.refusal = None
        it.clock.advance(2)
        await it.invoked(4)

        assert sum(queue.counts()) == 0
        receives = [e.detail for e in it.journal.entries(event="received")]
        assert receives == [1, 1, 1, 1]


async def test_a_missing_upstream_loses_nothing() -> None:
    """While the upstream is away, messages come back after their visibility timeout, and are done when it is there."""
    async with cafe() as it:
        queue = it.queue()
        await it.map()
        await it.functions.stop()

        it.send("a")
        await eventually(lambda: it.noted("retry_scheduled"))
        for _ in range(60):
            it.clock.advance(1)
            await asyncio.sleep(0.01)
        await it.functions.start()
        for _ in range(60):
            it.clock.advance(1)
            await asyncio.sleep(0.01)
        await it.invoked(1)

        assert it.functions.bodies() == [["a"]]
        assert sum(queue.counts()) == 0


async def test_a_mapping_that_is_made_disabled_is_so_at_once() -> None:
    """The answer to the request says Disabled, not Creating (recorded of AWS)."""
    async with cafe() as it:
        it.queue()

        made = await it.call(
            "CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName=FUNCTION_ARN, Enabled=False
        )

        assert made["State"] == "Disabled"


async def test_a_paused_mapping_receives_nothing_and_goes_on_at_once() -> None:
    """Disabled, a mapping leaves messages in the queue; enabled again it takes them in the same moment."""
    async with cafe() as it:
        queue = it.queue()
        uuid = await it.map()

        paused = await it.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
        assert paused["State"] == "Disabling"
        assert await it.settled(uuid) == "Disabled"
        it.send("a")
        await it.quiet()
        assert it.functions.events == []
        assert queue.counts().visible == 1
        resumed = await it.call("UpdateEventSourceMapping", UUID=uuid, Enabled=True)
        assert resumed["State"] == "Enabling"
        await it.invoked(1)

        assert it.functions.bodies() == [["a"]]


async def test_a_pause_gives_back_what_was_gathered() -> None:
    """Messages that wait for the end of a window when the mapping is paused are visible again at once."""
    async with cafe() as it:
        queue = it.queue()
        uuid = await it.map(MaximumBatchingWindowInSeconds=300)
        it.send("a")
        await it.quiet()
        assert queue.counts().in_flight == 1

        await it.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)

        assert queue.counts().visible == 1
        assert it.functions.events == []


async def test_a_resumed_mapping_tries_again_at_once() -> None:
    """A function that could not be reached is called when the mapping is enabled again, whatever pause was left."""
    async with cafe() as it:
        it.queue()
        it.functions.refusal = (503, {})
        uuid = await it.map()
        it.send("a")
        await eventually(lambda: it.noted("retry_scheduled"))

        await it.call("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
        await it.settled(uuid)
        it.functions.refusal = None
        await it.call("UpdateEventSourceMapping", UUID=uuid, Enabled=True)
        await it.invoked(1)

        assert it.functions.bodies() == [["a"]]


async def test_a_deleted_mapping_ends_what_it_began() -> None:
    """An invocation that is under way when its mapping is deleted still deletes its messages; no other begins."""
    async with cafe() as it:
        queue = it.queue()
        gate = asyncio.Event()
        it.functions.functions[FUNCTION_ARN] = lambda _event: gate.wait()
        uuid = await it.map()
        it.send("a")
        await eventually(lambda: it.functions.running == 1)

        deleted = await it.call("DeleteEventSourceMapping", UUID=uuid)
        it.send("b")
        gate.set()
        await it.invoked(1)

        assert deleted["State"] == "Deleting"
        assert it.functions.bodies() == [["a"]]
        assert (queue.counts().visible, queue.counts().in_flight) == (1, 0)


async def test_a_queue_that_is_made_anew_is_received_from() -> None:
    """A mapping outlives its queue, and goes on when there is one of that name again."""
    async with cafe() as it:
        it.queue()
        await it.map()
        record = it.sqs.queues.by_arn(QUEUE_ARN)
        assert record is not None
        it.sqs.queues.delete(record)
        it.clock.advance(60)
        await it.quiet()

        it.queue()
        it.send("a")
        await it.invoked(1)

        assert it.functions.bodies() == [["a"]]


async def test_an_idle_mapping_does_nothing() -> None:
    """A mapping that waits has one waiter at its queue and calls nobody, however long."""
    async with cafe() as it:
        queue = it.queue()
        await it.map()
        await it.quiet()

        for _ in range(10):
            it.clock.advance(3600)
            await it.quiet()

        assert len(vars(queue)["_polls"]) == 1
        assert list(it.journal.entries()) == []


async def test_a_stop_is_clean() -> None:
    """When the engine stops, nothing is left running, not even an invocation that would take for ever."""
    before = asyncio.all_tasks()
    async with cafe() as it:
        it.queue()
        it.functions.functions[FUNCTION_ARN] = lambda _event: asyncio.Event().wait()
        await it.map()
        it.send("a")
        await eventually(lambda: it.functions.running == 1)

        await it.tasks.cancel_all()
        await it.functions.stop()

        async def nothing_runs() -> bool:
            return asyncio.all_tasks() <= before

        clean: bool = await eventually(nothing_runs)
        assert clean


async def test_what_nobody_thought_of_does_not_stop_a_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the engine itself is logged, and the mapping goes on after a pause."""
    async with cafe() as it:
        queue = it.queue()
        uuid = await it.map()
        await it.quiet()

        def broken(_most: int) -> list[Received]:
            monkeypatch.undo()
            raise ZeroDivisionError

        monkeypatch.setattr(queue, "receive", broken)
        it.send("a", "b")
        await it.quiet()
        it.clock.advance(1)
        await it.invoked(1)

        assert sorted(body for bodies in it.functions.bodies() for body in bodies) == ["a", "b"]
        assert await it.settled(uuid) == "Enabled"


async def test_who_hangs_up_leaves_no_mapping_half_changed() -> None:
    """A request that is given up while it changes a mapping is done all the same."""
    async with cafe() as it:
        queue = it.queue()
        uuid = await it.map()
        await it.quiet()

        request = asyncio.ensure_future(it.call("UpdateEventSourceMapping", UUID=uuid, BatchSize=1))
        await asyncio.sleep(0)
        request.cancel()
        assert await it.settled(uuid) == "Enabled"
        it.send("a", "b")
        await it.invoked(2)

        assert it.functions.bodies() == [["a"], ["b"]]
        assert sum(queue.counts()) == 0
