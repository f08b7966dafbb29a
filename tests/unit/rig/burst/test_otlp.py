"""The metrics of a burst pushed by OTLP: names and values, the last push at the end, a collector that is down."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from orderboard.burst.export.otlp import pushed
from orderboard.burst.live.feed import Feed
from orderboard.errors import UsageError
from orderboard.system.telemetry import asked_for
from support.spans import Collector, running_collector
from unit.rig.burst.test_live import Burst


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector to which the variables lead. A push is due at the end of the burst only."""
    with running_collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield running


def metrics_in(body: bytes) -> dict[str, Any]:
    """The metrics of a request, by their names."""
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    assert resource.resource.attributes
    return {metric.name: metric for metric in resource.scope_metrics[0].metrics}


def test_the_metrics_have_the_names_and_values_that_prometheus_scrapes(collector: Collector) -> None:
    """Counters are cumulative and monotonic, a histogram's buckets are those between its bounds."""
    burst = Burst()
    burst.answer(0, 0.03)
    burst.answer(1, 0.2)
    burst.answer(2, 0.9, "refused")

    with pushed(burst.feed, pytest.fail):
        burst.at(3.0)

    ((path, headers, body),) = collector.requests
    assert (path, headers["content-type"]) == ("/v1/metrics", "application/x-protobuf")
    found = metrics_in(body)
    assert burst.feed.metrics is not None
    prometheus = {family.name + ("_info" if family.type == "info" else "") for family in burst.feed.metrics.families()}
    assert set(found) == prometheus
    sent = found["orderboard_burst_sent"].sum
    assert (sent.is_monotonic, sent.data_points[0].as_double) == (True, 3)
    answers = {
        each.attributes[0].value.string_value: each.as_double
        for each in found["orderboard_burst_answers"].sum.data_points
    }
    assert answers == {"acknowledged": 2, "refused": 1, "unavailable": 0}
    assert found["orderboard_burst_backlog_messages"].gauge.data_points[0].as_double == 6
    (accept,) = found["orderboard_burst_accept_latency_seconds"].histogram.data_points
    assert (accept.count, sum(accept.bucket_counts)) == (2, 2)
    assert accept.bucket_counts[list(accept.explicit_bounds).index(0.05)] == 1
    assert accept.bucket_counts[list(accept.explicit_bounds).index(0.2)] == 1
    assert accept.sum == pytest.approx(0.23)


def test_each_burst_of_a_command_counts_from_zero(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """--repeat: the next run has another start time, by which a backend knows that its counters began again."""
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1")
    burst = Burst()
    with pushed(burst.feed, pytest.fail):
        burst.at(3.0)
        assert collector.arrived.wait(10)
        burst.feed.begin(burst.summary.settings, burst.stop)

    points = [metrics_in(body)["orderboard_burst_sent"].sum.data_points[0] for _, _, body in collector.requests]
    assert points[-1].as_double == 0
    assert points[-1].start_time_unix_nano > points[0].start_time_unix_nano
    assert [point.start_time_unix_nano for point in points] == sorted(point.start_time_unix_nano for point in points)


def test_a_collector_that_is_down_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else comes of it, however many pushes fail."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nothing listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1")
        monkeypatch.setattr("orderboard.burst.export.otlp._PUSH_WITHIN_S", 0.05)
        burst, warnings = Burst(), list[str]()
        with pushed(burst.feed, warnings.append):
            burst.at(1.0)
            burst.at(2.0)

    assert len(warnings) == 1
    assert f"{url} does not take the burst's metrics. The burst goes on" in warnings[0]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "give the URL of a collector"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc", "only http/protobuf is supported"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1s", "a whole number of milliseconds"),
    ],
)
def test_a_wrong_value_is_an_error_before_the_load(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    """It names the variable, its value and the fix."""
    monkeypatch.setenv(name, value)

    with pytest.raises(UsageError, match=message) as caught, pushed(Feed(), pytest.fail):
        assert not asked_for("metrics")

    assert name in str(caught.value)
    assert collector.requests == []


def test_they_can_be_turned_off_while_traces_are_on(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_METRICS_EXPORTER=none, and OTEL_TRACES_EXPORTER=none for the other signal."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    assert (asked_for("metrics"), asked_for("traces")) == (False, True)

    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert (asked_for("metrics"), asked_for("traces")) == (True, False)
