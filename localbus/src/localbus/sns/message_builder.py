"""From the input of Publish to a notification, with every check that AWS makes on the way.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
and https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.errors import bad_value, invalid
from localbus.sns.notification import Notification
from localbus.sns.topic import Topic
from localbus.sqs.message import Attribute, size_bytes

MAX_SUBJECT = 100
MAX_ATTRIBUTE_NAME = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_NAME_CHARACTER = re.compile(r"[^A-Za-z0-9_.-]")
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html and sms_publish-to-phone.html
_RESERVED = ("AWS.SNS.MOBILE.", "AWS.SNS.SMS.", "AWS.MM.SMS.")
_DEFAULT = "default"
_NO_DEFAULT = "Message Structure - No default entry in JSON message body"
_DATA_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?", re.DOTALL)


def build(entry: Params, topic: Topic, caller: Caller, at: float) -> Notification:
    """The notification of this entry, which has passed `check`; refuses what concerns this entry alone."""
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
    return Notification(
        topic.arn,
        new_id(),
        at,
        by_protocol(entry),
        subject=subject,
        attributes=entry.get("MessageAttributes"),
        group_id=group_id,
        deduplication_id=deduplication_id,
        signature_version=topic.signature_version,
        base_url=caller.base_url,
        trace_header=caller.trace_header,
    )


def check(entry: Params, topic: Topic) -> None:
    """Refuse what makes AWS refuse a whole batch, too."""
    by_protocol(entry)
    check_attributes(entry.get("MessageAttributes", {}))
    if not topic.fifo:
        if entry.get("MessageDeduplicationId") is not None:
            reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
            raise invalid(f"MessageDeduplicationId Reason: {reason}")
        return
    if not entry.get("MessageGroupId"):
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if not entry.get("MessageDeduplicationId") and not topic.content_based_deduplication:
        text = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise invalid(f"{text} explicitly")


def entry_bytes(entry: Params) -> int:
    """What counts towards the size limit: the message and its attributes."""
    return size_bytes(entry["Message"], entry.get("MessageAttributes"))


def by_protocol(entry: Params) -> dict[str, str]:
    """The texts by protocol; without MessageStructure there is only the default."""
    texts = _texts(entry)
    if _DEFAULT not in texts:
        raise invalid(_NO_DEFAULT)
    return texts


def text_for(protocol: str, entry: Params) -> str:
    """The text for one protocol or push service, which is all that is needed when it goes to nobody else."""
    texts = _texts(entry)
    text = texts.get(protocol, texts.get(_DEFAULT))
    if text is None:
        raise invalid(_NO_DEFAULT)
    if not text:
        raise invalid("Empty message")
    return text


def _texts(entry: Params) -> dict[str, str]:
    structure, message = entry.get("MessageStructure"), entry["Message"]
    if structure is None:
        return {_DEFAULT: message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        document = json.loads(message)
    except (ValueError, RecursionError) as exc:
        raise invalid("Message Structure - JSON message body failed to parse") from exc
    texts = document if isinstance(document, dict) else {}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Refuse message attributes that are not of AWS's form. Their number has no limit but the message's size."""
    for name, attribute in attributes.items():
        _check_name(name)
        _check_value(name, attribute)


def _check_name(name: str) -> None:
    if not name:
        raise bad_value("Message attribute name can not be empty.")
    if len(name) > MAX_ATTRIBUTE_NAME:
        raise bad_value(f"Length of message attribute name must be less than {MAX_ATTRIBUTE_NAME} bytes.")
    wrong = _NAME_CHARACTER.search(name)
    if wrong:
        text = f"Invalid non-alphanumeric character '#x{ord(wrong[0]):X}' was found in the message attribute name."
        raise bad_value(f"{text} Can only include alphanumeric characters, hyphens, underscores, or dots.")
    for where, there in (("starting", name.startswith(".")), ("ending", name.endswith("."))):
        if there:
            raise bad_value(f"Invalid message attribute name {where} with character '.' was found.")
    if ".." in name:
        raise bad_value("Message attribute name can not have successive '.' character.")
    if name.lower().startswith(("aws.", "amazon.")) and not name.startswith(_RESERVED):
        raise bad_value("Message attribute name can not start with AWS. or Amazon.")


def _check_value(name: str, attribute: Attribute) -> None:
    kind = _DATA_TYPE.fullmatch(attribute["DataType"])
    if kind is None:
        raise bad_value(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    own, other = ("BinaryValue", "StringValue") if kind[1] == "Binary" else ("StringValue", "BinaryValue")
    if own not in attribute and other in attribute:
        which = own.removesuffix("Value")
        raise bad_value(f"The message attribute '{name}' with type '{attribute['DataType']}' must use field '{which}'.")
    if not attribute.get(own):
        text = "must contain non-empty message attribute value for message attribute type"
        raise bad_value(f"The message attribute '{name}' {text} '{attribute['DataType']}'.")
    if kind[1] == "Number":
        _check_number(name, attribute["StringValue"])


def _check_number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError as exc:
        raise bad_value(f"Could not cast message attribute '{name}' value to number.") from exc
