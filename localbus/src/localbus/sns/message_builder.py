"""The message builder: turns the input of Publish and PublishBatch into notifications, with AWS's validation.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and API_PublishBatch.html
and https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.input_values import is_unicode, read_json
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.errors import invalid
from localbus.sns.notification import Notification
from localbus.sns.topic import DEFAULT_MAX_MESSAGE_BYTES, Topic
from localbus.sqs.message import Attribute, size_bytes
from localbus.sqs.message_attributes import is_number

MAX_SUBJECT = 100
MAX_ATTRIBUTE_NAME = 256
MAX_BATCH_ENTRIES = 10
MAX_ENTRY_ID = 80
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+")
_NAME_CHARACTER = re.compile(r"[^A-Za-z0-9_.-]")
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html and sms_publish-to-phone.html
_RESERVED = ("AWS.SNS.MOBILE.", "AWS.SNS.SMS.", "AWS.MM.SMS.")
_DEFAULT = "default"
_DATA_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?", re.DOTALL)


def build(entry: Params, topic: Topic, caller: Caller, at: float) -> Notification:
    """Return the notification of Publish's input. Raises AwsError."""
    _check_entry(entry, topic)
    if _entry_bytes(entry) > topic.max_message_bytes:
        raise invalid("Message too long")
    return _build(entry, topic, caller, at)


def build_batch(
    entries: list[Params], topic: Topic, caller: Caller, at: float
) -> list[tuple[str, Notification | AwsError]]:
    """Return each entry's id with its notification or its error. Raises AwsError where AWS fails the whole batch."""
    _check_batch(entries)
    if sum(map(_entry_bytes, entries)) > topic.max_message_bytes:
        text = "The length of all the messages put together is more than the limit."
        raise AwsError("BatchRequestTooLongException", text)
    for entry in entries:
        _check_entry(entry, topic)
    built: list[tuple[str, Notification | AwsError]] = []
    for entry in entries:
        try:
            built.append((entry["Id"], _build(entry, topic, caller, at)))
        except AwsError as exc:
            built.append((entry["Id"], exc))
    return built


def direct_text(entry: Params, protocol: str) -> str:
    """Return the text of a message to one phone or device, by its protocol or push service. Raises AwsError."""
    if _entry_bytes(entry) > DEFAULT_MAX_MESSAGE_BYTES:
        raise invalid("Message too long")
    texts = _texts(entry)
    if protocol not in texts:
        _require_default(texts)
    text = texts.get(protocol, texts.get(_DEFAULT, ""))
    if not text:
        raise invalid("Empty message")
    _check_attributes(entry.get("MessageAttributes", {}))
    return text


def _build(entry: Params, topic: Topic, caller: Caller, at: float) -> Notification:
    message: str = entry["Message"]
    if not message:
        raise invalid("Empty message")
    subject = entry.get("Subject")
    if subject is not None and (not 0 < len(subject) <= MAX_SUBJECT or _CONTROL.search(subject)):
        raise invalid("Subject")
    group_id, deduplication_id = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
        if value is not None and not _TOKEN.fullmatch(value):
            text = "can only include alphanumeric and punctuation characters. 1 to 128 in length"
            raise invalid(f"{name} Reason: {name} {text}")
    if topic.fifo and deduplication_id is None:
        deduplication_id = hashlib.sha256(message.encode()).hexdigest()
    attributes: dict[str, Attribute] = entry.get("MessageAttributes") or {}
    return Notification(
        topic.arn,
        new_id(),
        at,
        _texts(entry),
        subject=subject,
        attributes={} if "MessageStructure" in entry else attributes,  # sns-message-attributes: not sent with JSON
        filterable=attributes,
        group_id=group_id,
        deduplication_id=deduplication_id,
        signature_version=topic.signature_version,
        base_url=caller.base_url,
        trace_header=caller.trace_header,
    )


def _check_batch(entries: list[Params]) -> None:
    if not entries:
        raise AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries.")
    if len(entries) > MAX_BATCH_ENTRIES:
        text = "The batch request contains more entries than permissible."
        raise AwsError("TooManyEntriesInBatchRequestException", text)
    ids = [entry["Id"] for entry in entries]
    for entry_id in ids:
        if len(entry_id) > MAX_ENTRY_ID or not _ENTRY_ID.fullmatch(entry_id):
            what = "is too long" if len(entry_id) > MAX_ENTRY_ID else "contains an impermissible character"
            text = f"The Id of a batch entry in the batch request {what}: {entry_id}"
            raise AwsError("InvalidBatchEntryIdException", text)
    if len(set(ids)) < len(ids):
        text = "Two or more batch entries in the request have the same Id."
        raise AwsError("BatchEntryIdsNotDistinctException", text)


