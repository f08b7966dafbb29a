"""An order as a client sends it: its limits, its price and its digest. What becomes of it is in events.py."""

import hashlib
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from orderboard_contracts.fault import FaultText
from orderboard_contracts.menu import CURRENCY, MENU, Currency
from orderboard_contracts.text import PrintableText

MAX_LINES: Final = 20
MAX_QUANTITY: Final = 50
MAX_NOTE_CHARACTERS: Final = 280

Priority = Literal["normal", "express"]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sku = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Note = Annotated[PrintableText, StringConstraints(max_length=MAX_NOTE_CHARACTERS)]


class OrderLine(BaseModel):
    """So many of one thing on the menu."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sku: Sku = Field(description="A sku from the menu.", examples=["flat-white"])
    quantity: int = Field(ge=1, le=MAX_QUANTITY, description=f"How many, 1 to {MAX_QUANTITY}.", examples=[2])

    @field_validator("sku")
    @classmethod
    def _on_the_menu(cls, sku: str) -> str:
        if sku not in MENU:
            raise ValueError(f"not on the menu; choose one of {', '.join(MENU)}")
        return sku


class OrderRequest(BaseModel):
    """What a client posts: who orders what, and how urgently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    customer_id: CustomerId = Field(description="Who orders.", examples=["ada"])
    lines: tuple[OrderLine, ...] = Field(
        min_length=1, max_length=MAX_LINES, strict=False, description=f"What is ordered, 1 to {MAX_LINES} lines."
    )
    priority: Priority = Field(default="normal", description="express orders have a queue of their own.")
    note: Note | None = Field(default=None, description="Free text for the barista.", examples=["oat milk, please"])
    fault: FaultText | None = Field(
        default=None,
        description="For experiments: poison, crash, flaky:N or slow:MS. Refused unless faults are allowed.",
        examples=["slow:500"],
    )


class PricedLine(BaseModel):
    """An order line with the price it was accepted at."""

    model_config = ConfigDict(frozen=True)

    sku: str
    quantity: int = Field(ge=1)
    unit_price_cents: int = Field(ge=0)


def priced(order: OrderRequest) -> tuple[PricedLine, ...]:
    """Give every line the menu's price of today."""
    return tuple(
        PricedLine(sku=line.sku, quantity=line.quantity, unit_price_cents=MENU[line.sku].unit_price_cents)
        for line in order.lines
    )


def total_cents(lines: tuple[PricedLine, ...]) -> int:
    """What the lines cost together, in cents."""
    return sum(line.quantity * line.unit_price_cents for line in lines)


def digest(order: OrderRequest) -> str:
    """SHA-256 (hex) of the order's canonical JSON: equal exactly when two requests ask for the same thing."""
    return hashlib.sha256(order.model_dump_json().encode()).hexdigest()


__all__ = [
    "CURRENCY",
    "MAX_LINES",
    "MAX_NOTE_CHARACTERS",
    "MAX_QUANTITY",
    "Currency",
    "CustomerId",
    "OrderLine",
    "OrderRequest",
    "PricedLine",
    "Priority",
    "digest",
    "priced",
    "total_cents",
]
