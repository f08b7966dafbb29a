"""Exponential backoff with jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MAX_DOUBLINGS: Final = 30


@dataclass(frozen=True)
class Backoff:
    """A retry policy: the ceiling doubles with every attempt, from base_s to max_s. random returns 0 to 1."""

    base_s: float
    max_s: float
    random: Callable[[], float] = random.random

    def ceiling_s(self, attempt: int) -> float:
        """Return the longest wait after this attempt; the first attempt is 1."""
        doublings = min(max(attempt, 1) - 1, _MAX_DOUBLINGS)
        return min(self.max_s, self.base_s * float(2**doublings))

    def full_jitter_s(self, attempt: int) -> float:
        """Return a wait between 0 and the ceiling: it spreads the retries of many callers best."""
        return self.ceiling_s(attempt) * self.random()

    def equal_jitter_s(self, attempt: int) -> float:
        """Return a wait between half the ceiling and the ceiling, so that repeated failures never make a hot loop."""
        return self.ceiling_s(attempt) * (0.5 + self.random() / 2)


async def pause(seconds: float, until: asyncio.Event) -> None:
    """Sleep, or return early when the event is set."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        pass
