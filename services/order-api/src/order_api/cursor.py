"""The opaque cursor of a customer's orders: DynamoDB's LastEvaluatedKey in a form that fits a URL.

Clients return cursors, so every part of one is validated again.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
"""

import base64
import binascii
from typing import Annotated, Final

from orderboard_contracts.identity import OrderId
from orderboard_contracts.order import CustomerId
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

MAX_CURSOR_CHARACTERS: Final = 512
CURSOR_PATTERN: Final = r"^[A-Za-z0-9_-]+$"


class InvalidCursorError(ValueError):
    """The text is not a cursor that this API issued for this customer."""


class Position(BaseModel):
    """The key of the last order on a page; the next page begins after it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    customer_id: CustomerId
    placed_at: Annotated[str, StringConstraints(pattern=r"^[0-9T:.Z+-]{10,40}$")]
    order_id: OrderId


def encode_cursor(position: Position) -> str:
    """Encode a position as a cursor."""
    return base64.urlsafe_b64encode(position.model_dump_json().encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, *, customer_id: str) -> Position:
    """Decode a cursor that was issued for customer_id; raise InvalidCursorError for any other text."""
    try:
        document = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = Position.model_validate_json(document)
    except (binascii.Error, ValidationError, ValueError) as exc:
        raise InvalidCursorError("not a cursor of this API") from exc
    if position.customer_id != customer_id:
        raise InvalidCursorError("issued for another customer")
    return position
