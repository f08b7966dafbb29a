"""PublishBatch: ids, sizes, and errors that reach the right caller."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from order_api.orders_topic import MAX_BYTES, entry_size_bytes, orders_topic
from orderboard_aws_client.errors import EntryRefusedError, EntryTooLargeError
from unit.order_api.fakes import SETTINGS, FakeSns, unreachable

ATTRIBUTES = {"priority": {"DataType": "String", "StringValue": "normal"}}


def entry(name: str, *, padding: int = 0) -> dict[str, Any]:
    """A message with a name, of about the given size."""
    return {"Message": json.dumps({"id": name, "padding": "x" * padding}), "MessageAttributes": ATTRIBUTES}


async def publish(sns: FakeSns, entries: Sequence[Mapping[str, Any]]) -> list[str | BaseException]:
    """Publish all at once, each by another caller."""
    topic = orders_topic(
        cast("Any", sns), SETTINGS["orders_topic_arn"], linger_s=0.002, max_concurrent_calls=2, max_waiting=100
    )
    async with topic:
        return await asyncio.gather(*(topic.submit(entry) for entry in entries), return_exceptions=True)


async def test_ids_are_unique_within_a_call() -> None:
    """The entries of a call have distinct ids, as SNS requires, and there are ten at most."""
    sns = FakeSns()

    results = await publish(sns, [entry(f"{number}") for number in range(25)])

    assert results == [f"message-of-{number}" for number in range(25)]
    assert max(map(len, sns.calls)) == 10
    for call in sns.calls:
        assert len({entry["Id"] for entry in call}) == len(call)


async def test_a_call_stays_below_256_kib_attributes_included() -> None:
    """Messages of 100 KiB go two to a call."""
    sns = FakeSns()

    await publish(sns, [entry(f"{number}", padding=100_000) for number in range(5)])

    assert [len(call) for call in sns.calls] == [2, 2, 1]
    assert all(sum(map(entry_size_bytes, call)) <= MAX_BYTES for call in sns.calls)


async def test_a_message_larger_than_a_call_is_not_sent() -> None:
    """Its caller gets an error at once."""
    sns = FakeSns()

    [result] = await publish(sns, [entry("large", padding=MAX_BYTES)])

    assert isinstance(result, EntryTooLargeError)
    assert sns.calls == []


def test_size_counts_bytes_not_characters() -> None:
    """As SNS counts: UTF-8 of the message, and name, type and value of each attribute."""
    assert entry_size_bytes({"Message": "é€", "MessageAttributes": ATTRIBUTES}) == 5 + len("priorityStringnormal")


async def test_sender_faults_are_final_and_others_are_retried() -> None:
    """SenderFault tells whether a retry can help."""
    sns = FakeSns()
    sns.rejections.append({"Code": "InvalidParameter", "SenderFault": True})
    [final] = await publish(sns, [entry("final")])
    calls_for_final = len(sns.calls)

    sns.rejections.append({"Code": "InternalError", "SenderFault": False})
    [retried] = await publish(sns, [entry("again")])

    assert isinstance(final, EntryRefusedError)
    assert calls_for_final == 1
    assert retried == "message-of-again"


async def test_an_entry_without_a_result_is_retried() -> None:
    """A response that names neither success nor failure of an entry does not count as success."""

    class Forgetful(FakeSns):
        async def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Any) -> Any:  # noqa: N803
            response = await super().publish_batch(
                TopicArn=TopicArn, PublishBatchRequestEntries=PublishBatchRequestEntries
            )
            return {} if len(self.calls) == 1 else response

    sns = Forgetful()

    assert await publish(sns, [entry("twice")]) == ["message-of-twice"]
    assert len(sns.calls) == 2


async def test_a_call_that_fails_fails_all_of_its_callers() -> None:
    """All callers that shared the call get the error."""
    sns = FakeSns()
    sns.failures.append(unreachable())

    results = await publish(sns, [entry(f"{number}") for number in range(10)])

    assert [type(result) for result in results] == [type(unreachable())] * 10


async def test_the_callers_entry_is_not_changed() -> None:
    """A copy gets the id."""
    sent = entry("mine")
    before = json.dumps(sent)

    await publish(FakeSns(), [sent])

    assert json.dumps(sent) == before
