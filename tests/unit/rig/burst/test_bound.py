"""What limited a burst: each answer has a case."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from orderboard.burst.judge.bottleneck import Pace, bound, pace
from orderboard.burst.model import Bound, Generator, Moment
from orderboard.calibration.model import Calibration, Ceiling
from orderboard.system.process_stats import ProcessorShare


def a_generator(*, late: int = 0, waited: int = 0) -> Generator:
    """One that sent a thousand orders."""
    return Generator(
        orders=1000,
        sent=1000,
        not_sent=0,
        late=late,
        late_after_ms=50,
        lag_p50_ms=0,
        lag_p99_ms=0,
        lag_max_ms=0,
        waited_for_connection=waited,
        connections=10,
        intended_rate=100,
        achieved_rate=100,
    )


def a_moment(finished: int, *, waiting: int, workers: int = 1) -> Moment:
    """One second."""
    return Moment(
        at_s=0,
        phase="load",
        intended=0,
        sent=0,
        accepted=0,
        refused=0,
        unavailable=0,
        finished=finished,
        unfinished=0,
        workers=workers,
        work_visible=waiting,
    )


def calibrated(*ceilings: tuple[int, float]) -> Calibration:
    """A backend that can do so many orders a second altogether, by backlog."""
    return Calibration(
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        backend="embedded",
        processor="",
        cpus=2,
        versions={},
        ceilings=tuple(Ceiling(operation="together", backlog=backlog, orders_per_s=rate) for backlog, rate in ceilings),
    )


def the_bound(
    *,
    generator: Generator | None = None,
    peak_backlog: int = 5000,
    cores: dict[str, float] | None = None,
    timeline: Sequence[Moment] = (a_moment(80, waiting=1000),),
    calibration: Calibration | None = None,
    unavailable: int = 0,
) -> Bound:
    """The rule, on a burst with a backlog unless something else is said."""
    return bound(
        timeline=timeline,
        finished_per_s=70,
        accepted_per_s=100,
        attempted=1000,
        unavailable=unavailable,
        peak_backlog=peak_backlog,
        generator=generator or a_generator(),
        processors=[ProcessorShare(name=name, cores=share) for name, share in (cores or {}).items()],
        cpus=2,
        calibration=calibration,
    )


def test_a_late_generator_comes_first() -> None:
    """When the load was never made, nothing else can be said to have been the limit."""
    assert the_bound(generator=a_generator(late=11), cores={"backend": 1.0}).by == "generator"


def test_lateness_for_want_of_a_connection_is_the_systems() -> None:
    """A generator whose every connection is held by a slow system is not to blame, also if it stumbled now and then."""
    assert the_bound(generator=a_generator(late=500, waited=500), cores={"order-api": 1.0}).by == "API"
    assert the_bound(generator=a_generator(late=830, waited=750), cores={"order-api": 1.0}).by == "API"
    assert the_bound(generator=a_generator(late=830, waited=400), cores={"order-api": 1.0}).by == "generator"


def test_without_a_backlog_nothing_was_the_limit() -> None:
    """A system that keeps up could have taken more, however busy it was."""
    assert the_bound(peak_backlog=60, cores={"backend": 0.9}).by == "load"


def test_an_api_that_turns_orders_away_was_the_limit() -> None:
    """Then nobody can say that the system kept up; with a backlog the question is what held it up."""
    found = the_bound(peak_backlog=60, unavailable=11)

    assert found.by == "API"
    assert "11 of 1,000" in found.text
    assert the_bound(peak_backlog=60, unavailable=10).by == "load"
    assert the_bound(unavailable=500, cores={"backend": 0.9}).by == "backend"


def test_an_api_that_lets_orders_wait_was_the_limit() -> None:
    """Without a backlog behind it, orders that find every connection busy wait for nobody else."""
    found = the_bound(peak_backlog=60, generator=a_generator(late=11, waited=11))

    assert found.by == "API"
    assert "11 of 1,000 orders left late, all 10 connections busy" in found.text
    assert the_bound(peak_backlog=60, generator=a_generator(late=10, waited=10)).by == "load"


@pytest.mark.parametrize(
    ("name", "by"),
    [("backend", "backend"), ("order-api", "API"), ("worker-3", "worker"), ("generator", "generator")],
)
def test_whoever_keeps_a_core_busy_is_the_limit(name: str, by: str) -> None:
    """The busiest process, by its role."""
    found = the_bound(cores={name: 0.95, "worker-1": 0.3})

    assert found.by == by
    assert name in found.text


def test_all_cores_busy_and_none_alone_is_the_machine() -> None:
    """Two cores for three processes that want two thirds each."""
    assert the_bound(cores={"backend": 0.7, "order-api": 0.6, "worker-1": 0.6}).by == "machine"


def test_near_the_ceiling_is_the_backend() -> None:
    """A backend elsewhere, whose processor nobody sees, is known by its calibration."""
    found = the_bound(calibration=calibrated((1000, 100)))

    assert (found.by, found.share, found.ceiling_per_s) == ("backend", 0.8, 100)


def test_more_than_the_ceiling_is_doubted() -> None:
    """A share above one says something of the calibration and nothing of the burst, so the backend is not named."""
    found = the_bound(calibration=calibrated((1000, 50)))

    assert found.by == "unclear"
    assert found.share == 1.6
    assert found.doubt is not None
    assert "on 2026-01-02 at 00:00 UTC" in found.doubt
    assert "orderboard calibrate" in found.doubt


def test_without_a_calibration_the_mend_is_told() -> None:
    """And with one that can be believed, nothing is."""
    assert "orderboard calibrate" in str(the_bound().doubt)
    assert the_bound(calibration=calibrated((1000, 100))).doubt is None


def test_what_cannot_be_told_is_not_told() -> None:
    """Nobody busy, and far from the ceiling or without one."""
    assert the_bound(calibration=calibrated((1000, 1000))).by == "unclear"
    assert the_bound().by == "unclear"


def test_the_ceiling_is_that_of_the_backlog() -> None:
    """Between 100 and 10,000 waiting, 1,000 is halfway on the scale of logarithms; beyond, the nearest counts."""
    calibration = calibrated((100, 400), (10_000, 100))

    assert calibration.orders_per_s("together", 1000) == pytest.approx(200)
    assert calibration.orders_per_s("together", 5) == 400
    assert calibration.orders_per_s("together", 90_000) == 100
    assert calibration.orders_per_s("publish", 100) is None


def test_pace_is_that_of_workers_with_work() -> None:
    """Seconds without a backlog or without a worker say nothing about how fast it can be."""
    timeline = [
        a_moment(10, waiting=0),
        a_moment(0, waiting=50, workers=0),
        a_moment(90, waiting=300),
        a_moment(70, waiting=100),
    ]

    assert pace(timeline) == Pace(finished_per_s=80, backlog=200)
    assert pace(timeline[:2]) is None
