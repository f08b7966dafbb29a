"""The format of orders in the table, compared with boto3's."""

import uuid
from datetime import UTC, datetime

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from orderboard_aws_client.order_codec import from_item, to_item
from orderboard_contracts.order import PricedLine
from orderboard_contracts.record import OrderRecord

TIME = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
RECORD = OrderRecord(
    order_id=str(uuid.UUID(int=1)),
    status="completed",
    recorded_at=TIME.replace(microsecond=250_000),
    placed_at=TIME,
    lines=(PricedLine(sku="tea", quantity=2, unit_price_cents=320),),
    total_cents=640,
    note="oat milk 🥛",
)


def test_an_item_is_what_boto3_makes_of_it() -> None:
    """boto3's serializer reads and writes the same item, and decoding returns the record."""
    item = to_item(RECORD)

    plain = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    assert {name: TypeSerializer().serialize(value) for name, value in plain.items()} == item
    assert from_item(item) == RECORD


def test_stored_times_sort_as_text() -> None:
    """Times have six decimals even if they are zero, so the customer index sorts correctly."""
    item = to_item(RECORD)

    assert item["placed_at"] == {"S": "2026-03-02T07:30:00.000000Z"}
    assert item["recorded_at"] == {"S": "2026-03-02T07:30:00.250000Z"}


def test_unknown_attributes_and_nulls_are_ignored() -> None:
    """A newer writer may add attributes of any type."""
    added = {"seats": {"SS": ["1", "2"]}, "photo": {"B": b"x"}, "vip": {"BOOL": True}, "customer_id": {"NULL": True}}

    assert from_item({**to_item(RECORD), **added}) == RECORD


def test_a_number_that_dynamodb_cannot_store_is_an_error() -> None:
    """DynamoDB keeps 38 digits; a longer number would come back as another one."""
    assert to_item(RECORD.model_copy(update={"total_cents": 10**38 - 1}))["total_cents"] == {"N": "9" * 38}
    with pytest.raises(ValueError, match="not a valid attribute of an order"):
        to_item(RECORD.model_copy(update={"total_cents": 10**38}))
