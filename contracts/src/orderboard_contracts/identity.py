"""Ids derived from their cause, so that a repeated request or event has the same id."""

import hashlib
import uuid
from typing import Annotated, Final

from pydantic import StringConstraints

_NAMESPACE: Final = uuid.UUID("5b0f3c3e-6d5d-5a7c-9a55-0b5b8f1d2c11").bytes

OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


def order_id_for(idempotency_key: str) -> str:
    """Return the order id of an Idempotency-Key, the same in every process and version."""
    return _derived(f"order:{idempotency_key}")


def new_order_id() -> str:
    """Return an order id for a request without an Idempotency-Key."""
    return str(uuid.uuid4())


def event_id_for(event_type: str, *cause: str) -> str:
    """Return the id of an event from its type and cause (an order id, a digest, another event's id)."""
    return _derived("\x1f".join((event_type, *cause)))


def _derived(name: str) -> str:
    """Return the version 5 UUID of a name: uuid.uuid5's, at half its cost.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.5
    """
    octets = bytearray(hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
