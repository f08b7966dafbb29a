"""Batches as boto3 sends them: errors of whole batches and of entries."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import error_of

HALF_MIB = 512 * 1024


def entries_of(*ids: object, body: str = "b") -> list[dict[str, Any]]:
    """Entries of SendMessageBatch."""
    return [{"Id": str(one), "MessageBody": body} for one in ids]


@pytest.mark.parametrize(
    ("entries", "code", "message"),
    [
        ([], "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."),
        (
            entries_of(*range(11)),
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (entries_of("a", "a"), "BatchEntryIdsNotDistinct", "Id a repeated."),
        (
            entries_of("a:b"),
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        ),
        (
            [*entries_of("1", body="a" * HALF_MIB), *entries_of("2", body="a" * (HALF_MIB + 1))],
            "BatchRequestTooLong",
            "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        ),
    ],
    ids=["empty", "eleven entries", "same ids", "bad id", "more than a mebibyte"],
)
def test_invalid_batches(sqs: Any, url: str, entries: list[Any], code: str, message: str) -> None:
    """A batch as a whole is rejected before any of it is sent (API_SendMessageBatch, sqs-batch-api-actions)."""
    error = error_of(sqs.send_message_batch, QueueUrl=url, Entries=entries)

    assert error == (f"AWS.SimpleQueueService.{code}", message, 400)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_batch_has_a_mebibyte(sqs: Any, url: str) -> None:
    """The limit of a batch is that of one message (sqs-batch-api-actions)."""
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries_of(1, 2, body="a" * HALF_MIB))

    assert len(answer["Successful"]) == 2


def test_a_long_entry_has_its_own_error(sqs: Any) -> None:
    """An entry longer than the queue allows fails alone, with another text than a single send (recorded)."""
    url = sqs.create_queue(QueueName="short", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    entries = [*entries_of("fits", body="a" * 1024), *entries_of("long", body="a" * 1025)]

    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)

    assert [entry["Id"] for entry in answer["Successful"]] == ["fits"]
    text = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    failed = {"Id": "long", "SenderFault": True, "Code": "InvalidParameterValue", "Message": text}
    assert answer["Failed"] == [failed]


def test_an_invalid_entry_fails_alone(sqs: Any, url: str) -> None:
    """The other entries are sent (API_SendMessageBatch, BatchResultErrorEntry)."""
    entries = [*entries_of("good"), {"Id": "bad", "MessageBody": "b", "DelaySeconds": 1000}]

    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)

    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "InvalidParameterValue", True)


def test_an_empty_list_is_left_out(sqs: Any, url: str) -> None:
    """As on AWS, Failed is absent without failures, and Successful without successes.

    Recorded in LocalStack's tests/aws/services/sqs/test_sqs.snapshot.json (oversized contents, updated maximum size).
    """
    done = sqs.send_message_batch(QueueUrl=url, Entries=entries_of("a"))
    not_done = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": "garbage"}])

    assert "Failed" not in done
    assert "Successful" not in not_done


def test_batches_of_deletes_and_visibility(sqs: Any, url: str) -> None:
    """Each entry has its own result (API_DeleteMessageBatch, API_ChangeMessageVisibilityBatch)."""
    sqs.send_message_batch(QueueUrl=url, Entries=entries_of(0, 1, 2))
    handles = [m["ReceiptHandle"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]

    visible = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": handles[0], "VisibilityTimeout": 0}]
    )
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "1", "ReceiptHandle": handles[1]}, {"Id": "2", "ReceiptHandle": "no handle"}],
    )

    assert [entry["Id"] for entry in visible["Successful"]] == ["0"]
    assert [entry["Id"] for entry in deleted["Successful"]] == ["1"]
    assert [(entry["Id"], entry["Code"]) for entry in deleted["Failed"]] == [("2", "ReceiptHandleIsInvalid")]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("1", "1")


def test_a_fifo_batch_without_a_group_has_another_code(sqs: Any, fifo_url: str) -> None:
    """The message is that of a single send, the code is not, and nothing is sent (recorded from AWS)."""
    entry = {"MessageBody": "b", "MessageDeduplicationId": "d"}
    entries = [{"Id": "1", **entry, "MessageGroupId": "g"}, {"Id": "2", **entry}]

    error = error_of(sqs.send_message_batch, QueueUrl=fifo_url, Entries=entries)

    assert error == ("InvalidParameterValue", "The request must contain the parameter MessageGroupId.", 400)
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo_url)


def test_an_expired_handle_has_another_code_in_a_batch(sqs: Any, fifo_url: str) -> None:
    """DeleteMessage says InvalidParameterValue, the batch ReceiptHandleIsInvalid (both reported of AWS)."""
    sqs.send_message(QueueUrl=fifo_url, MessageBody="b", MessageGroupId="g", MessageDeduplicationId="d")
    [received] = sqs.receive_message(QueueUrl=fifo_url, VisibilityTimeout=0)["Messages"]
    handle = received["ReceiptHandle"]

    [failed] = sqs.delete_message_batch(QueueUrl=fifo_url, Entries=[{"Id": "1", "ReceiptHandle": handle}])["Failed"]

    expected = {"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
    assert failed == expected | {"Message": "The receipt handle has expired"}
    single = error_of(sqs.delete_message, QueueUrl=fifo_url, ReceiptHandle=handle)
    assert (single[0], "The receipt handle has expired." in single[1]) == ("InvalidParameterValue", True)


@pytest.mark.parametrize("kind", ["SendMessage", "DeleteMessage", "ChangeMessageVisibility"])
def test_a_form_without_entries_is_an_empty_batch(localbus: Localbus, url: str, kind: str) -> None:
    """The Query protocol has no empty list, so none is one (API_SendMessageBatch: EmptyBatchRequest)."""
    answer = httpx.post(localbus.url, data={"Action": f"{kind}Batch", "QueueUrl": url, "Version": "2012-11-05"})

    assert answer.status_code == 400
    assert "<Code>AWS.SimpleQueueService.EmptyBatchRequest</Code>" in answer.text
    assert f"at least one {kind}BatchRequestEntry in the request" in answer.text


def test_a_batch_names_what_an_entry_lacks(localbus: Localbus, url: str) -> None:
    """Without an id the batch is refused; without a visibility timeout only the entry (both reported of AWS)."""
    target = {"X-Amz-Target": "AmazonSQS.ChangeMessageVisibilityBatch"}
    name = "The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry"

    def post(*entries: dict[str, str]) -> dict[str, Any]:
        answer = httpx.post(localbus.url, json={"QueueUrl": url, "Entries": entries}, headers=target)
        return dict(answer.json())

    assert post({"Id": "1", "ReceiptHandle": "x"}, {"ReceiptHandle": "x"})["message"] == f"{name}.2.Id."
    [failed] = post({"Id": "1", "ReceiptHandle": "x"})["Failed"]
    assert (failed["Code"], failed["Message"]) == ("MissingParameter", f"{name}.1.VisibilityTimeout.")


@pytest.mark.parametrize("place", ["body", "name", "type", "value"])
def test_half_a_surrogate_pair_fails_its_entry_alone(localbus: Localbus, url: str, place: str) -> None:
    """JSON can escape half a surrogate pair, which stands for nothing (SendMessageBatch, SendMessage)."""
    given = {"body": "b", "name": "kind", "type": "String", "value": "tea", place: "\ud83c"}
    attributes = {given["name"]: {"DataType": given["type"], "StringValue": given["value"]}}
    entry = {"Id": "bad", "MessageBody": given["body"], "MessageAttributes": attributes}
    document = {"QueueUrl": url, "Entries": [entry, {"Id": "good", "MessageBody": "b"}]}

    answer = httpx.post(
        localbus.url, headers={"X-Amz-Target": "AmazonSQS.SendMessageBatch"}, content=json.dumps(document)
    ).json()

    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    code = "InvalidMessageContents" if place == "body" else "InvalidParameterValue"
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("bad", code)]
