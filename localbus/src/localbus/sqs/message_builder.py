"""Builds a message from the input of SendMessage, with AWS's checks.

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import re

from localbus.ids import new_id
from localbus.protocol.service_model import Params
from localbus.protocol.trace_header import has_trace_header
from localbus.sqs.errors import invalid, invalid_value, missing
from localbus.sqs.message import Attribute, Message, attributes_md5
from localbus.sqs.message_attributes import Content, check_text
from localbus.sqs.queue import Queue

MAX_DELAY_S = 900
NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type."
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def build(
    entry: Params, queue: Queue, sender_id: str, content: Content | None = None, *, in_batch: bool = False
) -> tuple[Message, int | None]:
    """Return the message and its DelaySeconds, if given, and count its size. Raises AwsError.

    `content` is the entry's body and attributes, for a sender that has built them already.
    """
    delay_s = _delay(entry, queue)
    check_fifo_parameters(entry, queue)
    group_id, deduplication_id = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if deduplication_id is not None and not queue.is_fifo:
        raise invalid_value("MessageDeduplicationId", deduplication_id, NOT_FOR_THIS_TYPE)
    check_token("MessageGroupId", group_id)
    check_token("MessageDeduplicationId", deduplication_id)
    content = content or Content(entry["MessageBody"], entry.get("MessageAttributes"))
    if content.size_bytes > queue.settings.max_message_bytes:
        reason = f"Message must be shorter than {queue.settings.max_message_bytes} bytes."
        verb = "cannot be validated" if in_batch else "are invalid"
        raise invalid(f"One or more parameters {verb}. Reason: {reason}")
    queue.counters.add_size(content.size_bytes)
    message = Message(
        new_id(),
        content.body,
        body_md5=content.body_md5,
        sender_id=sender_id,
        attributes=content.attributes,
        trace_header=_trace_header(entry),
        group_id=group_id,
        deduplication_id=deduplication_id,
    )
    return message, delay_s


def send_result(message: Message, entry: Params) -> Params:
    """Return the output of SendMessage for this entry."""
    result: Params = {"MessageId": message.message_id, "MD5OfMessageBody": message.body_md5}
    if message.attributes:
        result["MD5OfMessageAttributes"] = attributes_md5(message.attributes)
    if message.trace_header and has_trace_header(entry):
        result["MD5OfMessageSystemAttributes"] = attributes_md5({"AWSTraceHeader": message.trace_header})
    if message.sequence_number:
        result["SequenceNumber"] = message.sequence_number
    return result


def check_fifo_parameters(entry: Params, queue: Queue, *, in_batch: bool = False) -> None:
    """Raise AwsError unless the entry has the parameters that a FIFO queue requires."""
    if not queue.is_fifo:
        return
    if not entry.get("MessageGroupId"):
        error = missing("MessageGroupId")
        raise invalid(error.message) if in_batch else error  # the same text under another code
    if entry.get("MessageDeduplicationId") is None and not queue.settings.content_based_deduplication:
        text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise invalid(f"{text} explicitly")


def check_token(name: str, value: str | None) -> None:
    """Raise AwsError unless the value may be a message group id, deduplication id or attempt id."""
    if value is not None and not _TOKEN.fullmatch(value):
        reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(name, value, reason)


def _delay(entry: Params, queue: Queue) -> int | None:
    delay_s: int | None = entry.get("DelaySeconds")
    if delay_s is None:
        return None
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise invalid_value("DelaySeconds", str(delay_s), f"DelaySeconds must be >= 0 and <= {MAX_DELAY_S}.")
    if queue.is_fifo and delay_s:
        raise invalid_value("DelaySeconds", str(delay_s), NOT_FOR_THIS_TYPE)
    return None if queue.is_fifo else delay_s


def _trace_header(entry: Params) -> Attribute | None:
    given: dict[str, Attribute] = entry.get("MessageSystemAttributes", {})
    for name in given:
        if name != "AWSTraceHeader":
            raise invalid(f"Message system attribute name '{name}' is invalid.")
    header = given.get("AWSTraceHeader")
    if header is None:
        return None
    if header["DataType"] != "String" or not header.get("StringValue"):
        raise invalid("The message system attribute 'AWSTraceHeader' must be a non-empty String.")
    check_text(header["StringValue"])
    return header
