"""Receipt handles: each names one receive of one message, and works only for the queue that issued it."""

from __future__ import annotations

import base64
import uuid
from typing import NamedTuple

_PREFIX = "AQEB"  # as AWS's handles begin, so that ours look familiar in logs


class Receipt(NamedTuple):
    """The content of a receipt handle. `receive_number` counts the message's receives."""

    message_id: str
    receive_number: int


class ReceiptHandles:
    """Writes and reads the receipt handles of one queue. `tag` makes them differ from those of other queues."""

    def __init__(self) -> None:
        self.tag = uuid.uuid4().hex[:8]

    def write(self, message_id: str, receive_number: int) -> str:
        """Return the handle of a receive."""
        return _PREFIX + base64.b64encode(f"{self.tag}/{message_id}/{receive_number}".encode()).decode()

    def read(self, handle: str) -> Receipt | None:
        """Return the content of a handle, or None if this queue has not issued it."""
        try:
            text = base64.b64decode(handle.removeprefix(_PREFIX), validate=True).decode()
            tag, message_id, number = text.split("/")
            return Receipt(message_id, int(number)) if tag == self.tag and handle.startswith(_PREFIX) else None
        except ValueError:
            return None
