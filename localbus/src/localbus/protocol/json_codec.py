"""Fast JSON: by orjson, with the standard library for values that orjson does not support.

Not for reading user data such as the details of events: orjson rounds integers of more than 64 bits, which must stay
exact there. When writing, such integers and lone surrogates fall back to the standard library.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import orjson

from localbus.input_values import read_json


def read_request(text: bytes) -> Any:
    """Return the value of a request's body. Raises ValueError or RecursionError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # also for integers of any length and lone surrogates, which are JSON
        return read_json(text.decode("utf-8-sig"))


def write(value: object) -> str:
    """Return compact JSON of a value without infinite numbers. Raises RecursionError."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return _write(value)


def write_answer(value: object) -> bytes:
    """Return compact JSON for the wire: a blob is base64, a time is seconds since 1970."""
    try:
        return orjson.dumps(value, _plain, orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return _write_answer(value).encode()


def _plain(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.timestamp()
    raise TypeError(f"{value!r} cannot be written as JSON")


_write = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_write_answer = json.JSONEncoder(default=_plain, check_circular=False, separators=(",", ":")).encode
