"""The schedule of faults, as it is typed."""

import pytest
from orderboard.burst.chaos.schedule import (
    Fault,
    FreezeWorkers,
    KillWorker,
    ScaleWorkers,
    StartWorkers,
    StopWorkers,
    ThawWorkers,
    overlapping,
    parse_duration,
    parse_freeze,
    parse_kill,
    parse_stop,
    parse_workers,
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("500ms", 0.5), ("2m", 120), ("7", 7), ("1.5s", 1.5), ("0s", 0)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    """Seconds where there is none."""
    assert parse_duration(text) == seconds


def test_faults_are_read_with_their_times() -> None:
    """For how long, and when, from the start of the load."""
    assert parse_stop("10s@5s") == (StopWorkers(5), StartWorkers(15))
    assert parse_freeze("500ms@1m") == (FreezeWorkers(60), ThawWorkers(60.5))
    assert parse_kill("@7s") == KillWorker(7)
    assert parse_workers("2@12s") == ScaleWorkers(12, 2)
    assert parse_workers("3") == 3


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_stop, "10s", "--stop-worker needs how long and when, such as 10s@5s"),
        (parse_stop, "0s@5s", "more than nothing"),
        (parse_stop, "ten@5s", "'ten' is no duration"),
        (parse_freeze, "@5s", "'' is no duration"),
        (parse_kill, "7s", "--kill-worker needs a time such as @7s"),
        (parse_kill, "2@7s", "--kill-worker needs a time"),
        (parse_kill, "@-1s", "'-1s' is no duration"),
        (parse_workers, "0", "--workers needs 1 to 32"),
        (parse_workers, "99@1s", "--workers needs 1 to 32"),
        (parse_workers, "many", "--workers needs 1 to 32"),
        (parse_workers, "2@noon", "'noon' is no duration"),
    ],
)
def test_a_fault_that_cannot_be_read_is_refused(parse, text: str, said: str) -> None:  # type: ignore[no-untyped-def]
    """With what to write instead."""
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize("between", [KillWorker(7), ScaleWorkers(7, 2), StopWorkers(7), FreezeWorkers(7)], ids=str)
def test_workers_that_are_away_cannot_be_hurt(between: Fault) -> None:
    """A fault while they are stopped makes no sense; before and after it does."""
    away: list[Fault] = [StopWorkers(5), StartWorkers(10)]

    assert overlapping([*away, between]) is not None
    assert overlapping([*away, KillWorker(4), ScaleWorkers(11, 2)]) is None
