"""The bottleneck of a burst: each answer has a case."""

from typing import Any

import pytest
from orderboard.burst.judge.bottleneck import Pace, bottleneck, pace
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.model import Bottleneck, FaultMark, TimelineRow
from orderboard.calibration.model import Calibration
from orderboard.system.process_stats import ProcessorShare
from unit.rig.burst.summaries import GENERATOR, ROW, SUMMARY, calibration


def a_row(finished: int, *, waiting: int, workers: int = 1) -> TimelineRow:
    """One second."""
    return ROW.model_copy(update={"finished": finished, "work_visible": waiting, "workers": workers})


def found(
    *,
    late: int = 0,
    waited: int = 0,
    peak_backlog: int = 5000,
    cores: dict[str, float] | None = None,
    unavailable: int = 0,
    fault: str | None = None,
    lag_p99_ms: float = 60,
    accept_ms: float | None = None,
    end_to_end_ms: float | None = None,
    by: Calibration | None = None,
) -> Bottleneck:
    """The bottleneck of 1,000 orders with a backlog, and 80 finished a second."""
    counts: dict[str, Any] = {"orders": 1000, "sent": 1000, "late": late, "waited_for_connection": waited}
    summary = SUMMARY.model_copy(
        update={
            "generator": GENERATOR.model_copy(update={**counts, "connections": 10, "lag_p99_ms": lag_p99_ms}),
            "verdict": SUMMARY.verdict.model_copy(update={"attempted": 1000, "unavailable": unavailable}),
            "accepted_per_s": 100,
            "accept": None if accept_ms is None else latency([accept_ms]),
            "end_to_end": None if end_to_end_ms is None else latency([end_to_end_ms]),
            "faults": (FaultMark(at_s=1, text="injected", fault=fault),),
            "peak_backlog": peak_backlog,
            "processors": [ProcessorShare(name=name, cores=share) for name, share in (cores or {}).items()],
        }
    )
    return bottleneck(summary, [a_row(80, waiting=1000)], by)


@pytest.mark.parametrize(
    ("burst", "by"),
    [
        pytest.param({"late": 11, "cores": {"backend": 1.0}}, "generator", id="a late generator comes first"),
        pytest.param(
            {"late": 900, "cores": {"generator": 1.0, "backend": 0.9}}, "machine", id="late, as all cores are busy"
        ),
        pytest.param({"late": 900, "lag_p99_ms": 400, "accept_ms": 700}, "generator", id="late is most of the wait"),
        pytest.param(
            {"late": 900, "lag_p99_ms": 90, "accept_ms": 3000, "peak_backlog": 60}, "API", id="late, yet answered later"
        ),
        pytest.param({"accept_ms": 1500, "peak_backlog": 60}, "API", id="no backlog, and slow answers"),
        pytest.param({"accept_ms": 900, "peak_backlog": 60}, "load", id="no backlog, and answers within a second"),
        pytest.param({"accept_ms": 8000, "end_to_end_ms": 9000}, "API", id="a backlog, and longer waits for answers"),
        pytest.param({"accept_ms": 2000, "end_to_end_ms": 9000}, "unclear", id="a backlog, and longer waits after it"),
        pytest.param({"late": 500, "waited": 500, "cores": {"order-api": 1.0}}, "API", id="late for connections"),
        pytest.param(
            {"late": 830, "waited": 750, "cores": {"order-api": 1.0}}, "API", id="late mostly for connections"
        ),
        pytest.param(
            {"late": 830, "waited": 400, "cores": {"order-api": 1.0}}, "generator", id="late mostly by itself"
        ),
        pytest.param({"peak_backlog": 60, "cores": {"backend": 0.9}}, "load", id="no backlog, however busy"),
        pytest.param({"peak_backlog": 60, "unavailable": 11}, "API", id="no backlog, and orders turned away"),
        pytest.param(
            {"peak_backlog": 60, "unavailable": 500, "fault": "kill-api"}, "load", id="turned away by an injected fault"
        ),
        pytest.param(
            {"peak_backlog": 60, "unavailable": 11, "fault": "kill-worker"}, "API", id="turned away by no such fault"
        ),
        pytest.param({"peak_backlog": 60, "unavailable": 10}, "load", id="no backlog, and hardly any turned away"),
        pytest.param({"unavailable": 500, "cores": {"backend": 0.9}}, "backend", id="a backlog behind the API"),
        pytest.param({"peak_backlog": 60, "late": 11, "waited": 11}, "API", id="no backlog, and orders that waited"),
        pytest.param({"peak_backlog": 60, "late": 10, "waited": 10}, "load", id="no backlog, and hardly any waited"),
        pytest.param({"cores": {"backend": 0.95, "worker-1": 0.3}}, "backend", id="a busy backend"),
        pytest.param({"cores": {"order-api": 0.95, "worker-1": 0.3}}, "API", id="a busy order-api"),
        pytest.param({"cores": {"worker-3": 0.95, "worker-1": 0.3}}, "worker", id="a busy worker"),
        pytest.param({"cores": {"generator": 0.95, "worker-1": 0.3}}, "generator", id="a busy generator"),
        pytest.param({"cores": {"backend": 0.7, "order-api": 0.6, "worker-1": 0.6}}, "machine", id="all cores busy"),
        pytest.param({"by": calibration((1000, 100))}, "backend", id="near the ceiling"),
        pytest.param({"by": calibration((1000, 50))}, "unclear", id="above the ceiling"),
        pytest.param({"by": calibration((1000, 1000))}, "unclear", id="far from the ceiling"),
        pytest.param({}, "unclear", id="not calibrated, and nobody busy"),
    ],
)
def test_the_bottleneck_follows_from_the_measurements(burst: dict[str, Any], by: str) -> None:
    """In the order of the rule."""
    assert found(**burst).by == by


