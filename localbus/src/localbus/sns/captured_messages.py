"""Mails, text messages and push notifications that AWS would send: kept here to be read, and never sent anywhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Letter:
    """One mail, text message or push notification; that is of the protocol `application`, and `to` its endpoint.

    `link` is what its reader would click, to confirm or to unsubscribe.
    """

    at: float
    protocol: str
    to: str
    subject: str | None
    message: str
    message_id: str
    topic_arn: str | None = None
    link: str | None = None

    def document(self) -> dict[str, object]:
        """The letter for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Outbox:
    """The last letters, oldest first."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._letters: deque[Letter] = deque(maxlen=capacity)

    def put(self, letter: Letter) -> None:
        """Keep a letter."""
        self._letters.append(letter)

    def letters(self, to: str | None = None, protocol: str | None = None) -> Iterator[Letter]:
        """The letters to somebody, or all."""
        for letter in list(self._letters):
            if (not to or letter.to == to) and (not protocol or letter.protocol == protocol):
                yield letter
