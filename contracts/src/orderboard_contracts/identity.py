"""Ids that follow from their cause, so that whatever is done twice carries the same id twice."""

import uuid
from typing import Annotated, Final

from pydantic import StringConstraints

_NAMESPACE: Final = uuid.UUID("5b0f3c3e-6d5d-5a7c-9a55-0b5b8f1d2c11")

OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


def order_id_for(idempotency_key: str) -> str:
    """The order id that a key stands for, in every process and for ever."""
    return str(uuid.uuid5(_NAMESPACE, f"order:{idempotency_key}"))


def new_order_id() -> str:
    """An order id for a request that came without an Idempotency-Key."""
    return str(uuid.uuid4())


def event_id_for(event_type: str, *cause: str) -> str:
    """The id of the event of this type that follows from this cause (an order id, a digest, another event's id)."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((event_type, *cause))))
