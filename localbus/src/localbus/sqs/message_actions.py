"""The actions of SQS that are about messages: send, receive, delete, change visibility, and their batches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import traced
from localbus.sqs.errors import refusal
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message, Received, attributes_md5, size_bytes
from localbus.sqs.message_builder import build, check_fifo_parameters, check_token, sent
from localbus.sqs.queue import Queue
from localbus.sqs.queue_settings import MAX_VISIBILITY_TIMEOUT_S

if TYPE_CHECKING:
    from localbus.sqs.state import Sqs

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
MAX_BATCH_ENTRIES = 10
MAX_BATCH_BYTES = 1_048_576
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_WAIT_S = 20
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SYSTEM_ATTRIBUTES = {
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
}


def send_message(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """SendMessage."""
    queue = sqs.find(params["QueueUrl"], caller, "SendMessage").queue
    message, delay_s = build(traced(params, caller.trace_header), queue, caller.account)
    queue.send(message, delay_s)
    return sent(message, params)


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
        message, delay_s = build(traced(entry, caller.trace_header), queue, caller.account, in_batch=True)
        queue.send(message, delay_s)
        return sent(message, entry)

    return _each(sqs, entries, send)


def receive_message(sqs: Sqs, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """ReceiveMessage: at once where there is something or the client does not wait, else when something comes."""
    queue = sqs.find(params["QueueUrl"], caller, "ReceiveMessage").queue
    most = _within(params, "MaxNumberOfMessages", 1, 10, 1)
    visibility_timeout_s = _within(params, "VisibilityTimeout", 0, MAX_VISIBILITY_TIMEOUT_S, None)
    wait_s = params.get("WaitTimeSeconds", queue.settings.receive_wait_s)
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise refusal("WaitTimeSeconds", str(wait_s), f"Must be >= 0 and <= {MAX_WAIT_S}, if provided.")
    attempt_id = params.get("ReceiveRequestAttemptId")
    if attempt_id is not None and not queue.is_fifo:
        reason = "The request include parameter that is not valid for this queue type."
        raise refusal("ReceiveRequestAttemptId", attempt_id, reason)
    check_token("ReceiveRequestAttemptId", attempt_id)
    view = _View(params)
    if attempt_id is not None and isinstance(queue, FifoQueue):
        again = queue.receive_again(attempt_id, visibility_timeout_s)
        if again is not None:
            return view.show(again)
    received = queue.receive(most or 1, visibility_timeout_s)
    if not received and wait_s:
        return _when_it_comes(queue, queue.receive_later(most or 1, visibility_timeout_s, wait_s), attempt_id, view)
    if not received and queue.is_in_flight_full and not queue.is_fifo:
        raise AwsError("OverLimit", "Too many messages are in flight: a standard queue has at most 120,000.")
    return _answer(queue, received, attempt_id, view)


async def _when_it_comes(
    queue: Queue, future: asyncio.Future[list[Received]], attempt_id: str | None, view: _View
) -> Params:
    return _answer(queue, await future, attempt_id, view)


def _answer(queue: Queue, received: list[Received], attempt_id: str | None, view: _View) -> Params:
    if attempt_id is not None and isinstance(queue, FifoQueue):
        queue.remember_attempt(attempt_id, received)
    return view.show(received)


def delete_message(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """DeleteMessage."""
    sqs.find(params["QueueUrl"], caller, "DeleteMessage").queue.delete(params["ReceiptHandle"])
    return {}


def delete_message_batch(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """DeleteMessageBatch."""
    queue = sqs.find(params["QueueUrl"], caller, "DeleteMessage").queue
    _check_entries(params["Entries"], "DeleteMessageBatchRequestEntry")

    def delete(entry: Params) -> Params:
        queue.delete(entry["ReceiptHandle"])
        return {}

    return _each(sqs, params["Entries"], delete)


def change_message_visibility(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ChangeMessageVisibility."""
    queue = sqs.find(params["QueueUrl"], caller, "ChangeMessageVisibility").queue
    return _change_visibility(queue, params)


def change_message_visibility_batch(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ChangeMessageVisibilityBatch."""
    queue = sqs.find(params["QueueUrl"], caller, "ChangeMessageVisibility").queue
    _check_entries(params["Entries"], "ChangeMessageVisibilityBatchRequestEntry")
    return _each(sqs, params["Entries"], lambda entry: _change_visibility(queue, entry))


def _change_visibility(queue: Queue, params: Params) -> Params:
    timeout_s = _within(params, "VisibilityTimeout", 0, MAX_VISIBILITY_TIMEOUT_S, None)
    queue.change_visibility(params["ReceiptHandle"], timeout_s or 0)
    return {}


def _check_entries(entries: list[Params], name: str) -> None:
    """What AWS asks of a batch as a whole."""
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


def _each(sqs: Sqs, entries: list[Params], do: Callable[[Params], Params]) -> Params:
    """Do each entry for itself: one that fails does not keep the others from being done.

    Of the two lists in the answer AWS leaves out an empty one.
    """
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **do(entry)})
        except AwsError as exc:
            form = sqs.error_form(exc.code)
            fault = form.fault == "Sender"
            failed.append({"Id": entry["Id"], "SenderFault": fault, "Code": form.query_code, "Message": exc.message})
    return {name: entries for name, entries in (("Successful", successful), ("Failed", failed)) if entries}


def _within(params: Params, name: str, low: int, high: int, default: int | None) -> int | None:
    value: int | None = params.get(name, default)
    if value is not None and not low <= value <= high:
        raise refusal(name, str(value), f"Must be between {low} and {high}, if provided.")
    return value


class _View:
    """Which attributes a receive asks for, and messages with just these."""

    def __init__(self, params: Params) -> None:
        self._system = {*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())}
        for name in self._system - _SYSTEM_ATTRIBUTES:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        self._names: list[str] = params.get("MessageAttributeNames", [])
        self._all = not {"All", ".*", "*"}.isdisjoint(self._names)

    def show(self, received: Iterable[Received]) -> Params:
        """The answer to the receive; without messages it has no member at all."""
        messages = [self._one(message, handle) for message, handle in received]
        return {"Messages": messages} if messages else {}

    def _one(self, message: Message, handle: str) -> Params:
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
            attributes = {name: value for name, value in message.attributes.items() if self._wants(name)}
            if attributes:
                result |= {"MD5OfMessageAttributes": attributes_md5(attributes), "MessageAttributes": attributes}
        return result

    def _wants(self, name: str) -> bool:
        """Whether an attribute is asked for, by name or by the `.*` after its beginning."""
        return self._all or any(
            name == wanted or (wanted.endswith(".*") and name.startswith(wanted[:-2])) for wanted in self._names
        )


def system_attributes(message: Message) -> dict[str, str]:
    """What AWS says about a message beside its body."""
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
