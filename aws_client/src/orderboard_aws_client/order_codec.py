"""The format of an OrderRecord in the orders table, as a DynamoDB item.

Times are UTC with six decimals, so that they sort as text: placed_at is the sort key of the customer index.
boto3's TypeSerializer would do the same, but importing boto3 takes a tenth of a service's start.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orderboard_contracts.record import OrderRecord, parse_record

Item = dict[str, Any]


def to_item(record: OrderRecord) -> Item:
    """Encode a record; unset attributes are omitted."""
    attributes = record.model_dump(exclude_none=True, exclude_defaults=True)
    return {name: _encoded(value) for name, value in attributes.items()}


def from_item(item: Mapping[str, Any]) -> OrderRecord:
    """Decode an item; raise ValueError when it is not a valid OrderRecord."""
    return parse_record({name: _decoded(value) for name, value in item.items()})


def _encoded(value: object) -> Item:
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case datetime():
            return {"S": value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")}
        case list() | tuple():
            return {"L": [_encoded(each) for each in value]}
        case dict():
            return {"M": {name: _encoded(each) for name, each in value.items()}}
    raise TypeError(f"an order has no attribute of type {type(value).__name__}")


def _decoded(attribute: Mapping[str, Any]) -> object:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "L":
            return [_decoded(each) for each in value]
        case "M":
            return {name: _decoded(each) for name, each in value.items()}
    return Decimal(value) if kind == "N" else value
