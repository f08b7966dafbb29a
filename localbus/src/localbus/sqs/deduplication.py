"""The five minutes in which a FIFO queue accepts a message once, and repeats the result of a retried receive.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from localbus.storage.documents import Document
from localbus.storage.storage import Record, Storage

WINDOW_S = 300.0

Key = str | tuple[str | None, str | None] | None
Value = TypeVar("Value")


class Window(Generic[Value]):
    """Values of the last five minutes by their keys. Each operation is O(1) on average.

    They are records of a kind and an owner in the storage, with the document that `encode` makes of a value.
    """

    def __init__(self, storage: Storage, kind: str, owner: str, encode: Callable[[Value], Document]) -> None:
        self._storage = storage
        self._kind = kind
        self._owner = owner
        self._encode = encode
        self._values: dict[Key, tuple[float, Value]] = {}
        self._by_time: deque[tuple[float, Key]] = deque()

    def get(self, key: Key, now: float) -> Value | None:
        """Return the value of the key; None if there is none or it is older than the window."""
        while self._by_time and self._by_time[0][0] <= now - WINDOW_S:
            put_at, old = self._by_time.popleft()
            if self._values.get(old, (None,))[0] == put_at:
                del self._values[old]
                if self._storage.is_durable:
                    self._storage.delete(self._kind, json.dumps(old), self._owner)
        found = self._values.get(key)
        return found[1] if found is not None else None

    def put(self, key: Key, value: Value, now: float, *, has_record: bool = True) -> None:
        """Store a value for the next five minutes: without a record if the storage has it elsewhere."""
        self._values[key] = (now, value)
        self._by_time.append((now, key))
        if has_record:
            self.changed(key)

    def save(self) -> None:
        """Write records of all values, also of those that had none."""
        for key in self._values:
            self.changed(key)

    def changed(self, key: Key) -> None:
        """Write a value that has changed by itself."""
        if self._storage.is_durable:
            put_at, value = self._values[key]
            document = [put_at, self._encode(value)]
            self._storage.save(self._kind, json.dumps(key), lambda: document, self._owner)

    def restore(self, records: Iterable[Record], decode: Callable[[Any], Value]) -> None:
        """Add the values of these records, when the engine starts."""
        for _, key_text, (put_at, value) in sorted(records, key=lambda record: record.document[0]):
            parts = json.loads(key_text)
            key: Key = tuple(parts) if isinstance(parts, list) else parts
            self._values[key] = (put_at, decode(value))
            self._by_time.append((put_at, key))

    def clear(self) -> None:
        """Remove all values."""
        self._values.clear()
        self._by_time.clear()
        self._storage.delete_owned(self._kind, self._owner)
