"""From a failure to a verdict. A function of values; only the consumer acts on it."""

from typing import Final

from orderboard_contracts.events import NotAnEvent

from worker.backoff import Backoff
from worker.failures import PoisonError
from worker.verdict import Poison, RetryAfter

_MAX_REASON_CHARACTERS: Final = 300


def decide(failure: Exception, receive_count: int, policy: Backoff, fraction: float) -> RetryAfter | Poison:
    """Say what becomes of a message whose handling raised; fraction is a random number, 0 up to 1.

    An error that nobody foresaw counts as passing: maxReceiveCount bounds how often it is tried.
    """
    reason = f"{type(failure).__name__}: {failure}"[:_MAX_REASON_CHARACTERS]
    if isinstance(failure, PoisonError | NotAnEvent):
        return Poison(reason)
    return RetryAfter(seconds=round(policy.wait_s(receive_count, fraction)), reason=reason)
