"""What happened to each message, in the order in which it happened: a ring that forgets the oldest."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Entry(NamedTuple):
    """One thing that happened. `detail` depends on what: a receive count, a queue's ARN, seconds, a reason."""

    number: int
    at: float
    event: str
    resource: str
    message_id: str
    detail: object = None

    def document(self) -> dict[str, object]:
        """The entry for JSON."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def fits(self, message_id: str | None = None, resource: str | None = None, event: str | None = None) -> bool:
        """Whether the entry is one of these. A resource fits by its ARN or by the name at its end."""
        if (message_id and self.message_id != message_id) or (event and self.event != event):
            return False
        return not resource or self.resource == resource or self.resource.endswith(f":{resource}")


class Journal:
    """The last entries, and those who follow what comes."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._entries: deque[tuple[int, float, str, str, str, object]] = deque(maxlen=capacity)
        self._numbers = itertools.count(1)
        self._followers: list[Callable[[Entry], None]] = []

    def note(self, event: str, resource: str, message_id: str, at: float, detail: object = None) -> None:
        """Write down that something happened."""
        entry = (next(self._numbers), at, event, resource, message_id, detail)
        self._entries.append(entry)
        if self._followers:
            for follow in self._followers:
                follow(Entry(*entry))

    def entries(
        self,
        *,
        message_id: str | None = None,
        resource: str | None = None,
        event: str | None = None,
        after: int = 0,
        last: int | None = None,
    ) -> Iterator[Entry]:
        """The entries that fit, oldest first; with `last` no more than so many of the newest."""
        if last is None:
            yield from reversed(list(self._newest(message_id, resource, event, after)))
        else:
            yield from reversed(list(itertools.islice(self._newest(message_id, resource, event, after), last)))

    def _newest(self, message_id: str | None, resource: str | None, event: str | None, after: int) -> Iterator[Entry]:
        """The entries that fit, newest first: who wants the last ones does not walk through all."""
        for values in reversed(self._entries):
            if values[0] <= after:
                return
            if message_id and values[4] != message_id:
                continue
            entry = Entry(*values)
            if entry.fits(None, resource, event):
                yield entry

    def follow(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Have each new entry told; the answer ends that."""
        self._followers.append(callback)
        return lambda: self._followers.remove(callback)
