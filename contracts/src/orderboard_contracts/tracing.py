"""Spans of the services, by OpenTelemetry and exported by OTLP, if the environment asks for them.

An event carries its trace itself: `traceparent` and `tracestate` are CloudEvents' distributed tracing extension. So one
trace goes through SNS, SQS, EventBridge, archives, dead-letter queues and redrives, none of which needs to know of it.
A delivery that is repeated, redriven or replayed is one more consumer span under the same producer span.

Nothing of OpenTelemetry is imported before `start` has found that traces are on.
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel

from orderboard_contracts.otlp_settings import OtlpError, requested
from orderboard_contracts.trace_carrier import Carried, Carrier

if TYPE_CHECKING:
    from asyncio import Future

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanContext

log = logging.getLogger(__name__)

Kind = Literal["SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
Attributes = Mapping[str, Any]
Event = TypeVar("Event", bound=BaseModel)

_MAX_TEXT_CHARACTERS: Final = 300
STOP_WITHIN_S: Final = 3.0
FLUSH_WITHIN_S: Final = 0.5
_FLUSH_PAUSE_S: Final = 60.0
_INSTALL: Final = "install orderboard-contracts[otlp], or set OTEL_TRACES_EXPORTER=none"


def start(
    service: str, resource: Mapping[str, str] = MappingProxyType({}), environ: Mapping[str, str] = os.environ
) -> "Tracing | None":
    """Return what makes spans, or None if the environment does not ask for them. resource: more attributes of it.

    Raises OtlpError for a variable whose value is not supported.
    """
    if not requested(environ, "traces"):
        return None
    try:
        from orderboard_contracts.otlp import otlp_provider  # noqa: PLC0415 - OpenTelemetry takes time to import
    except ImportError as exc:
        raise OtlpError(f"traces are on, and OpenTelemetry is not installed here: {exc}; {_INSTALL}") from exc
    return Tracing(otlp_provider({"service.name": environ.get("OTEL_SERVICE_NAME") or service, **resource}))


def start_in_function(service: str, resource: Mapping[str, str] = MappingProxyType({})) -> "Tracing | None":
    """Start in a Lambda function: what is wrong with the variables is logged, as its messages matter more."""
    try:
        return start(service, resource)
    except OtlpError as exc:
        log.warning("traces.off", extra={"reason": str(exc)})
        return None


class Tracing:
    """Makes the spans of one service. None of them has more than a dozen attributes, far from any limit."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import context, trace  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._provider = provider
        self._tracer = provider.get_tracer("orderboard")
        self._trace, self._new_context = trace, context.Context
        self._propagator = TraceContextTextMapPropagator()
        self._flush_again_at_s = 0.0

    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: Carrier | None = None,
        links: Sequence[Carrier] = (),
        start_ns: int | None = None,
    ) -> "Span":
        """Start a span under what its parent carries; without a parent, under the current span, if there is one."""
        return self._tracer.start_span(
            name,
            None if parent is None else self._context(parent),
            self._trace.SpanKind[kind],
            attributes,
            [self._trace.Link(each) for each in map(self._carried, links) if each.is_valid],
            start_ns,
        )

    def received(self, queue: str, bodies: Sequence[str], start_ns: int) -> None:
        """Record a receive that returned messages: a trace by itself, linked to those of its messages."""
        attributes = {**_messaging("aws_sqs", "receive", queue), "messaging.batch.message_count": len(bodies)}
        links = [Carried.by(body) for body in bodies]
        self.span(f"receive {queue}", "CLIENT", attributes, parent=Carried(), links=links, start_ns=start_ns).end()

    def process(self, queue: str, message_id: str, receive_count: int, body: str) -> "Processing":
        """Start the span of a message's handling, under the one that created the message."""
        carried = Carried.by(body)
        attributes = _messaging("aws_sqs", "process", queue)
        attributes |= {"orderboard.receive_count": receive_count, "messaging.message.id": message_id}
        attributes |= {"orderboard.order_id": carried.order_id} if carried.order_id else {}
        span = self.span(f"process {queue}", "CONSUMER", attributes, parent=carried)
        return Processing(self, span, **self.carried_by(span))

    @contextmanager
    def creation(self, event: Event, order_id: str, event_type: str) -> Iterator[Event]:
        """Make the span of an event's creation, under the one that the event carries; yield a copy that carries it.

        It ends when the event has been sent. https://opentelemetry.io/docs/specs/semconv/cloudevents/cloudevents-spans/
        """
        attributes = {
            "messaging.operation.name": "create",
            "messaging.operation.type": "create",
            "cloudevents.event_id": getattr(event, "id", ""),
            "cloudevents.event_type": event_type,
            "orderboard.order_id": order_id,
        }
        span = self.span(f"create {event_type}", "PRODUCER", attributes, parent=cast(Carrier, event))
        with self.current(span):
            yield event.model_copy(update=self.carried_by(span))

    def sending(self, system: str, destination: str) -> "Span":
        """Start the span of a created event's way to a topic or bus, under the current span."""
        return self.span(f"send {destination}", "CLIENT", _messaging(system, "send", destination))

    def dynamodb(self, operation: str, table: str, parent: Carrier | None = None) -> "Span":
        """Start the span of a call to a table; it covers the wait for others that share the call."""
        attributes = {
            "db.system.name": "aws.dynamodb",
            "db.operation.name": operation,
            "db.collection.name": table,
            "aws.dynamodb.table_names": [table],
        }
        return self.span(f"{operation} {table}", "CLIENT", attributes, parent=parent)

    @contextmanager
    def current(self, span: "Span") -> Iterator[None]:
        """Make a span the current one of the block, and end it with the block."""
        try:
            with self.under(span):
                yield
        except BaseException as exc:
            fail(span, exc)
            raise
        finally:
            span.end()

    def under(self, span: "Span") -> AbstractContextManager[object]:
        """Make a span the current one of the block, which does not end it."""
        return self._trace.use_span(span, record_exception=False, set_status_on_exception=False)

    def carried_by(self, span: "Span") -> dict[str, str | None]:
        """Return the traceparent and the tracestate that make a carrier of this span."""
        fields: dict[str, str] = {}
        self._propagator.inject(fields, self._trace.set_span_in_context(span, self._new_context()))
        return {"traceparent": fields.get("traceparent"), "tracestate": fields.get("tracestate")}

    def link(self, span: "Span", carrier: Carrier) -> None:
        """Link a span to another trace; the span's own trace needs no link."""
        other = self._carried(carrier)
        if other.is_valid and other.trace_id != span.get_span_context().trace_id:
            span.add_link(other)

    def flush(self, within_s: float = FLUSH_WITHIN_S) -> None:
        """Export the spans that have ended, as Lambda may freeze the process after the invocation.

        A collector that does not answer in time is left alone for a minute: it must not slow every invocation down.
        """
        if time.monotonic() < self._flush_again_at_s:
            return
        if not _finishes(self._provider.force_flush, within_s):
            self._flush_again_at_s = time.monotonic() + _FLUSH_PAUSE_S
            log.warning("traces.not_flushed", extra={"waited_s": within_s, "pause_s": _FLUSH_PAUSE_S})

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Export the spans that have ended, and give up those that are left after this time."""
        if not _finishes(self._provider.shutdown, within_s):
            log.warning("traces.given_up", extra={"reason": f"the collector did not take them within {within_s:g} s"})

    def _context(self, carrier: Carrier) -> "Context":
        headers = {"traceparent": carrier.traceparent or "", "tracestate": carrier.tracestate or ""}
        return self._propagator.extract(headers, self._new_context())

    def _carried(self, carrier: Carrier) -> "SpanContext":
        return self._trace.get_current_span(self._context(carrier)).get_span_context()


@dataclass(frozen=True)
class Processing:
    """The span of one delivery of a message. What the delivery causes is its child."""

    tracing: Tracing
    span: "Span"
    traceparent: str | None
    tracestate: str | None

    def current(self) -> AbstractContextManager[object]:
        """Make it the current span of the block."""
        return self.tracing.under(self.span)

    def adopt(self, caused: Event) -> Event:
        """Return a copy of the event that carries this span as its trace."""
        return caused.model_copy(update={"traceparent": self.traceparent, "tracestate": self.tracestate})

    def link(self, carrier: Carrier) -> None:
        """Link to another trace of the same order."""
        self.tracing.link(self.span, carrier)

    def end(self, outcome: str, error_type: str = "", reason: str = "") -> None:
        """End the span with the outcome of the delivery."""
        self.span.set_attribute("orderboard.outcome", outcome)
        if error_type:
            fail(self.span, error_type, reason)
        self.span.end()


def _messaging(system: str, operation: Literal["send", "receive", "process"], destination: str) -> dict[str, str | int]:
    return {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
    }


def fail(span: "Span", error: BaseException | str, reason: str = "") -> None:
    """Record the failure of a span's operation: an exception, or the type and the reason of an error."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    error_type = error if isinstance(error, str) else type(error).__qualname__
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR, (reason or str(error))[:_MAX_TEXT_CHARACTERS])


def end_with(span: "Span", result: "Future[Any]", attribute: str = "") -> None:
    """End the span when the result is there; attribute: where the span says the result."""

    def done(result: "Future[Any]") -> None:
        if result.cancelled():
            fail(span, "cancelled")
        elif (failure := result.exception()) is not None:
            fail(span, failure)
        elif attribute:
            span.set_attribute(attribute, result.result())
        span.end()

    result.add_done_callback(done)


def span_ids(span: "Span") -> dict[str, str]:
    """Return the ids by which a log line is found from its span."""
    context = span.get_span_context()
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _finishes(call: Callable[[], object], within_s: float) -> bool:
    """Call on a thread that does not keep the process from ending, and return whether it was done in time."""
    thread = threading.Thread(target=call, name="traces", daemon=True)
    thread.start()
    thread.join(within_s)
    return not thread.is_alive()
