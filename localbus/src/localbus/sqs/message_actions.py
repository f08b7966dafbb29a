"""SQS actions on messages: send, receive, delete, change visibility, and their batches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import with_trace_header
from localbus.sqs.errors import ExpiredHandleError, invalid_value, missing
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message, Received, attributes_md5, size_bytes
from localbus.sqs.message_builder import NOT_FOR_THIS_TYPE, build, check_fifo_parameters, check_token, send_result
from localbus.sqs.queue import Queue
from localbus.sqs.queue_attributes import MAX_VISIBILITY_TIMEOUT_S
from localbus.sqs.state import Sqs

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
MAX_BATCH_ENTRIES = 10
MAX_BATCH_BYTES = 1_048_576
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_WAIT_S = 20
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def send_message(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """SendMessage."""
    queue = sqs.find(params["QueueUrl"], caller, "SendMessage").queue
    message, delay_s = build(with_trace_header(params, caller.trace_header), queue, caller.account)
    queue.send(message, delay_s)
    return send_result(message, params)


def send_message_batch(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """SendMessageBatch."""
    queue = sqs.find(params["QueueUrl"], caller, "SendMessage").queue
    entries = params["Entries"]
    _check_entries(entries, "SendMessageBatchRequestEntry")
    size = sum(size_bytes(entry["MessageBody"], entry.get("MessageAttributes")) for entry in entries)
    if size > MAX_BATCH_BYTES:
        text = f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {size} bytes."
        raise AwsError("BatchRequestTooLong", text)
    for entry in entries:
        check_fifo_parameters(entry, queue, in_batch=True)

    def send(entry: Params) -> Params:
        message, delay_s = build(with_trace_header(entry, caller.trace_header), queue, caller.account, in_batch=True)
        queue.send(message, delay_s)
        return send_result(message, entry)

    return _each(sqs, entries, send)


def receive_message(sqs: Sqs, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """ReceiveMessage. The result is awaitable only if the client waits and the queue is empty."""
    queue = sqs.find(params["QueueUrl"], caller, "ReceiveMessage").queue
    limit = _within(params, "MaxNumberOfMessages", 1, 10) or 1
    visibility_timeout_s = _within(params, "VisibilityTimeout", 0, MAX_VISIBILITY_TIMEOUT_S)
    wait_s = params.get("WaitTimeSeconds", queue.settings.receive_wait_s)
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise invalid_value("WaitTimeSeconds", str(wait_s), f"Must be >= 0 and <= {MAX_WAIT_S}, if provided.")
    attempt_id: str | None = params.get("ReceiveRequestAttemptId")
    if attempt_id is not None and not queue.is_fifo:
        raise invalid_value("ReceiveRequestAttemptId", attempt_id, NOT_FOR_THIS_TYPE)
    check_token("ReceiveRequestAttemptId", attempt_id)
    selection = _AttributeSelection(params, sqs.system_attributes)
    if attempt_id is not None and isinstance(queue, FifoQueue):
        again = queue.receive_again(attempt_id, visibility_timeout_s)
        if again is not None:
            return selection.result(again)

    def result(received: list[Received]) -> Params:
        if attempt_id is not None and isinstance(queue, FifoQueue):
            queue.remember_attempt(attempt_id, received)
        return selection.result(received)

    async def result_of(poll: asyncio.Future[list[Received]]) -> Params:
        return result(await poll)

    received = queue.receive(limit, visibility_timeout_s)
    if not received and wait_s:
        return result_of(queue.receive_later(limit, visibility_timeout_s, wait_s))
    if not received and queue.is_in_flight_full and not queue.is_fifo:
        raise AwsError("OverLimit", "Too many messages are in flight: a standard queue has at most 120,000.")
    if not received:
        queue.counters.empty_receives += 1
    return result(received)


def delete_message(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """DeleteMessage."""
    sqs.find(params["QueueUrl"], caller, "DeleteMessage").queue.delete(params["ReceiptHandle"])
    return {}


def delete_message_batch(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """DeleteMessageBatch."""
    queue = sqs.find(params["QueueUrl"], caller, "DeleteMessage").queue
    _check_entries(params["Entries"], "DeleteMessageBatchRequestEntry")

    def delete(entry: Params) -> Params:
        try:
            queue.delete(entry["ReceiptHandle"])
        except ExpiredHandleError as exc:
            raise AwsError("ReceiptHandleIsInvalid", "The receipt handle has expired") from exc
        return {}

    return _each(sqs, params["Entries"], delete)


def change_message_visibility(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ChangeMessageVisibility."""
    queue = sqs.find(params["QueueUrl"], caller, "ChangeMessageVisibility").queue
    return _change_visibility(queue, params)


