"""The five minutes in which a FIFO queue takes the same message once, and gives a retried receive the same messages.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

WINDOW_S = 300.0

Kept = TypeVar("Kept")


class Window(Generic[Kept]):
    """What was noted within the last five minutes, by its key. Noting and forgetting are O(1)."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, Kept]] = {}
        self._by_time: deque[tuple[float, Hashable]] = deque()

    def get(self, key: Hashable, now: float) -> Kept | None:
        """What was noted under the key, if that is recent enough."""
        self._forget(now)
        found = self._kept.get(key)
        return found[1] if found is not None else None

    def keep(self, key: Hashable, value: Kept, now: float) -> None:
        """Note something under the key, from now on."""
        self._kept[key] = (now, value)
        self._by_time.append((now, key))

    def _forget(self, now: float) -> None:
        while self._by_time and self._by_time[0][0] <= now - WINDOW_S:
            noted_at, key = self._by_time.popleft()
            found = self._kept.get(key)
            if found is not None and found[0] == noted_at:
                del self._kept[key]
