"""The schedule of faults, as it is typed."""

import pytest
from orderboard.burst.faults.schedule import (
    Action,
    Fault,
    overlap,
    parse_freeze,
    parse_full_disk,
    parse_kill,
    parse_stop,
    parse_workers,
)
from orderboard.option_values import parse_duration
from orderboard.system.fault_settings import api_faults, delivery_faults


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5), ("0s", 0)])
def test_durations_have_units(text: str, seconds: float) -> None:
    """Milliseconds, seconds or minutes."""
    assert parse_duration(text) == seconds


def test_faults_are_parsed_with_their_times() -> None:
    """The length, and the time from the start of the load."""
    assert parse_stop("10s@5s") == (Fault(5, "stop-worker"), Fault(15, "start-worker"))
    assert parse_freeze("500ms@1m") == (Fault(60, "freeze-worker"), Fault(60.5, "thaw-worker"))
    assert parse_kill("@7s", "kill-worker") == Fault(7, "kill-worker")
    assert parse_full_disk("2s@9s") == Fault(9, "fill-disk", lasts_s=2)
    assert parse_workers("2@12s") == Fault(12, "scale", 2)
    assert parse_workers("3") == 3


@pytest.mark.parametrize("between", ["kill-worker", "scale", "stop-worker", "freeze-worker"])
def test_a_fault_while_workers_are_stopped_is_rejected(between: Action) -> None:
    """Before and after it is accepted."""
    away = [Fault(5, "stop-worker"), Fault(10, "start-worker")]

    assert overlap([*away, Fault(7, between)]) is not None
    assert overlap([*away, Fault(4, "kill-worker"), Fault(11, "scale", 2)]) is None


def test_the_backend_may_fail_while_workers_are_away() -> None:
    """Only faults of the same processes exclude each other."""
    away = [Fault(5, "freeze-worker"), Fault(10, "thaw-worker")]

    assert overlap([*away, Fault(6, "kill-backend"), Fault(7, "kill-api"), Fault(8, "fill-disk", lasts_s=1)]) is None


def test_settings_have_a_form_for_every_fault_of_localbus() -> None:
    """As the JSON that its developer API takes."""
    assert delivery_faults("seed=7,duplicates=0.4") == {
        "seed": 7,
        "duplicates": 0.4,
        "reordering": 0,
        "missed_polls": 0,
        "doubled_events": 0,
    }
    assert api_faults("throttle=0.1, latency:ReceiveMessage/300ms=0.5") == {
        "seed": 0,
        "rules": [
            {"action": "*", "kind": "throttle", "probability": 0.1},
            {"action": "ReceiveMessage", "kind": "latency", "probability": 0.5, "latency_ms": 300},
        ],
    }
    assert api_faults("none") == {"seed": 0, "rules": []}
    assert not any(delivery_faults("none").values())
