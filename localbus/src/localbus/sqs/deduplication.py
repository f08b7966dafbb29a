"""The five minutes in which a FIFO queue accepts a message once, and repeats the result of a retried receive.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

WINDOW_S = 300.0

Value = TypeVar("Value")


class Window(Generic[Value]):
    """Values of the last five minutes by their keys. Each operation is O(1) on average."""

    def __init__(self) -> None:
        self._values: dict[Hashable, tuple[float, Value]] = {}
        self._by_time: deque[tuple[float, Hashable]] = deque()

    def get(self, key: Hashable, now: float) -> Value | None:
        """Return the value of the key; None if there is none or it is older than the window."""
        while self._by_time and self._by_time[0][0] <= now - WINDOW_S:
            put_at, old = self._by_time.popleft()
            if self._values.get(old, (None,))[0] == put_at:
                del self._values[old]
        found = self._values.get(key)
        return found[1] if found is not None else None

    def put(self, key: Hashable, value: Value, now: float) -> None:
        """Store a value for the next five minutes."""
        self._values[key] = (now, value)
        self._by_time.append((now, key))
