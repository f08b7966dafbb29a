"""The trace that an event, a row or a message carries: CloudEvents' distributed tracing extension.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
"""

import json
from typing import Final, NamedTuple, Protocol, Self

_MAX_ID_CHARACTERS: Final = 128  # as many as order-api accepts of a correlation id


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
        traceparent, tracestate, *ids = (value if isinstance(value, str) else None for value in values)
        return cls(traceparent, tracestate, *map(_fit_for_logs, ids))

    def log_fields(self) -> dict[str, str]:
        """Return the ids that each log line about the message has."""
        ids = {"order_id": self.order_id, "correlation_id": self.correlation_id, "trace_id": trace_id_of(self)}
        return {name: value for name, value in ids.items() if value}


def _fit_for_logs(text: str | None) -> str | None:
    """Return an id unless it is none: a wrong message may have anything there, a megabyte long."""
    return text if text is not None and len(text) <= _MAX_ID_CHARACTERS and text.isprintable() else None


def trace_id_of(carrier: Carrier) -> str | None:
    """Return the id of the trace that is carried."""
    return carrier.traceparent[3:35] if carrier.traceparent else None
