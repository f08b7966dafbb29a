"""Documents: stored values as JSON, with bytes, and a checksum."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import orjson

Document = Any  # what JSON has, and bytes

_BYTES = "$bytes"
_MARK = b'$bytes"'
_NOT_ORJSON = b" "  # before what orjson cannot read, or reads as a float of another value
_LIKE_BYTES = re.compile(r"\$+bytes")  # names that get one more $, so that none is taken for _BYTES


def encode(document: Document) -> bytes:
    """Return a document as JSON. Half of a surrogate pair and integers of any size have a place in it."""
    data = _dumped(document)
    return _dumped(_marked(document)) if _MARK in data else data


def decode(data: bytes) -> Document:
    """Return the document of this JSON."""
    if _MARK in data:
        return json.loads(data, object_hook=_unmarked)
    return json.loads(data) if data.startswith(_NOT_ORJSON) else orjson.loads(data)


def checksum(data: bytes) -> int:
    """Return the checksum by which damage is found."""
    return zlib.crc32(data)


def _dumped(document: Document) -> bytes:
    try:
        return orjson.dumps(document, default=_marked)
    except TypeError:
        return _NOT_ORJSON + json.dumps(document, default=_marked).encode()


def _marked(value: Document) -> Document:
    match value:
        case bytes():
            return {_BYTES: base64.b64encode(value).decode()}
        case dict():
            return {f"${name}" if _LIKE_BYTES.fullmatch(name) else name: _marked(item) for name, item in value.items()}
        case list() | tuple():
            return [_marked(item) for item in value]
        case str() | int() | float() | None:
            return value
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _unmarked(value: dict[str, Any]) -> Any:
    if value.keys() == {_BYTES}:
        return base64.b64decode(value[_BYTES])
    return {name[1:] if _LIKE_BYTES.fullmatch(name) else name: item for name, item in value.items()}
