"""What a queue asks of the order of its visible messages: `Line` is that of a standard queue, `GroupOrder` of FIFO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from localbus.sqs.message import Message


class Order(Protocol):
    """Visible messages in the order in which they are offered."""

    def join(self, message: Message) -> None:
        """Take in a message that is visible for the first time."""

    def rejoin(self, message: Message) -> None:
        """Take back a message that was in flight."""

    def batch(self) -> Iterator[Message]:
        """Hand out messages for one receive, each of which then counts as in flight."""

    def landed(self, message: Message) -> None:
        """Note that a message is no longer in flight."""

    def departed(self, message: Message) -> None:
        """Note that a visible message is gone."""

    def clear(self) -> None:
        """Forget everything."""

    def __iter__(self) -> Iterator[Message]:
        """Show the visible messages."""
