"""The row of the orders table."""

from typing import Any

import pytest
from orderboard_contracts.record import FINAL_STATUSES, OrderRecord, parse_record
from pydantic import ValidationError

ROW: dict[str, Any] = {
    "order_id": "0b5f3c3e-6d5d-5a7c-9a55-0b5b8f1d2c11",
    "status": "completed",
    "recorded_at": "2026-03-14T07:30:16.480000Z",
    "lines": [{"sku": "tea", "quantity": 1, "unit_price_cents": 320}],
}


def test_attributes_of_a_newer_worker_are_ignored() -> None:
    """Unknown attributes of a row, also in its lines, are ignored."""
    newer = {**ROW, "table": 3, "lines": [{**ROW["lines"][0], "extras": ["vanilla"]}]}

    assert parse_record(newer) == parse_record(ROW)


def test_a_row_cannot_be_created_with_unknown_attributes() -> None:
    """Creating a record with an unknown attribute fails."""
    with pytest.raises(ValidationError, match="table"):
        OrderRecord.model_validate({**ROW, "table": 3})


@pytest.mark.parametrize("missing", ["order_id", "status", "recorded_at"])
def test_an_incomplete_row_is_rejected(missing: str) -> None:
    """A row needs id, status and time."""
    with pytest.raises(ValidationError, match=missing):
        parse_record({name: value for name, value in ROW.items() if name != missing})


def test_a_tombstone_is_a_row_but_not_final() -> None:
    """A tombstone has neither customer nor lines, and its status is not final."""
    tombstone = parse_record({**ROW, "status": "cancellation_pending", "lines": ()})

    assert tombstone.customer_id is None
    assert tombstone.lines == ()
    assert tombstone.status not in FINAL_STATUSES
