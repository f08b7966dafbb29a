"""An order as a client sends it: its limits, its price and its digest. What becomes of it is in events.py."""

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from orderboard_contracts.fault import FaultText
from orderboard_contracts.menu import MENU
from orderboard_contracts.text import require_printable

MAX_LINES: Final = 20
MAX_QUANTITY: Final = 50
MAX_NOTE_CHARACTERS: Final = 280

Priority = Literal["normal", "express"]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sku = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Note = Annotated[str, Field(max_length=MAX_NOTE_CHARACTERS), AfterValidator(require_printable)]


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
        strict=False,
        description=f"What is ordered, 1 to {MAX_LINES} lines.",
        json_schema_extra={"minItems": 1, "maxItems": MAX_LINES},
    )
    priority: Priority = Field(default="normal", description="express orders have a queue of their own.")
    note: Note | None = Field(default=None, description="Free text for the barista.", examples=["oat milk, please"])
    fault: FaultText | None = Field(
        default=None,
        description="For experiments: poison, crash, flaky:N or slow:MS. Refused unless faults are allowed.",
        examples=["slow:500"],
    )

    # Before the lines are looked at: pydantic's own min_length counts the good ones only, and so blames the list for
    # a bad line.
    @field_validator("lines", mode="before")
    @classmethod
    def _are_a_bounded_list(cls, lines: object) -> object:
        if not isinstance(lines, list | tuple):
            raise ValueError("not a list; give a list of order lines")  # noqa: TRY004 - pydantic wants a ValueError
        if not 1 <= len(lines) <= MAX_LINES:
            raise ValueError(f"{len(lines)} lines; an order has 1 to {MAX_LINES}")
        return lines


class PricedLine(BaseModel):
    """An order line with the price it was accepted at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    """SHA-256 (hex) of the order's canonical JSON: equal exactly when two requests ask for the same thing.

    What has its default value is left out. So a field that is added later, with a default, does not change the digest
    of a request that a client repeats across the upgrade.
    """
    content = order.model_dump(mode="json", exclude_defaults=True)
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
