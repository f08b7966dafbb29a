"""Documents: stored values as JSON, with bytes, and a checksum."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import orjson

Document = Any  # what JSON has, and bytes

_BYTES = "$bytes"
_MARK = f'"{_BYTES}"'.encode()


def encode(document: Document) -> bytes:
    """Return a document as JSON."""
    return orjson.dumps(document, default=_encode_bytes)


def decode(data: bytes) -> Document:
    """Return the document of this JSON."""
    return json.loads(data, object_hook=_decode_bytes) if _MARK in data else orjson.loads(data)


def checksum(data: bytes) -> int:
    """Return the checksum by which damage is found."""
    return zlib.crc32(data)


def _encode_bytes(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _decode_bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
