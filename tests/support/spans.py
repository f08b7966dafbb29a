"""Spans of services in a test, kept in memory, and a collector that takes them by OTLP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from orderboard_contracts.tracing import Tracing


class Spans:
    """The spans that services make with `tracing`, as soon as they have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider)

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """All spans, in the order of their ends."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans with this name, in the order of their starts."""
        return sorted((span for span in self.all if span.name == name), key=lambda span: span.start_time or 0)

    def tree(self, trace_id: str) -> list[str]:
        """The spans of a trace, each with its kind, below its parent: two spaces a level, brothers by their names."""
        spans = [span for span in self.all if ids(span)[0] == trace_id]
        known = {ids(span)[1] for span in spans}
        lines: list[str] = []

        def add(span: ReadableSpan, depth: int) -> None:
            lines.append(f"{'  ' * depth}{span.kind.name} {span.name}")
            children = [each for each in spans if parent_id(each) == ids(span)[1]]
            for child in sorted(children, key=lambda each: (each.name, each.start_time)):
                add(child, depth + 1)

        for root in (span for span in spans if parent_id(span) not in known):
            add(root, 0)
        return lines


def ids(span: ReadableSpan) -> tuple[str, str]:
    """The trace id and the span id."""
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def parent_id(span: ReadableSpan) -> str | None:
    """The id of the parent."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"


class Exported(NamedTuple):
    """A span that arrived at a collector."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str


@dataclass
class Collector:
    """An OTLP/HTTP endpoint. `requests` has the path, the headers and the body of each request."""

    url: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    status: int = 200

    def spans(self) -> list[Exported]:
        """All spans that have arrived."""
        return [
            Exported(
                {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"],
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
            )
            for path, _, body in self.requests
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Run a collector for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            collector.requests.append((self.path, headers, body))
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            collector.arrived.set()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
