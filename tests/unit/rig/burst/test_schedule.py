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


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_duration, "7", "'7' is not a duration with a unit, such as 10s, 500ms or 2m"),
        (parse_stop, "10s", "expected FOR@TIME, such as 10s@5s"),
        (parse_stop, "@2s", "expected FOR@TIME, such as 10s@5s"),
        (parse_stop, "0s@5s", "FOR must be positive"),
        (parse_stop, "ten@5s", "'ten' is not a duration"),
        (parse_freeze, "@5s", "expected FOR@TIME"),
        (parse_kill, "7s", "expected @TIME, such as @7s"),
        (parse_kill, "2@7s", "expected @TIME"),
        (parse_kill, "@-1s", "'-1s' is not a duration"),
        (parse_workers, "0", "expected 1 to 32"),
        (parse_workers, "99@1s", "expected 1 to 32"),
        (parse_workers, "many", "expected 1 to 32, or that with a time, such as 2@12s"),
        (parse_workers, "2@noon", "'noon' is not a duration"),
    ],
)
def test_an_invalid_fault_is_rejected(parse, text: str, said: str) -> None:  # type: ignore[no-untyped-def]
    """With the expected form."""
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize("between", ["kill", "scale", "stop", "freeze"])
def test_a_fault_while_workers_are_stopped_is_rejected(between: Action) -> None:
    """Before and after it is accepted."""
    away = [Fault(5, "stop"), Fault(10, "start")]

    assert overlap([*away, Fault(7, between)]) is not None
    assert overlap([*away, Fault(4, "kill"), Fault(11, "scale", 2)]) is None
