"""What one call may hold, how long entries wait for company, and how often each is tried. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one call may hold, and how long entries wait for company.

    max_bytes counts what size_bytes says of each entry. linger_s runs from the arrival of the oldest entry; a full
    call does not wait for it. slots is the number of calls under way at once. max_waiting bounds the entries that wait
    for a call or for their next attempt; one more is refused. attempts counts sends of one entry, the first included.
    """

    max_entries: int
    max_bytes: int = 1 << 62
    linger_s: float = 0.002
    max_concurrent_calls: int = 4
    max_waiting: int = 10_000
    attempts: int = 4
    backoff_base_s: float = 0.05
    backoff_max_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("max_entries", "max_bytes", "max_concurrent_calls", "max_waiting", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; nothing could ever be sent with less than 1")
