"""The warning before a burst that would take long."""

import pytest
from orderboard.burst.faults.schedule import Fault, parse_stop
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Client, Closed, Open, Stream
from orderboard.burst.measurement import Plan
from orderboard.burst.report.forecast import calibrated, forecast_s, warning
from unit.rig.burst.summaries import calibration

FLAT_300, FLAT_3000 = calibration((100, 300), (10_000, 300)), calibration((100, 3_000), (10_000, 3_000))


def a_plan(orders: int, over_s: float, *faults: Fault) -> Plan:
    """So many orders, evenly."""
    times_s = [number * over_s / orders for number in range(orders)]
    return Plan((Stream(Mix(), Open(times_s), 1, "run"),), faults=faults)


def test_a_backlog_that_slows_ministack_down_is_warned_of() -> None:
    """Also without a calibration; a small burst needs no warning."""
    said = warning(a_plan(300_000, 20), backend="ministack", calibration=None)

    assert said is not None
    assert "more than a day" in said
    assert "fewer as its queues grow" in said
    assert warning(a_plan(10_000, 60, *parse_stop("5s@10s")), backend="ministack", calibration=None) is None


def test_a_flat_backend_is_slow_only_with_too_many_orders() -> None:
    """300,000 orders at 300 a second, as calibrated, are a quarter of an hour; at 3,000 they are two minutes."""
    said = warning(a_plan(300_000, 20), backend="embedded", calibration=FLAT_300)

    assert said is not None
    assert "17 minutes or more" in said
    assert "at most 300 orders a second (as calibrated on 2026-01-02)" in said
    assert warning(a_plan(300_000, 20), backend="embedded", calibration=FLAT_3000) is None


def test_a_long_load_needs_no_warning() -> None:
    """An hour of load was asked for, and the backend keeps up with it."""
    assert warning(a_plan(36_000, 3_600), backend="embedded", calibration=FLAT_300) is None


def test_an_unknown_backend_gives_no_warning() -> None:
    """Without a calibration."""
    assert warning(a_plan(300_000, 20), backend="aws", calibration=None) is None


@pytest.mark.parametrize(("shorter", "longer", "beyond"), [(500, 50, 5), (500, 500, 500), (400, 500, 500)])
def test_beyond_what_was_measured_the_slowdown_goes_on(shorter: float, longer: float, beyond: float) -> None:
    """A tenth with ten times the backlog is extrapolated; a flat rate, or one that rose, stays."""
    assert calibrated(calibration((1_000, shorter), (10_000, longer)))(100_000) == pytest.approx(beyond)


def test_the_forecast_counts_the_time_without_workers() -> None:
    """Ten seconds of outage are at least ten seconds more."""
    times_s = [number / 100 for number in range(1_000)]

    running, stopped = (forecast_s(times_s, outages, lambda _: 250.0) for outages in ([], [(0.0, 20.0)]))

    assert running == pytest.approx(10, abs=1)
    assert stopped > running + 10


def test_clients_that_wait_for_answers_need_no_warning() -> None:
    """They send less when the system is slow."""
    plan = Plan((Stream(Mix(), Closed([Client(0, 60)] * 50), 1, "run"),))

    assert warning(plan, backend="ministack", calibration=None) is None
