"""The trace that an event, a row or a message carries: CloudEvents' distributed tracing extension.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
"""

import json
from typing import NamedTuple, Protocol, Self


class Carrier(Protocol):
    """Anything that carries a trace: an event, an alert, a row, a request's trace."""

    @property
    def traceparent(self) -> str | None:
        """W3C traceparent."""

    @property
    def tracestate(self) -> str | None:
        """W3C tracestate."""


class Carried(NamedTuple):
    """The trace and the order that a message names, whether or not it is a valid event."""

    traceparent: str | None = None
    tracestate: str | None = None
    order_id: str | None = None
    correlation_id: str | None = None

    @classmethod
    def by(cls, document: object) -> Self:
        """Read the CloudEvents document of a message, or the EventBridge event that has it as its detail."""
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except (ValueError, RecursionError):
                return cls()
        found = document.get("detail", document) if isinstance(document, dict) else None
        if not isinstance(found, dict):
            return cls()
        values = [found.get(name) for name in ("traceparent", "tracestate", "subject", "correlationid")]
        return cls(*(value if isinstance(value, str) else None for value in values))

    def log_fields(self) -> dict[str, str]:
        """Return the ids that each log line about the message has."""
        ids = {"order_id": self.order_id, "correlation_id": self.correlation_id, "trace_id": trace_id_of(self)}
        return {name: value for name, value in ids.items() if value}


def trace_id_of(carrier: Carrier) -> str | None:
    """Return the id of the trace that is carried."""
    return carrier.traceparent[3:35] if carrier.traceparent else None
