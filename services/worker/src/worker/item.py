"""An OrderRecord as a DynamoDB item, there and back. The orders table's one encoding.

Times are UTC with six decimals, so that they sort as text: placed_at is the sort key of the customer index.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from orderboard_contracts.record import OrderRecord, parse_record

Item = dict[str, Any]

_TIMES: Final = ("recorded_at", "placed_at")
_serializer: Final = TypeSerializer()
_deserializer: Final = TypeDeserializer()


def to_item(record: OrderRecord) -> Item:
    """Encode what the record has; absent members stay absent."""
    members = record.model_dump(exclude_none=True, exclude_defaults=True)
    for name in _TIMES:
        if name in members:
            members[name] = _text(members[name])
    return {name: _serializer.serialize(value) for name, value in members.items()}


def from_item(item: Mapping[str, Any]) -> OrderRecord:
    """Decode an item; raises ValueError when it is no OrderRecord."""
    return parse_record({name: _deserializer.deserialize(value) for name, value in item.items()})


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
