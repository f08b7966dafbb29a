"""The counters of a queue since its metrics were last published: plain numbers, as sending and receiving touch them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class QueueCounters:
    """The counters of one queue. `is_touched` says that an action has named the queue."""

    sent: int = 0
    received: int = 0
    deleted: int = 0
    empty_receives: int = 0
    deduplicated: int = 0
    sizes: int = 0
    size_bytes: int = 0
    smallest_bytes: int = 0
    largest_bytes: int = 0
    is_touched: bool = False

    def add_size(self, size_bytes: int) -> None:
        """Count the size of a message that is sent."""
        if not self.sizes or size_bytes < self.smallest_bytes:
            self.smallest_bytes = size_bytes
        self.largest_bytes = max(self.largest_bytes, size_bytes)
        self.sizes += 1
        self.size_bytes += size_bytes
