"""Ctrl-C: the first stops the load, the second quits."""

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest
from orderboard.burst.measure.generators import GeneratorRun
from orderboard.burst.model import FaultMark
from orderboard.burst.stop import STOPPED, Stop, stopped_by_ctrl_c
from orderboard.burst.summarize import _broken_off


def test_the_first_ctrl_c_is_a_request_and_the_second_an_interrupt() -> None:
    """Afterwards Ctrl-C is what it was."""
    before = signal.getsignal(signal.SIGINT)
    stop = Stop()

    with stopped_by_ctrl_c(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.by == "Ctrl-C"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_quits_a_burst_that_something_else_stopped() -> None:
    """A threshold, say; the reason stays the first."""
    stop = Stop()
    stop.request("A threshold")
    stop.request("Ctrl-C")

    with stopped_by_ctrl_c(stop), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)

    assert stop.by == "A threshold"


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ((FaultMark(at_s=2.5, text=f"Ctrl-C {STOPPED}"),), "Ctrl-C stopped the load after 2.5 s, when 160 of 160"),
        ((), "Ctrl-C came after the load, when 160 of 160 orders had been sent: what was left of the faults"),
    ],
)
def test_ctrl_c_in_the_drain_did_not_stop_the_load(marks: tuple[FaultMark, ...], said: str) -> None:
    """It ends the faults that others began, so the run is broken off all the same."""
    result: Any = SimpleNamespace(
        stopped_by="Ctrl-C",
        sent=160,
        recorder=SimpleNamespace(planned=160),
        marks=marks,
        generators=(GeneratorRun((160,)),),
        load_s=4.0,
        judgement=SimpleNamespace(end="drained"),
    )
    burst: Any = None

    assert str(_broken_off(burst, result)).startswith(said)
