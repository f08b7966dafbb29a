"""Batches: errors of whole batches and of entries."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import Source, sqs_api, sqs_guide

GROUP = Group("SQS", "Batches")
behaviour = GROUP.behaviour
_CODES = "AWS.SimpleQueueService."


def _whole(name: str, statement: str, ids: list[str], code: str) -> None:
    def check(aws: Aws) -> None:
        entries = [{"Id": one, "MessageBody": "b"} for one in ids]
        refused(f"{_CODES}{code}", aws.sqs.send_message_batch, QueueUrl=aws.queue().url, Entries=entries)

    GROUP.add(name, f"{statement} is rejected ({code})", sqs_api("SendMessageBatch", recorded=True), check)


_whole("empty_batch", "An empty batch", [], "EmptyBatchRequest")
_whole("eleven_entries", "A batch of eleven", [str(number) for number in range(11)], "TooManyEntriesInBatchRequest")
_whole("same_ids", "A batch with an id twice", ["a", "a"], "BatchEntryIdsNotDistinct")
_whole("bad_id", "A batch with an id with special characters", ["a:b"], "InvalidBatchEntryId")
_whole("long_id", "A batch with an id of 81 characters", ["a" * 81], "InvalidBatchEntryId")


@behaviour(sqs_api("SendMessageBatch", recorded=True))
def nothing_of_a_refused_batch(aws: Aws) -> None:
    """A rejected batch sends nothing."""
    queue = aws.queue()
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"}]

    refused(f"{_CODES}BatchEntryIdsNotDistinct", aws.sqs.send_message_batch, QueueUrl=queue.url, Entries=entries)

    same("counts", queue.counts(), (0, 0, 0))


@behaviour(sqs_guide("sqs-batch-api-actions", recorded=True))
def batch_too_long(aws: Aws) -> None:
    """A batch of more than 1 MiB in all is rejected (BatchRequestTooLong)."""
    entries = [{"Id": str(number), "MessageBody": "a" * 524_289} for number in range(2)]

    refused(f"{_CODES}BatchRequestTooLong", aws.sqs.send_message_batch, QueueUrl=aws.queue().url, Entries=entries)


@behaviour(sqs_api("BatchResultErrorEntry"))
def partial_failure(aws: Aws) -> None:
    """One invalid entry fails as the sender's fault; the others are sent."""
    queue = aws.queue()
    entries = [{"Id": "good", "MessageBody": "b"}, {"Id": "bad", "MessageBody": "b", "DelaySeconds": 1000}]

    answer = aws.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    same("sends", [entry["Id"] for entry in answer.get("Successful", [])], ["good"])
    failed = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer.get("Failed", [])]
    same("tells", failed, [("bad", "InvalidParameterValue", True)])


@behaviour(sqs_api("SendMessageBatch", recorded=True))
def entry_too_long(aws: Aws) -> None:
    """An entry longer than the queue's MaximumMessageSize fails alone."""
    queue = aws.queue(MaximumMessageSize="1024")
    entries = [{"Id": "fits", "MessageBody": "a" * 1024}, {"Id": "long", "MessageBody": "a" * 1025}]

    answer = aws.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    same("sends", [entry["Id"] for entry in answer.get("Successful", [])], ["fits"])
    failed = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer.get("Failed", [])]
    same("tells", failed, [("long", "InvalidParameterValue", True)])


@behaviour(sqs_api("SendMessageBatch"))
def delay_of_an_entry(aws: Aws) -> None:
    """Each entry has its own delay."""
    queue = aws.queue()
    entries = [{"Id": "0", "MessageBody": "now"}, {"Id": "1", "MessageBody": "late", "DelaySeconds": 60}]

    aws.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    same("counts", queue.counts(), (1, 0, 1))


@behaviour(sqs_api("SendMessageBatchResultEntry"))
def digests_of_a_batch(aws: Aws) -> None:
    """Each entry's result has its message id and the digest of its body."""
    entries = [{"Id": "x", "MessageBody": "b"}]

    [sent] = aws.sqs.send_message_batch(QueueUrl=aws.queue().url, Entries=entries)["Successful"]

    same("answers", {name for name in sent if sent[name]}, {"Id", "MessageId", "MD5OfMessageBody"})
    same("digest", sent["MD5OfMessageBody"], "92eb5ffee6ae2fec3ad71c777531578f")


@behaviour(sqs_api("DeleteMessageBatch"))
def deletes(aws: Aws) -> None:
    """A batch of deletes reports an invalid handle (ReceiptHandleIsInvalid) and deletes the rest."""
    queue = aws.queue()
    queue.send()
    entries = [
        {"Id": "good", "ReceiptHandle": queue.one()["ReceiptHandle"]},
        {"Id": "bad", "ReceiptHandle": "no handle"},
    ]

    answer = aws.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)

    same("deletes", [entry["Id"] for entry in answer.get("Successful", [])], ["good"])
    failed = [(entry["Id"], entry["Code"]) for entry in answer.get("Failed", [])]
    same("tells", failed, [("bad", "ReceiptHandleIsInvalid")])


@behaviour(sqs_api("ChangeMessageVisibilityBatch"))
def visibilities(aws: Aws) -> None:
    """A batch of visibility changes has a result for each entry."""
    queue = aws.queue()
    queue.send()
    handle = queue.one()["ReceiptHandle"]
    entries: list[dict[str, Any]] = [
        {"Id": "good", "ReceiptHandle": handle, "VisibilityTimeout": 0},
        {"Id": "bad", "ReceiptHandle": handle, "VisibilityTimeout": 43_201},
    ]

    answer = aws.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)

    same("changes", [entry["Id"] for entry in answer.get("Successful", [])], ["good"])
    same("refuses", [entry["Id"] for entry in answer.get("Failed", [])], ["bad"])


@behaviour(sqs_api("SendMessageBatch", recorded=True))
def no_group(aws: Aws) -> None:
    """An entry without a group makes a whole FIFO batch fail, with InvalidParameterValue."""
    entries = [{"Id": "1", "MessageBody": "b", "MessageDeduplicationId": "d"}]
    given = {"QueueUrl": aws.fifo().url, "Entries": entries}

    refused("InvalidParameterValue", aws.sqs.send_message_batch, says="parameter MessageGroupId", **given)


def _other_whole(name: str, statement: str, source: Source, operation: str) -> None:
    def check(aws: Aws) -> None:
        refused(f"{_CODES}EmptyBatchRequest", getattr(aws.sqs, operation), QueueUrl=aws.queue().url, Entries=[])

    GROUP.add(name, statement, source, check)


_other_whole(
    "no_deletes", "An empty batch of deletes is rejected", sqs_api("DeleteMessageBatch"), "delete_message_batch"
)
_other_whole(
    "no_changes",
    "An empty batch of visibility changes is rejected",
    sqs_api("ChangeMessageVisibilityBatch"),
    "change_message_visibility_batch",
)