@pytest.mark.parametrize(
    ("burst", "text"),
    [
        ({"peak_backlog": 60, "unavailable": 11}, "11 of 1,000 orders got 5xx"),
        ({"peak_backlog": 60, "late": 11, "waited": 11}, "11 of 1,000 orders left late, all 10 connections busy"),
        ({"cores": {"worker-3": 0.95, "worker-1": 0.3}}, "worker-3 kept 95% of a core busy"),
    ],
    ids=["turned away", "waited", "busy"],
)
def test_the_reason_is_given_with_its_figures(burst: dict[str, Any], text: str) -> None:
    """Counts, connections and process names."""
    assert text in found(**burst).text


def test_clients_that_wait_do_not_show_that_more_was_possible() -> None:
    """A closed model never builds up a backlog by itself."""
    closed = SUMMARY.model_copy(update={"settings": SUMMARY.settings.model_copy(update={"closed": True})})

    assert "More of them may show a limit" in bottleneck(closed, [], None).text
    assert "could have taken more" in bottleneck(SUMMARY, [], None).text


def test_the_share_is_that_of_the_ceiling() -> None:
    """A backend elsewhere, whose processor cannot be measured, is known by its calibration."""
    near = found(by=calibration((1000, 100)))

    assert (near.share, near.ceiling_per_s, near.doubt) == (0.8, 100, None)


def test_more_than_the_ceiling_is_doubted() -> None:
    """A share above one is about the calibration and not the burst."""
    above = found(by=calibration((1000, 50)))

    assert above.share == 1.6
    assert above.doubt is not None
    assert "on 2026-01-02 at 00:00 UTC" in above.doubt
    assert "orderboard calibrate" in above.doubt


def test_without_a_calibration_the_command_is_named() -> None:
    """It measures the ceiling."""
    assert "orderboard calibrate" in str(found().doubt)


def test_the_ceiling_is_that_of_the_backlog() -> None:
    """Between 100 and 10,000 waiting, 1,000 is halfway on the scale of logarithms; beyond, the nearest counts."""
    measured = calibration((100, 400), (10_000, 100))

    assert measured.orders_per_s("together", 1000) == pytest.approx(200)
    assert measured.orders_per_s("together", 5) == 400
    assert measured.orders_per_s("together", 90_000) == 100
    assert measured.orders_per_s("publish", 100) is None


def test_pace_counts_only_seconds_with_a_backlog_and_a_worker() -> None:
    """Other seconds do not show how fast workers can be."""
    timeline = [
        a_row(10, waiting=0),
        a_row(0, waiting=50, workers=0),
        a_row(90, waiting=300),
        a_row(70, waiting=100),
    ]

    assert pace(timeline) == Pace(finished_per_s=80, backlog=200)
    assert pace(timeline[:2]) is None


def test_a_backlog_that_went_between_two_samples_shows_no_pace_of_zero() -> None:
    """All of it was received at once, after the last sample with messages that waited: the mean of the burst counts."""
    timeline = [a_row(0, waiting=90), a_row(0, waiting=210), a_row(290, waiting=0)]

    assert pace(timeline) is None
    assert bottleneck(SUMMARY, timeline, None).worked_off_per_s == SUMMARY.finished_per_s
