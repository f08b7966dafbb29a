"""Receipt handles: a text that names one receive of one message, and that is not to be made up."""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import NamedTuple

_SIGN = "AQEB"  # what AWS's handles begin with, so that ours look familiar in logs


class Receipt(NamedTuple):
    """What a handle says."""

    message_id: str
    receive_number: int


class Receipts:
    """Writes the handles of one queue, and reads them; those of any other queue are none to it."""

    def __init__(self) -> None:
        self._tag = uuid.uuid4().hex[:8]

    def write(self, message_id: str, receive_number: int) -> str:
        """The handle for a receive."""
        return _SIGN + base64.b64encode(f"{self._tag}/{message_id}/{receive_number}".encode()).decode()

    def read(self, handle: str) -> Receipt | None:
        """What the handle says, or None when it is not one of this queue's."""
        if not handle.startswith(_SIGN):
            return None
        try:
            tag, message_id, number = base64.b64decode(handle[len(_SIGN) :], validate=True).decode().split("/")
            return Receipt(message_id, int(number)) if tag == self._tag else None
        except (binascii.Error, ValueError):
            return None
