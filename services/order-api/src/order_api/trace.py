"""The trace context and correlation id of a request, taken from its headers or created.

An invalid header is replaced; it is never a reason to reject an order.
https://www.w3.org/TR/trace-context/#a-traceparent-is-received
"""

import logging
import re
import secrets
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_propagator: Final = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Trace:
    """Identifiers that follow a request through every service."""

    traceparent: str
    correlation_id: str

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes]) -> Self:
        """Read the headers of a request, by lower-case name."""
        received = {"traceparent": headers.get(b"traceparent", b"").decode("latin-1")}
        valid: dict[str, str] = {}
        _propagator.inject(valid, _propagator.extract(received, Context()))
        correlation_id = headers.get(b"x-correlation-id", b"").decode("latin-1")
        return cls(
            valid.get("traceparent") or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else str(uuid.uuid4()),
        )


current_trace: ContextVar[Trace] = ContextVar("current_trace")


class CorrelationFilter(logging.Filter):
    """Adds the correlation id of the current request to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Amend the record; return True to keep it."""
        trace = current_trace.get(None)
        if trace is not None and not hasattr(record, "correlation_id"):
            record.correlation_id = trace.correlation_id
        return True
