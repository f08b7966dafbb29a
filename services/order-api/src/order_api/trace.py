"""Which request this is: W3C trace context and correlation id, taken from its headers or made anew.

A header that is not usable is replaced, never a reason to refuse an order.
https://www.w3.org/TR/trace-context/#a-traceparent-is-received
"""

import re
import secrets
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True)
class Trace:
    """What follows this request through every service."""

    traceparent: str
    correlation_id: str


current_trace: ContextVar[Trace] = ContextVar("current_trace")


def trace_from(traceparent: str, correlation_id: str) -> Trace:
    """Take over what is valid of the two header values ("" for none), and make the rest."""
    if _TRACEPARENT.fullmatch(traceparent) is None:
        traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    if _CORRELATION_ID.fullmatch(correlation_id) is None:
        correlation_id = str(uuid.uuid4())
    return Trace(traceparent, correlation_id)