def change_message_visibility_batch(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ChangeMessageVisibilityBatch."""
    queue = sqs.find(params["QueueUrl"], caller, "ChangeMessageVisibility").queue
    entries = params["Entries"]
    _check_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")

    def change(entry: Params) -> Params:
        if "VisibilityTimeout" not in entry:
            position = entries.index(entry) + 1
            raise missing(f"ChangeMessageVisibilityBatchRequestEntry.{position}.VisibilityTimeout")
        return _change_visibility(queue, entry)

    return _each(sqs, entries, change)


def _change_visibility(queue: Queue, params: Params) -> Params:
    timeout_s = _within(params, "VisibilityTimeout", 0, MAX_VISIBILITY_TIMEOUT_S)
    queue.change_visibility(params["ReceiptHandle"], timeout_s or 0)
    return {}


def _check_entries(entries: list[Params], name: str) -> None:
    """Raise AwsError unless AWS accepts the batch as a whole."""
    if not entries:
        raise AwsError("EmptyBatchRequest", f"There should be at least one {name} in the request.")
    if len(entries) > MAX_BATCH_ENTRIES:
        text = f"Maximum number of entries per request are {MAX_BATCH_ENTRIES}. You have sent {len(entries)}."
        raise AwsError("TooManyEntriesInBatchRequest", text)
    ids: set[str] = set()
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            raise AwsError("InvalidBatchEntryId", f"{text} It can be at most 80 letters long.")
        if entry["Id"] in ids:
            raise AwsError("BatchEntryIdsNotDistinct", f"Id {entry['Id']} repeated.")
        ids.add(entry["Id"])


def _each(sqs: Sqs, entries: list[Params], process: Callable[[Params], Params]) -> Params:
    """Process each entry by itself: one that fails does not affect the others.

    AWS leaves out an empty list of the result.
    """
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **process(entry)})
        except AwsError as exc:
            spec = sqs.api.error_spec(exc.code)
            fault = spec.fault == "Sender"
            failed.append({"Id": entry["Id"], "SenderFault": fault, "Code": spec.query_code, "Message": exc.message})
    return {name: entries for name, entries in (("Successful", successful), ("Failed", failed)) if entries}


def _within(params: Params, name: str, low: int, high: int) -> int | None:
    value: int | None = params.get(name)
    if value is not None and not low <= value <= high:
        raise invalid_value(name, str(value), f"Must be between {low} and {high}, if provided.")
    return value


class _AttributeSelection:
    """The attributes that a receive requests. Raises AwsError for an unknown system attribute."""

    def __init__(self, params: Params, system_attributes: frozenset[str]) -> None:
        self._system = {*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())}
        for name in self._system - system_attributes:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        self._names: list[str] = params.get("MessageAttributeNames", [])
        self._all = not {"All", ".*", "*"}.isdisjoint(self._names)

    def result(self, received: list[Received]) -> Params:
        """Return the output of ReceiveMessage; without messages it has no member."""
        return {"Messages": [self._document(*one) for one in received]} if received else {}

    def _document(self, message: Message, handle: str) -> Params:
        result: Params = {
            "MessageId": message.message_id,
            "ReceiptHandle": handle,
            "MD5OfBody": message.body_md5,
            "Body": message.body,
        }
        if self._system:
            known = system_attributes(message)
            result["Attributes"] = {k: v for k, v in known.items() if k in self._system or "All" in self._system}
        if message.attributes and self._names:
            attributes = {name: value for name, value in message.attributes.items() if self._includes(name)}
            if attributes:
                result |= {"MD5OfMessageAttributes": attributes_md5(attributes), "MessageAttributes": attributes}
        return result

    def _includes(self, name: str) -> bool:
        """Return whether an attribute is requested, by its name or by a prefix such as `order.*`."""
        return self._all or any(
            name == requested or (requested.endswith(".*") and name.startswith(requested[:-2]))
            for requested in self._names
        )


def system_attributes(message: Message) -> dict[str, str]:
    """Return the system attributes of a message (ApproximateReceiveCount and so on)."""
    known: dict[str, Any] = {
        "SenderId": message.sender_id,
        "SentTimestamp": _milliseconds(message.sent_at),
        "ApproximateReceiveCount": str(message.receive_count),
        "ApproximateFirstReceiveTimestamp": _milliseconds(message.first_received_at),
        "SequenceNumber": message.sequence_number,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "AWSTraceHeader": message.trace_header["StringValue"] if message.trace_header else None,
        "DeadLetterQueueSourceArn": message.source_arn,
    }
    return {name: value for name, value in known.items() if value is not None}


def _milliseconds(seconds: float | None) -> str | None:
    return None if seconds is None else str(int(seconds * 1000))
