"""The verdict that follows from a failure."""

import pytest
from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.events import NotAnEvent
from worker.failures import PoisonError, RowChangedError, TransientError, UnavailableError
from worker.verdict import DeadLetter, RetryAfter, decide

RETRY = Backoff(base_s=1, max_s=60, random=lambda: 0.999)


@pytest.mark.parametrize("failure", [PoisonError("p"), NotAnEvent("type: unknown")])
def test_a_failure_that_can_never_succeed_is_dead_lettered(failure: Exception) -> None:
    """At any receive count; the reason is kept."""
    assert decide(failure, 1, RETRY) == DeadLetter(f"{type(failure).__name__}: {failure}")


@pytest.mark.parametrize("failure", [TransientError("t"), RowChangedError("r"), UnavailableError("u"), KeyError("bug")])
def test_every_other_failure_is_retried(failure: Exception) -> None:
    """Unexpected errors too: maxReceiveCount bounds them. The wait grows with the receive count."""
    verdicts = [decide(failure, receive_count, RETRY) for receive_count in range(1, 6)]

    assert [verdict.seconds for verdict in verdicts if isinstance(verdict, RetryAfter)] == [1, 2, 4, 8, 16]


def test_a_reason_is_short() -> None:
    """A failure that quotes a whole message does not fill the log."""
    assert len(decide(PoisonError("x" * 100_000), 1, RETRY).reason) == 300
