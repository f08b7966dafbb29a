"""The trace context and correlation id of a request, taken from its headers or created, and its span if traces are on.

An invalid header is replaced; it is never a reason to reject an order. Without traces the client's context is passed on
as it came. https://www.w3.org/TR/trace-context/#a-traceparent-is-received
"""

import logging
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from orderboard_contracts.trace_carrier import trace_id_of
from orderboard_contracts.tracing import Tracing, fail, span_ids
from starlette.types import Scope

if TYPE_CHECKING:
    from opentelemetry.trace import Span

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
_MAX_PATH_CHARACTERS: Final = 200
_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_propagator: Final = TraceContextTextMapPropagator()


@dataclass
class Trace:
    """Identifiers that follow a request through every service. order_id is set once it is known."""

    traceparent: str
    correlation_id: str
    tracestate: str | None = None
    span: "Span | None" = None
    order_id: str | None = None

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> Self:
        """Read the headers of a request, by lower-case name."""
        given: dict[str, list[str]] = {}
        correlation_id = ""
        for name, value in headers:
            if name in (b"traceparent", b"tracestate"):
                given.setdefault(name.decode(), []).append(value.decode("latin-1"))
            elif name == b"x-correlation-id":
                correlation_id = value.decode("latin-1")
        valid = _valid(given) if given else {}
        random = os.urandom(40).hex()
        return cls(
            valid.get("traceparent") or f"00-{random[:32]}-{random[32:48]}-01",
            correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else str(uuid.UUID(random[48:], version=4)),
            valid.get("tracestate"),
        )

    def serve(self, tracing: Tracing, scope: Scope) -> None:
        """Start the span of the request, and let it be what the request's commands carry.

        https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
        """
        method = _method(scope)
        attributes = {
            "http.request.method": "_OTHER" if method == "HTTP" else method,
            "url.path": scope["path"][:_MAX_PATH_CHARACTERS],
            "url.scheme": scope.get("scheme", "http"),
        }
        self.span = tracing.span(method, "SERVER", attributes, parent=self)
        carried = tracing.carried_by(self.span)
        self.traceparent, self.tracestate = carried["traceparent"] or self.traceparent, carried["tracestate"]

    def served(self, scope: Scope, status: int) -> None:
        """End the span of the request."""
        if self.span is None:
            return
        route = getattr(scope.get("route"), "path", None)
        if route is not None:
            self.span.update_name(f"{_method(scope)} {route}")
            self.span.set_attribute("http.route", route)
        if self.order_id is not None:
            self.span.set_attribute("orderboard.order_id", self.order_id)
        self.span.set_attribute("http.response.status_code", status)
        if status >= 500:
            fail(self.span, str(status))
        self.span.end()


def _method(scope: Scope) -> str:
    """Return the method as the names of spans have it: HTTP for one that a client may have invented."""
    method: str = scope["method"]
    return method if method in METHODS else "HTTP"


def _valid(given: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the context of the headers as it is passed on: without what is invalid. Two traceparents are none."""
    valid: dict[str, str] = {}
    if len(given.get("traceparent", ())) == 1:
        _propagator.inject(valid, _propagator.extract(given, Context()))
    return valid


current_trace: ContextVar[Trace] = ContextVar("current_trace")


class CorrelationFilter(logging.Filter):
    """Adds the ids of the current request to each log record: its correlation, its trace, its order if known."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Amend the record; return True to keep it."""
        trace = current_trace.get(None)
        if trace is not None and not hasattr(record, "correlation_id"):
            record.correlation_id = trace.correlation_id
            ids = {"trace_id": trace_id_of(trace)} if trace.span is None else span_ids(trace.span)
            record.__dict__.update(ids)
            if trace.order_id is not None:
                record.order_id = trace.order_id
        return True
