"""The schedule of faults, as it is typed."""

import pytest
from orderboard.burst.chaos.schedule import (
    Action,
    Fault,
    overlap,
    parse_duration,
    parse_freeze,
    parse_kill,
    parse_stop,
    parse_workers,
)


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5), ("0s", 0)])
def test_durations_have_units(text: str, seconds: float) -> None:
    """Milliseconds, seconds or minutes."""
    assert parse_duration(text) == seconds


def test_faults_are_parsed_with_their_times() -> None:
    """The length, and the time from the start of the load."""
    assert parse_stop("10s@5s") == (Fault(5, "stop"), Fault(15, "start"))
    assert parse_freeze("500ms@1m") == (Fault(60, "freeze"), Fault(60.5, "thaw"))
    assert parse_kill("@7s") == Fault(7, "kill")
    assert parse_workers("2@12s") == Fault(12, "scale", 2)
    assert parse_workers("3") == 3


@pytest.mark.parametrize("between", ["kill", "scale", "stop", "freeze"])
def test_a_fault_while_workers_are_stopped_is_rejected(between: Action) -> None:
    """Before and after it is accepted."""
    away = [Fault(5, "stop"), Fault(10, "start")]

    assert overlap([*away, Fault(7, between)]) is not None
    assert overlap([*away, Fault(4, "kill"), Fault(11, "scale", 2)]) is None
