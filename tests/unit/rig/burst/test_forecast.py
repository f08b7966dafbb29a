"""What is told before a burst that would take long."""

from datetime import UTC, datetime

import pytest
from orderboard.burst.chaos.schedule import Fault, parse_stop
from orderboard.burst.mix import Mix
from orderboard.burst.report.forecast import calibrated, forecast_s, warning
from orderboard.burst.runner import Plan
from orderboard.calibration.model import Calibration, Ceiling


def a_plan(orders: int, over_s: float, *faults: Fault) -> Plan:
    """So many orders, evenly."""
    times_s = [number * over_s / orders for number in range(orders)]
    return Plan(Mix(), times_s, 1, "run", 8, faults, give_up_after_s=60)


def a_calibration(*ceilings: tuple[int, float]) -> Calibration:
    """A backend that makes so many orders a second, by backlog."""
    return Calibration(
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        backend="embedded",
        processor="",
        cpus=2,
        versions={},
        ceilings=tuple(Ceiling(operation="together", backlog=backlog, orders_per_s=rate) for backlog, rate in ceilings),
    )


def test_a_backlog_that_slows_ministack_down_is_warned_of() -> None:
    """Also without a calibration; a small burst is no matter."""
    said = warning(a_plan(300_000, 20), backend="ministack", calibration=None)

    assert said is not None
    assert "more than a day" in said
    assert "fewer the longer its queues are" in said
    assert warning(a_plan(10_000, 60, *parse_stop("5s@10s")), backend="ministack", calibration=None) is None


def test_a_flat_backend_is_slow_only_with_too_many_orders() -> None:
    """What was calibrated counts: 300,000 orders at 300 a second are a quarter of an hour, at 3,000 two minutes."""
    slow, fast = a_calibration((100, 300), (10_000, 300)), a_calibration((100, 3_000), (10_000, 3_000))

    said = warning(a_plan(300_000, 20), backend="embedded", calibration=slow)

    assert said is not None
    assert "17 minutes or more" in said
    assert "300 orders a second at most (as calibrated on 2026-01-02)" in said
    assert warning(a_plan(300_000, 20), backend="embedded", calibration=fast) is None


def test_a_long_load_is_what_was_asked_for() -> None:
    """An hour of load that the backend keeps up with is not worth a word."""
    assert warning(a_plan(36_000, 3_600), backend="embedded", calibration=a_calibration((100, 300))) is None


def test_of_an_uncalibrated_backend_nothing_is_said() -> None:
    """Nothing is known of it."""
    assert warning(a_plan(300_000, 20), backend="aws", calibration=None) is None


def test_beyond_what_was_measured_it_slows_down_as_before() -> None:
    """A tenth with ten times the backlog goes on so; a flat one, or one that got faster, stays as it was."""
    assert calibrated(a_calibration((1_000, 500), (10_000, 50)))(100_000) == pytest.approx(5)
    assert calibrated(a_calibration((1_000, 500), (10_000, 500)))(100_000) == pytest.approx(500)
    assert calibrated(a_calibration((1_000, 400), (10_000, 500)))(100_000) == pytest.approx(500)


def test_the_forecast_counts_the_time_without_workers() -> None:
    """Ten seconds away are at least ten seconds more."""
    times_s = [number / 100 for number in range(1_000)]

    at_work, away = (forecast_s(times_s, absent, lambda _: 250.0) for absent in ([], [(0.0, 20.0)]))

    assert at_work == pytest.approx(10, abs=1)
    assert away > at_work + 10
