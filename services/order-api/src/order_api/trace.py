"""The trace context and correlation id of a request, taken from its headers or created.

An invalid header is replaced; it is never a reason to reject an order.
https://www.w3.org/TR/trace-context/#a-traceparent-is-received
"""

import logging
import os
import re
import uuid
from collections.abc import Iterable
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
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> Self:
        """Read the headers of a request, by lower-case name."""
        traceparent = correlation_id = ""
        for name, value in headers:
            if name == b"traceparent":
                traceparent = _valid(value.decode("latin-1"))
            elif name == b"x-correlation-id":
                correlation_id = value.decode("latin-1")
        random = os.urandom(40).hex()
        return cls(
            traceparent or f"00-{random[:32]}-{random[32:48]}-01",
            correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else str(uuid.UUID(random[48:], version=4)),
        )


def _valid(traceparent: str) -> str:
    valid: dict[str, str] = {}
    _propagator.inject(valid, _propagator.extract({"traceparent": traceparent}, Context()))
    return valid.get("traceparent", "")


current_trace: ContextVar[Trace] = ContextVar("current_trace")


class CorrelationFilter(logging.Filter):
    """Adds the correlation id of the current request to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Amend the record; return True to keep it."""
        trace = current_trace.get(None)
        if trace is not None and not hasattr(record, "correlation_id"):
            record.correlation_id = trace.correlation_id
        return True
