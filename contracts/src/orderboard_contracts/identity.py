"""Ids derived from their cause, so that a repeated request or event has the same id."""

import uuid
from typing import Annotated, Final

from pydantic import StringConstraints

_NAMESPACE: Final = uuid.UUID("5b0f3c3e-6d5d-5a7c-9a55-0b5b8f1d2c11")

OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


def order_id_for(idempotency_key: str) -> str:
    """Return the order id of an Idempotency-Key, the same in every process and version."""
    return str(uuid.uuid5(_NAMESPACE, f"order:{idempotency_key}"))


def new_order_id() -> str:
    """Return an order id for a request without an Idempotency-Key."""
    return str(uuid.uuid4())


def event_id_for(event_type: str, *cause: str) -> str:
    """Return the id of an event from its type and cause (an order id, a digest, another event's id)."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((event_type, *cause))))
