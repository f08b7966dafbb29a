"""Message content: the body and the message attributes, checked and measured.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from localbus.errors import AwsError
from localbus.input_values import NOT_IN_XML
from localbus.sqs.errors import invalid, missing
from localbus.sqs.message import Attribute, attributes_bytes, md5

MAX_ATTRIBUTES = 10
MAX_DIGITS = 38
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)(?!(?i:aws|amazon)\.)[\w.-]{1,256}(?<!\.)")
_NUMBER = re.compile(r"[+-]?(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]{1,9}))?")
_DATA_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?", re.DOTALL)


class Content:
    """A body with message attributes, for any number of queues. Raises AwsError if invalid."""

    __slots__ = ("attributes", "body", "body_md5", "size_bytes")

    def __init__(self, body: str, attributes: Mapping[str, Attribute] | None = None) -> None:
        check_text(body)
        if attributes:
            _check_attributes(attributes)
        encoded = body.encode()
        self.body = body
        self.attributes = attributes or None
        self.body_md5 = md5(encoded)
        self.size_bytes = len(encoded) + attributes_bytes(attributes)


def check_text(text: str) -> None:
    """Raise AwsError for an empty text, and for characters that are invalid in XML."""
    if not text:
        raise missing("MessageBody")
    if not text.replace("\n", "").isprintable() and NOT_IN_XML.search(text):  # most texts need no search
        allowed = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        raise AwsError("InvalidMessageContents", f"Invalid characters found. Valid unicode characters are {allowed}")


def _check_attributes(attributes: Mapping[str, Attribute]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        text = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        raise invalid(text)
    for name, attribute in attributes.items():
        if not (_ATTRIBUTE_NAME.fullmatch(name) and (name.isascii() or _is_of_letters(name))):
            raise invalid(
                f"Message (user) attribute name '{name}' is invalid. It can contain alphanumeric characters, the "
                "underscore, hyphen, and period, at most 256, and must not start with AWS. or Amazon. or have a period "
                "at an end or next to another."
            )
        _check_value(name, attribute)


def _is_of_letters(name: str) -> bool:
    """Return whether a name has only letters and decimal digits, of any alphabet, beside the three signs.

    The documentation has A-Z, a-z and 0-9 only, but AWS accepts other letters (recorded). `\\w` also has ² and ½.
    """
    return all(character.isalpha() or character.isdecimal() or character in "_-." for character in name)


def _check_value(name: str, attribute: Attribute) -> None:
    if len(attribute) > 2 and (attribute.get("StringListValues") or attribute.get("BinaryListValues")):
        text = "Message attribute list values in SendMessage operation are not supported."
        raise AwsError("UnsupportedOperation", text)
    data_type: str = attribute["DataType"]
    kind = _DATA_TYPE.fullmatch(data_type)
    if kind is None or len(data_type) > 256 or NOT_IN_XML.search(data_type):
        raise invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    value = attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue")
    if value is None:
        text = f"must contain non-empty message attribute value for message attribute type '{kind[1]}'."
        raise invalid(f"The message attribute '{name}' {text}")
    if not value:
        raise invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind[1]}'.")
    if isinstance(value, str) and NOT_IN_XML.search(value):
        raise invalid(f"Message (user) attribute '{name}' has characters that are not allowed.")
    if kind[1] == "Number" and not is_number(value):
        raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def is_number(text: str) -> bool:
    """Return whether a Number attribute has this value: a decimal of up to 38 digits, 0 or from 10^-128 to 10^126.

    SNS has the same rule. Python's `float` takes more: underscores, spaces, other scripts' digits, NaN and infinity.
    """
    if len(text) <= MAX_DIGITS and text.isascii() and text.replace(".", "", 1).isdigit():  # most numbers
        return True
    found = _NUMBER.fullmatch(text)
    if found is None:
        return False
    whole, fraction, exponent = found.groups()
    digits = (whole + fraction).lstrip("0")
    magnitude = len(digits) - len(fraction) + int(exponent or 0)  # 10 ** magnitude is above the number
    digits = digits.rstrip("0")
    return not digits or (len(digits) <= MAX_DIGITS and (-127 <= magnitude <= 126 or (digits, magnitude) == ("1", 127)))
