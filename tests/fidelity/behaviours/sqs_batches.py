"""Batches: errors of whole batches and of entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fidelity.aws import Aws, Queue, new_url
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Batches")
behaviour = GROUP.behaviour
_CODES = "AWS.SimpleQueueService."
_EMPTY = f"{_CODES}EmptyBatchRequest"
_SEND = sqs_api("SendMessageBatch", recorded=True)
_send = GROUP.refusals("sqs.send_message_batch", _EMPTY, _SEND, QueueUrl=new_url)


def _whole(name: str, statement: str, ids: list[str], code: str) -> None:
    entries = [{"Id": one, "MessageBody": "b"} for one in ids]
    _send(name, f"{statement} is rejected ({code})", code=f"{_CODES}{code}", Entries=entries)


_whole("empty_batch", "An empty batch", [], "EmptyBatchRequest")
_whole("eleven_entries", "A batch of eleven", [str(number) for number in range(11)], "TooManyEntriesInBatchRequest")
_whole("same_ids", "A batch with an id twice", ["a", "a"], "BatchEntryIdsNotDistinct")
_whole("bad_id", "A batch with an id with special characters", ["a:b"], "InvalidBatchEntryId")
_whole("long_id", "A batch with an id of 81 characters", ["a" * 81], "InvalidBatchEntryId")


def _sent(queue: Queue, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    return answer


def _ids(answer: dict[str, Any], result: str = "Successful") -> list[str]:
    return [entry["Id"] for entry in answer.get(result, [])]


def _failed(answer: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer.get("Failed", [])]


@behaviour(_SEND)
def nothing_of_a_refused_batch(aws: Aws) -> None:
    """A rejected batch sends nothing."""
    queue = aws.queue()
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"}]

    refused(f"{_CODES}BatchEntryIdsNotDistinct", _sent, queue=queue, entries=entries)
    same("counts", queue.counts(), (0, 0, 0))


@behaviour(sqs_guide("sqs-batch-api-actions", recorded=True))
def batch_too_long(aws: Aws) -> None:
    """A batch of more than 1 MiB in all is rejected (BatchRequestTooLong)."""
    entries = [{"Id": str(number), "MessageBody": "a" * 524_289} for number in range(2)]
    refused(f"{_CODES}BatchRequestTooLong", _sent, queue=aws.queue(), entries=entries)


@behaviour(sqs_api("BatchResultErrorEntry"))
def partial_failure(aws: Aws) -> None:
    """One invalid entry fails as the sender's fault; the others are sent."""
    bad = {"Id": "bad", "MessageBody": "b", "DelaySeconds": 1000}

    answer = _sent(aws.queue(), [{"Id": "good", "MessageBody": "b"}, bad])

    same("sends", _ids(answer), ["good"])
    same("tells", _failed(answer), [("bad", "InvalidParameterValue", True)])


@behaviour(_SEND)
def entry_too_long(aws: Aws) -> None:
    """An entry longer than the queue's MaximumMessageSize fails alone."""
    entries = [{"Id": "fits", "MessageBody": "a" * 1024}, {"Id": "long", "MessageBody": "a" * 1025}]

    answer = _sent(aws.queue(MaximumMessageSize="1024"), entries)

    same("sends", _ids(answer), ["fits"])
    same("tells", _failed(answer), [("long", "InvalidParameterValue", True)])


@behaviour(sqs_api("SendMessageBatch"))
def delay_of_an_entry(aws: Aws) -> None:
    """Each entry has its own delay."""
    queue = aws.queue()

    _sent(queue, [{"Id": "0", "MessageBody": "now"}, {"Id": "1", "MessageBody": "late", "DelaySeconds": 60}])

    same("counts", queue.counts(), (1, 0, 1))


@behaviour(sqs_api("SendMessageBatchResultEntry"))
def digests_of_a_batch(aws: Aws) -> None:
    """Each entry's result has its message id and the digest of its body."""
    [sent] = _sent(aws.queue(), [{"Id": "x", "MessageBody": "b"}])["Successful"]

    same("answers", {name for name in sent if sent[name]}, {"Id", "MessageId", "MD5OfMessageBody"})
    same("digest", sent["MD5OfMessageBody"], "92eb5ffee6ae2fec3ad71c777531578f")


@behaviour(sqs_api("DeleteMessageBatch"))
def deletes(aws: Aws) -> None:
    """A batch of deletes reports an invalid handle (ReceiptHandleIsInvalid) and deletes the rest."""
    queue = aws.queue()
    entries = [{"Id": "good", "ReceiptHandle": queue.handle()}, {"Id": "bad", "ReceiptHandle": "no handle"}]

    answer = aws.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)

    same("deletes", _ids(answer), ["good"])
    failed = [(entry["Id"], entry["Code"]) for entry in answer.get("Failed", [])]
    same("tells", failed, [("bad", "ReceiptHandleIsInvalid")])


@behaviour(sqs_api("DeleteMessageBatch"))
def expired_handle(aws: Aws) -> None:
    """In a batch of deletes an expired handle of a FIFO queue is ReceiptHandleIsInvalid, as no single delete is."""
    queue = aws.filled("a1")
    handle = queue.one(VisibilityTimeout=0)["ReceiptHandle"]

    answer = aws.sqs.delete_message_batch(QueueUrl=queue.url, Entries=[{"Id": "1", "ReceiptHandle": handle}])

    same("tells", [entry["Code"] for entry in answer.get("Failed", [])], ["ReceiptHandleIsInvalid"])


@behaviour(sqs_api("ChangeMessageVisibilityBatchRequestEntry"))
def no_timeout(aws: Aws) -> None:
    """An entry of ChangeMessageVisibilityBatch without a visibility timeout fails."""
    queue = aws.queue()
    entry = {"Id": "1", "ReceiptHandle": queue.handle()}

    answer = aws.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=[entry])

    same("refuses", _ids(answer, "Failed"), ["1"])


@behaviour(sqs_api("ChangeMessageVisibilityBatch"))
def visibilities(aws: Aws) -> None:
    """A batch of visibility changes has a result for each entry."""
    queue = aws.queue()
    handle = queue.handle()
    entries = [
        {"Id": one, "ReceiptHandle": handle, "VisibilityTimeout": seconds}
        for one, seconds in (("good", 0), ("bad", 43_201))
    ]

    answer = aws.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)

    same("changes", _ids(answer), ["good"])
    same("refuses", _ids(answer, "Failed"), ["bad"])


@behaviour(_SEND)
def no_group(aws: Aws) -> None:
    """An entry without a group makes a whole FIFO batch fail, with InvalidParameterValue."""
    entries = [{"Id": "1", "MessageBody": "b", "MessageDeduplicationId": "d"}]
    refused("InvalidParameterValue", _sent, says="parameter MessageGroupId", queue=aws.fifo(), entries=entries)


def _empty(name: str, statement: str, action: str, call: str) -> None:
    GROUP.refusals(call, _EMPTY, sqs_api(action), QueueUrl=new_url, Entries=[])(name, statement)


_empty("no_deletes", "An empty batch of deletes is rejected", "DeleteMessageBatch", "sqs.delete_message_batch")
_empty(
    "no_changes",
    "An empty batch of visibility changes is rejected",
    "ChangeMessageVisibilityBatch",
    "sqs.change_message_visibility_batch",
)
