"""From the input of SendMessage to a message, with every check that AWS makes on the way.

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from localbus.errors import AwsError
from localbus.fifo_queue import FifoQueue
from localbus.ids import new_id
from localbus.message import Attribute, Message, attributes_md5, size_bytes
from localbus.model import Params
from localbus.queue import Queue
from localbus.refusals import invalid, missing, refusal

MAX_ATTRIBUTES = 10
MAX_DELAY_S = 900
_BAD_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)(?!(?i:aws|amazon)\.)[\w.-]{1,256}(?<!\.)")
_DATA_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?", re.DOTALL)


def build(entry: Params, queue: Queue, sender_id: str) -> tuple[Message, int | None]:
    """The message of this entry and its own delay, or AWS's error."""
    delay_s = _delay(entry, queue)
    group_id, deduplication_id = _check_tokens(entry, queue)
    body: str = entry["MessageBody"]
    check_text(body)
    attributes = entry.get("MessageAttributes")
    if attributes:
        check_attributes(attributes)
    if size_bytes(body, attributes) > queue.settings.max_message_bytes:
        reason = f"Message must be shorter than {queue.settings.max_message_bytes} bytes."
        raise invalid(f"One or more parameters are invalid. Reason: {reason}")
    message = Message(
        new_id(),
        body,
        sender_id=sender_id,
        attributes=attributes,
        trace_header=_trace_header(entry),
        group_id=group_id,
        deduplication_id=deduplication_id,
    )
    return message, delay_s


def sent(message: Message) -> Params:
    """What the sender is told."""
    result: Params = {"MessageId": message.message_id, "MD5OfMessageBody": message.body_md5}
    if message.attributes:
        result["MD5OfMessageAttributes"] = attributes_md5(message.attributes)
    if message.trace_header:
        result["MD5OfMessageSystemAttributes"] = attributes_md5({"AWSTraceHeader": message.trace_header})
    if message.sequence_number:
        result["SequenceNumber"] = message.sequence_number
    return result


def check_fifo_parameters(entry: Params, queue: Queue) -> None:
    """What a FIFO queue asks of every entry of a batch before it looks at any."""
    if isinstance(queue, FifoQueue):
        if not entry.get("MessageGroupId"):
            raise missing("MessageGroupId")
        if not entry.get("MessageDeduplicationId") and not queue.content_based_deduplication:
            text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
            raise invalid(f"{text} explicitly")


def _delay(entry: Params, queue: Queue) -> int | None:
    delay_s: int | None = entry.get("DelaySeconds")
    if delay_s is None:
        return None
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise refusal("DelaySeconds", str(delay_s), f"DelaySeconds must be >= 0 and <= {MAX_DELAY_S}.")
    if queue.is_fifo:
        if delay_s:
            raise refusal("DelaySeconds", str(delay_s), _NOT_FOR_THIS_TYPE)
        return None
    return delay_s


_NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type."


def _check_tokens(entry: Params, queue: Queue) -> tuple[str | None, str | None]:
    check_fifo_parameters(entry, queue)
    group_id, deduplication_id = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if deduplication_id is not None and not queue.is_fifo:
        raise refusal("MessageDeduplicationId", deduplication_id, _NOT_FOR_THIS_TYPE)
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None and not _TOKEN.fullmatch(value):
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise refusal(name, value, reason)
    return group_id, deduplication_id


def check_text(text: str) -> None:
    """Refuse an empty body, and characters that XML has not."""
    if not text:
        raise missing("MessageBody")
    if not text.isprintable() and _BAD_CHARACTER.search(text):
        allowed = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        raise AwsError("InvalidMessageContents", f"Invalid characters found. Valid unicode characters are {allowed}")


def check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Refuse message attributes that are too many, or not of AWS's form."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise invalid(
                f"Message (user) attribute name '{name}' is invalid. It can contain alphanumeric characters, the "
                "underscore, hyphen, and period, at most 256, and must not start with AWS. or Amazon. or have a period "
                "at an end or next to another."
            )
        _check_value(name, attribute)


def _check_value(name: str, attribute: Attribute) -> None:
    data_type: str = attribute["DataType"]
    kind = _DATA_TYPE.fullmatch(data_type)
    if kind is None or len(data_type) > 256 or _BAD_CHARACTER.search(data_type):
        raise invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    key = "BinaryValue" if kind[1] == "Binary" else "StringValue"
    if key not in attribute:
        text = f"must contain non-empty message attribute value for message attribute type '{kind[1]}'."
        raise invalid(f"The message attribute '{name}' {text}")
    value = attribute[key]
    if not value:
        raise invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind[1]}'.")
    if isinstance(value, str):
        if _BAD_CHARACTER.search(value):
            raise invalid(f"Message (user) attribute '{name}' has characters that are not allowed.")
        if kind[1] == "Number" and not _is_number(value):
            raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
