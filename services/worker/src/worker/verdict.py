"""The verdict on a delivered message, and how it follows from a failure. Pure: the consumer acts on it."""

from dataclasses import dataclass
from typing import Final

from orderboard_aws_client.backoff import Backoff
from orderboard_contracts.events import NotAnEvent

from worker.failures import PoisonError

_MAX_REASON_CHARACTERS: Final = 300


@dataclass(frozen=True)
class Done:
    """Handled: the row is written and the outcome emitted. Delete the message."""

    outcome: str


@dataclass(frozen=True)
class RetryAfter:
    """A transient failure. Make the message visible again after `seconds`."""

    seconds: int
    reason: str


@dataclass(frozen=True)
class DeadLetter:
    """A poison message. Return it at once; the redrive policy moves it to the dead-letter queue."""

    reason: str


DeliveryVerdict = Done | RetryAfter | DeadLetter


def decide(failure: Exception, receive_count: int, retry: Backoff) -> RetryAfter | DeadLetter:
    """Choose the verdict for a message whose handling raised failure.

    An unexpected error counts as transient: maxReceiveCount bounds its retries.
    """
    reason = f"{type(failure).__name__}: {failure}"[:_MAX_REASON_CHARACTERS]
    if isinstance(failure, PoisonError | NotAnEvent):
        return DeadLetter(reason)
    return RetryAfter(round(retry.full_jitter_s(receive_count)), reason)
