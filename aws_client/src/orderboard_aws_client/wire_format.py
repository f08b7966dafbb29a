"""Request and response bodies of the operations that every order needs, as botocore writes and reads them.

botocore walks the service model for every value. The parameters of these operations have the form of the JSON protocol
already; SNS has the query protocol. Each function returns None for a value that needs botocore.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote_plus
from xml.etree import ElementTree

import orjson

Encode = Callable[[Mapping[str, Any]], bytes | None]
Decode = Callable[[bytes], dict[str, Any] | None]

# Nulls, which botocore leaves out, and binary values, which it decodes: both are rare, and may be parts of a text.
_NEEDS_BOTOCORE: Final = re.compile(rb'null|"B"|"BS"|"Binary')
_ESCAPES: Final = tuple((character, quote_plus(character)) for character in "%+ \"{}:,[]/\\&='!()?;@#$*<>|^`\n")
_ODD: Final = re.compile(r"[^A-Za-z0-9_.\-~%+]+")
_SHORT: Final = 100
_NAMESPACE: Final = "{http://sns.amazonaws.com/doc/2010-03-31/}"


def json_request(parameters: Mapping[str, Any]) -> bytes | None:
    """Encode the parameters of an operation of the JSON protocol. Blobs and times need botocore."""
    try:
        return orjson.dumps(parameters, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return None


def json_response(content: bytes) -> dict[str, Any] | None:
    """Decode a response of the JSON protocol."""
    if _NEEDS_BOTOCORE.search(content):
        return None
    parsed = orjson.loads(content) if content else {}
    return parsed if isinstance(parsed, dict) else None


def same_document(ours: bytes | None, theirs: str | bytes) -> bool:
    """Return whether our request body means the same as botocore's."""
    if ours is None or ours == (theirs.encode() if isinstance(theirs, str) else theirs):
        return ours is not None
    try:
        return bool(orjson.loads(ours) == orjson.loads(theirs))
    except orjson.JSONDecodeError:
        return False


def publish_batch_request(parameters: Mapping[str, Any]) -> bytes | None:
    """Encode the parameters of SNS's PublishBatch: entries with an Id, a Message and String attributes."""
    if tuple(parameters) != ("TopicArn", "PublishBatchRequestEntries"):
        return None
    fields = [f"Action=PublishBatch&Version=2010-03-31&TopicArn={_quoted(parameters['TopicArn'])}"]
    for number, entry in enumerate(parameters["PublishBatchRequestEntries"], 1):
        if tuple(entry) != ("Id", "Message", "MessageAttributes"):
            return None
        prefix = f"&PublishBatchRequestEntries.member.{number}."
        fields.append(f"{prefix}Id={_quoted(entry['Id'])}{prefix}Message={_quoted(entry['Message'])}")
        for place, (name, value) in enumerate(entry["MessageAttributes"].items(), 1):
            if tuple(value) != ("DataType", "StringValue"):
                return None
            of_attribute = f"{prefix}MessageAttributes.entry.{place}."
            fields.append(
                f"{of_attribute}Name={_quoted(name)}{of_attribute}Value.DataType={_quoted(value['DataType'])}"
                f"{of_attribute}Value.StringValue={_quoted(value['StringValue'])}"
            )
    return "".join(fields).encode() if len(fields) > 1 else None


def _quoted(text: str) -> str:
    """Return what urllib's quote_plus returns. Short texts are names, types and values of few kinds, in every entry."""
    return _quoted_short(text) if len(text) < _SHORT else _quoted_long(text)


def _quoted_long(text: str) -> str:
    """Quote three times as fast as urllib for JSON."""
    quoted = text
    for character, escape in _ESCAPES:
        if character in quoted:
            quoted = quoted.replace(character, escape)
    return _ODD.sub(lambda found: quote_plus(found[0]), quoted)


_quoted_short: Final = lru_cache(maxsize=512)(quote_plus)


def publish_batch_response(content: bytes) -> dict[str, Any] | None:
    """Decode a response of PublishBatch in which all entries succeeded."""
    result = ElementTree.fromstring(content).find(f"{_NAMESPACE}PublishBatchResult")  # noqa: S314 - of the endpoint
    if result is None:
        return None
    parsed: dict[str, Any] = {}
    for entries in result:
        name = entries.tag.removeprefix(_NAMESPACE)
        if name == "Failed" and len(entries):
            return None
        parsed[name] = [{each.tag.removeprefix(_NAMESPACE): each.text or "" for each in entry} for entry in entries]
    return parsed
