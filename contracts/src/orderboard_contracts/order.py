"""An order as a client sends it, with its limits, price and digest. `events` has its later states."""

import hashlib
import json
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from orderboard_contracts.injected_fault import FaultText
from orderboard_contracts.menu import MENU
from orderboard_contracts.untrusted_text import require_printable

MAX_LINES: Final = 20
MAX_QUANTITY: Final = 50
MAX_NOTE_CHARACTERS: Final = 280

_canonical: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

Priority = Literal["normal", "express"]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sku = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Note = Annotated[str, Field(max_length=MAX_NOTE_CHARACTERS), AfterValidator(require_printable)]


class OrderLine(BaseModel):
    """An order line: a SKU and a quantity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sku: Sku = Field(description="A SKU from the menu.", examples=["flat-white"])
    quantity: int = Field(ge=1, le=MAX_QUANTITY, description=f"The quantity, 1 to {MAX_QUANTITY}.", examples=[2])

    @field_validator("sku")
    @classmethod
    def _on_the_menu(cls, sku: str) -> str:
        if sku not in MENU:
            raise ValueError(f"not on the menu; choose one of {', '.join(MENU)}")
        return sku


class OrderRequest(BaseModel):
    """An order as a client posts it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    customer_id: CustomerId = Field(description="The customer.", examples=["ada"])
    lines: tuple[OrderLine, ...] = Field(
        strict=False,
        description=f"The order lines, 1 to {MAX_LINES}.",
        json_schema_extra={"minItems": 1, "maxItems": MAX_LINES},
    )
    priority: Priority = Field(default="normal", description="express orders have a separate queue.")
    note: Note | None = Field(default=None, description="Free text for the barista.", examples=["oat milk, please"])
    fault: FaultText | None = Field(
        default=None,
        description="For experiments: poison, crash, flaky:N or slow:MS. Rejected unless faults are allowed.",
        examples=["slow:500"],
    )

    # Before the lines are validated: pydantic's min_length counts only valid lines, and would report the list for an
    # invalid line.
    @field_validator("lines", mode="before")
    @classmethod
    def _are_a_bounded_list(cls, lines: object) -> object:
        if not isinstance(lines, list | tuple):
            raise ValueError("not a list; give a list of order lines")  # noqa: TRY004 - pydantic expects a ValueError
        if not 1 <= len(lines) <= MAX_LINES:
            raise ValueError(f"{len(lines)} lines; an order has 1 to {MAX_LINES}")
        return lines


class PricedLine(BaseModel):
    """An order line with its price at the time of acceptance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str
    quantity: int = Field(ge=1)
    unit_price_cents: int = Field(ge=0)


def priced(order: OrderRequest) -> tuple[PricedLine, ...]:
    """Return the lines with the menu's current prices."""
    return tuple(_priced(line.sku, line.quantity) for line in order.lines)


@cache  # the menu and the quantities of a line are limited
def _priced(sku: str, quantity: int) -> PricedLine:
    return PricedLine(sku=sku, quantity=quantity, unit_price_cents=MENU[sku].unit_price_cents)


def total_cents(lines: tuple[PricedLine, ...]) -> int:
    """Return the total price of the lines, in cents."""
    return sum(line.quantity * line.unit_price_cents for line in lines)


def digest(order: OrderRequest) -> str:
    """Return the SHA-256 (hex) of the order's canonical JSON: equal exactly for equal orders.

    Default values are left out, so that a new field with a default does not change the digest of a request that a
    client repeats after an upgrade.
    """
    content = order.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(_canonical.encode(content).encode()).hexdigest()
