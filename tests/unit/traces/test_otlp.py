"""The export of spans by OTLP: which variables turn it on, what arrives, and a collector that does not answer.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from orderboard_aws_client.startup import start_tracing
from orderboard_contracts.otlp_settings import OtlpError, endpoint_of, requested
from orderboard_contracts.tracing import Tracing, start, start_in_function
from support.spans import running_collector

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
URL = "http://127.0.0.1:4318"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Variables come from the test; the level of OpenTelemetry's loggers is given back."""
    for name in (ENDPOINT, "OTEL_TRACES_EXPORTER", "OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER"):
        monkeypatch.delenv(name, raising=False)
    yield
    logging.getLogger("opentelemetry.exporter").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "mine"}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: URL}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{URL}/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({ENDPOINT: URL, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINT: URL, "OTEL_SDK_DISABLED": "true"}, False),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_TRACES_SAMPLER": "always_off"}, True),
    ],
)
def test_traces_are_off_unless_a_variable_asks_for_them(environ: dict[str, str], on: bool) -> None:
    """An endpoint or an exporter turns them on; none and OTEL_SDK_DISABLED turn them off."""
    assert requested(environ, "traces") is on


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin'; set it to otlp, or to none"),
        ({ENDPOINT: "127.0.0.1:4318"}, f"{ENDPOINT} is '127.0.0.1:4318'; give the URL of a collector"),
        ({ENDPOINT: "http://host:99999"}, "give the URL of a collector"),
        (
            {ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "only http/protobuf is supported, usually on port 4318",
        ),
        ({ENDPOINT: URL, "OTEL_TRACES_SAMPLER": "half"}, "choose from always_on, always_off"),
        ({ENDPOINT: URL, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "10%"}, "from 0 to 1"),
    ],
)
def test_a_value_that_is_not_supported_is_an_error_with_the_fix(
    environ: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service does not start, exit code 2; a function works on without traces."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(OtlpError) as caught:
        requested(environ, "traces")
    with pytest.raises(SystemExit) as ended:
        start_tracing("worker")

    assert message in str(caught.value)
    assert ended.value.code == 2
    assert f"worker cannot start: {caught.value}" in capsys.readouterr().err
    assert start_in_function("notifier") is None


def test_the_endpoint_of_a_function_is_that_of_the_shell() -> None:
    """The signal's own variable decides, without its path; the default is the standard port."""
    assert endpoint_of({ENDPOINT: URL}, "traces") == URL
    assert (
        endpoint_of({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/v1/traces"}, "traces")
        == "http://t:1"
    )
    assert endpoint_of({}, "traces") == "http://localhost:4318"


def test_nothing_of_the_sdk_is_imported_while_traces_are_off() -> None:
    """The three services start without OpenTelemetry's SDK, its exporter or protobuf."""
    code = (
        "import sys, order_api.__main__, worker.__main__, worker.handler, notifier.handler\n"
        "from orderboard_contracts import tracing\n"
        "assert tracing.start('worker', environ={}) is None\n"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'google')\n"
        "sys.exit(str([name for name in sys.modules if name.startswith(heavy)]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == "[]"


def _span(tracing: Tracing) -> None:
    tracing.span("process", "CONSUMER", {"messaging.system": "aws_sqs"}).end()


def test_spans_arrive_at_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTLP in protobuf by HTTP, with the headers of the variables; stop sends what is left."""
    with running_collector() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
        tracing = start("worker", {"service.instance.id": "worker-1"})
        assert tracing is not None
        _span(tracing)
        tracing.flush(10)
        _span(tracing)
        tracing.stop(10)

    assert len(collector.requests) == 2
    path, headers, body = collector.requests[0]
    assert (path, headers["content-type"], headers["api-key"]) == ("/v1/traces", "application/x-protobuf", "secret")
    (resource_spans,) = ExportTraceServiceRequest.FromString(body).resource_spans
    resource = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
    assert (resource["service.name"], resource["service.instance.id"]) == ("worker", "worker-1")
    (span,) = resource_spans.scope_spans[0].spans
    assert (span.name, span.kind) == ("process", span.SPAN_KIND_CONSUMER)


def test_a_collector_that_rejects_is_logged_once_and_again_when_it_takes_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two failed exports are one warning; the next success says how many spans were lost."""
    caplog.set_level(logging.INFO)
    with running_collector() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        tracing = start("worker")
        assert tracing is not None
        for collector.status in (400, 400, 200):
            _span(tracing)
            tracing.flush(10)
        tracing.stop(10)

    assert caplog.messages == ["traces.not_exported", "traces.exported_again"]
    assert caplog.records[1].__dict__["lost_spans"] == 2


def test_a_collector_that_never_answers_bounds_every_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A function waits for it once a minute at most, and a service that ends gives up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        tracing = start("worker")
        assert tracing is not None
        before = threading.active_count()
        _span(tracing)
        for _ in range(3):
            tracing.flush(0.05)
        assert threading.active_count() == before + 1  # only one of them waits
        tracing.stop(0.05)

    assert caplog.messages == ["traces.not_flushed", "traces.given_up"]


def test_the_sampler_is_that_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_TRACES_SAMPLER=always_off: nothing is recorded, and what is passed on says so."""
    monkeypatch.setenv(ENDPOINT, URL)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    tracing = start("worker")
    assert tracing is not None

    span = tracing.span("process", "CONSUMER", {})
    tracing.stop(10)

    assert not span.is_recording()
    assert (tracing.carried_by(span)["traceparent"] or "")[-2:] in ("00", "02")
