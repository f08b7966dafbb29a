"""Ctrl-C: the first stops the load, the second quits."""

import os
import signal

import pytest
from orderboard.burst.stop import Stop, stopped_by_ctrl_c


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
