"""What becomes of a message once it was looked at. Types, not flags: the consumer matches them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """Handled: the row is written and the outcome is told, so the message can go."""

    outcome: str


@dataclass(frozen=True)
class RetryAfter:
    """A passing failure: the message is to be visible again after `seconds`."""

    seconds: int
    reason: str


@dataclass(frozen=True)
class Poison:
    """It can never be handled: the redrive policy takes the message to its dead-letter queue."""

    reason: str


Verdict = Done | RetryAfter | Poison