def _check_entry(entry: Params, topic: Topic) -> None:
    """Make the checks that fail a whole batch."""
    _require_default(_texts(entry))
    _check_attributes(entry.get("MessageAttributes", {}))
    if not topic.fifo:
        if entry.get("MessageDeduplicationId") is not None:
            reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
            raise invalid(f"MessageDeduplicationId Reason: {reason}")
        return
    if not entry.get("MessageGroupId"):
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    by_content = topic.attributes.get("ContentBasedDeduplication") == "true"
    if not by_content and not entry.get("MessageDeduplicationId"):
        text = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise invalid(f"{text} explicitly")


def _entry_bytes(entry: Params) -> int:
    """Return the size that counts towards the limit: the message and its attributes."""
    return size_bytes(entry["Message"], entry.get("MessageAttributes"))


def _texts(entry: Params) -> dict[str, str]:
    """Return the texts by protocol; without MessageStructure only the default. Raises AwsError.

    A message is UTF-8 (API_Publish), which a JSON text or the input template of a rule can miss.
    """
    texts = _texts_by_protocol(entry.get("MessageStructure"), entry["Message"])
    if not all(map(is_unicode, texts.values())):
        raise invalid("Message must be UTF-8, which has no half of a surrogate pair")
    return texts


def _texts_by_protocol(structure: str | None, message: str) -> dict[str, str]:
    if structure is None:
        return {_DEFAULT: message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        document = read_json(message)
    except (ValueError, RecursionError) as exc:
        raise invalid("Message Structure - JSON message body failed to parse") from exc
    texts = document if isinstance(document, dict) else {}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _require_default(texts: Mapping[str, str]) -> None:
    if _DEFAULT not in texts:
        raise invalid("Message Structure - No default entry in JSON message body")


def _check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Validate message attributes. Only the size of the message limits their number."""
    for name, attribute in attributes.items():
        _check_name(name)
        _check_value(name, attribute)


def _check_name(name: str) -> None:
    if not name:
        raise _bad_value("Message attribute name can not be empty.")
    if len(name) > MAX_ATTRIBUTE_NAME:
        raise _bad_value(f"Length of message attribute name must be less than {MAX_ATTRIBUTE_NAME} bytes.")
    if wrong := _NAME_CHARACTER.search(name):
        text = f"Invalid non-alphanumeric character '#x{ord(wrong[0]):X}' was found in the message attribute name."
        raise _bad_value(f"{text} Can only include alphanumeric characters, hyphens, underscores, or dots.")
    if name.startswith(".") or name.endswith("."):
        where = "starting" if name.startswith(".") else "ending"
        raise _bad_value(f"Invalid message attribute name {where} with character '.' was found.")
    if ".." in name:
        raise _bad_value("Message attribute name can not have successive '.' character.")
    if name.lower().startswith(("aws.", "amazon.")) and not name.startswith(_RESERVED):
        raise _bad_value("Message attribute name can not start with AWS. or Amazon.")


def _check_value(name: str, attribute: Attribute) -> None:
    data_type: str = attribute["DataType"]
    kind = _DATA_TYPE.fullmatch(data_type)
    if kind is None:
        text = "has an invalid message attribute type, the set of supported type prefixes is"
        raise _bad_value(f"The message attribute '{name}' {text} Binary, Number, and String.")
    own, other = ("BinaryValue", "StringValue") if kind[1] == "Binary" else ("StringValue", "BinaryValue")
    if own not in attribute and other in attribute:
        text = f"must use field '{own.removesuffix('Value')}'"
        raise _bad_value(f"The message attribute '{name}' with type '{data_type}' {text}.")
    if not attribute.get(own):
        text = "must contain non-empty message attribute value for message attribute type"
        raise _bad_value(f"The message attribute '{name}' {text} '{data_type}'.")
    if kind[1] == "Number" and not is_number(attribute["StringValue"]):
        raise _bad_value(f"Could not cast message attribute '{name}' value to number.")


def _bad_value(text: str) -> AwsError:
    return AwsError("InvalidParameterValueException", text)
