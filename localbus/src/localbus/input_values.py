"""Numbers, times and JSON in requests, as AWS reads them, and values as errors quote them.

Python's own readers take more: digits of every script, spaces around a number, underscores in it, NaN, infinity, weeks.
Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html (numbers and date-time as in XML and RFC 3339)
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# What is not a character of https://www.w3.org/TR/xml/#charsets. Its complement takes 8 ms to compile.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{5,18}(?:Z|[+-][0-9:]{4,5})?)?")


def whole_number(text: str) -> int:
    """Return a whole number. Raises ValueError."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]} is not a whole number")
    return int(text)


def decimal_number(text: str) -> float:
    """Return a finite number. Raises ValueError."""
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is not a number")
    return number


def timestamp(text: str) -> datetime:
    """Return a time of ISO 8601, which is UTC unless it has an offset. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:40]} is not a time such as 2026-11-29T08:00:00Z")
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError, also for NaN, Infinity and 1e400, or RecursionError."""
    return json.loads(text, parse_constant=_refuse, parse_float=decimal_number)


def is_unicode(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair, which JSON can write and UTF-8 cannot."""
    return text.isascii() or not _SURROGATE.search(text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def is_number(value: object) -> bool:
    """Return whether a value of JSON is a number that is neither huge nor a boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308


def quoted(value: object) -> str:
    """Return a value of JSON for an error, cut where it is long."""
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}..."
