"""The format of an OrderRecord in the orders table, as a DynamoDB item.

Times are UTC with six decimals, so that they sort as text: placed_at is the sort key of the customer index.
boto3's TypeSerializer would do the same, but importing boto3 takes a tenth of a service's start.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from orderboard_contracts.order import PricedLine
from orderboard_contracts.record import OrderRecord, parse_record

Item = dict[str, Any]

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types
_TOO_LARGE: Final = 10**38
_UTC_OFFSET: Final = "+00:00"


def to_item(record: OrderRecord) -> Item:
    """Encode a record without unset attributes; raise ValueError for an integer of more than 38 digits."""
    return {name: _encoded(value) for name, value in vars(record).items() if value is not None and value != ()}


def from_item(item: Mapping[str, Any]) -> OrderRecord:
    """Decode an item; raise ValueError when it is not a valid OrderRecord."""
    return parse_record({name: _decoded(value) for name, value in item.items()})


def _encoded(value: object) -> Item:
    encode = _ENCODERS.get(type(value))
    if encode is None:
        raise ValueError(f"not a valid attribute of an order: {type(value).__name__} {str(value)[:40]}")
    return encode(value)


def _number(value: int) -> Item:
    if abs(value) >= _TOO_LARGE:
        raise ValueError(f"not a valid attribute of an order: an integer of more than 38 digits, {str(value)[:40]}")
    return {"N": str(value)}


def _time(value: datetime) -> Item:
    text = value.isoformat(timespec="microseconds")
    if not text.endswith(_UTC_OFFSET):
        text = value.astimezone(UTC).isoformat(timespec="microseconds")
    return {"S": text.removesuffix(_UTC_OFFSET) + "Z"}


_ENCODERS: Final[Mapping[type, Callable[[Any], Item]]] = {
    str: lambda value: {"S": value},
    int: _number,
    datetime: _time,
    tuple: lambda values: {"L": [_encoded(each) for each in values]},
    PricedLine: lambda line: {"M": {name: _encoded(value) for name, value in vars(line).items()}},
}


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
