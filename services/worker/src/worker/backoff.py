"""How long to wait before trying again: exponential, with full jitter. Pure; chance comes from the caller.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from dataclasses import dataclass
from typing import Final

_MAX_DOUBLINGS: Final = 30


@dataclass(frozen=True)
class Backoff:
    """The ceiling doubles with every attempt, from base_s up to max_s."""

    base_s: float
    max_s: float

    def ceiling_s(self, attempt: int) -> float:
        """The longest wait after this attempt; the first attempt is 1."""
        doublings = min(max(attempt, 1) - 1, _MAX_DOUBLINGS)
        return min(self.max_s, self.base_s * float(2**doublings))

    def wait_s(self, attempt: int, fraction: float) -> float:
        """The wait after this attempt; fraction is a random number, 0 up to 1, evenly spread."""
        return self.ceiling_s(attempt) * fraction
