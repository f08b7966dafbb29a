"""Receipt handles: a text that names one receive of one message, and that is not to be made up."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

_SIGN = "AQEB"  # what AWS's handles begin with, so that ours look familiar in logs


class Receipt(NamedTuple):
    """What a handle says."""

    queue_tag: str
    message_id: str
    receive_number: int


def write_handle(receipt: Receipt) -> str:
    """The handle for a receive."""
    return _SIGN + base64.b64encode(f"{receipt[0]}/{receipt[1]}/{receipt[2]}".encode()).decode()


def read_handle(handle: str) -> Receipt | None:
    """What the handle says, or None when it is not one of ours."""
    if not handle.startswith(_SIGN):
        return None
    try:
        queue_tag, message_id, number = base64.b64decode(handle[len(_SIGN) :], validate=True).decode().split("/")
        return Receipt(queue_tag, message_id, int(number))
    except (binascii.Error, ValueError):
        return None
