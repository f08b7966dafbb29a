"""OpenTelemetry's SDK for traces, set up for OTLP by HTTP. Only `tracing.start` imports it, if traces are on.

A thread exports in the background. A collector that is slow or down costs spans, never an order: what does not fit
into the queue is dropped (OTEL_BSP_MAX_QUEUE_SIZE).
"""

import logging
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

log = logging.getLogger(__name__)


class ReportedExporter(SpanExporter):
    """An exporter that logs when exports begin to fail, and when they succeed again; not each one."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.info("traces.exported_again", extra={"lost_spans": self._lost})
            self._lost = 0
            return result
        if not self._lost:
            log.warning("traces.not_exported", extra={"reason": "the collector does not take them: spans are dropped"})
        self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        """End what is under way."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Pass the call on: nothing is kept here."""
        return self._exporter.force_flush(timeout_millis)


def otlp_provider(resource: Mapping[str, str]) -> TracerProvider:
    """Return a provider whose endpoint, headers, sampler, limits and queue are those of the environment."""
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # it logs every attempt
    provider = TracerProvider(resource=Resource.create(dict(resource)), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ReportedExporter(OTLPSpanExporter())))
    return provider
