"""The key schema of a table or an index, and the keys of items by it.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html (sizes of keys)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from localbus.dynamodb.attribute_value import AttributeValue, Item, kind_of
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.key_codec import ENCODERS, partition
from localbus.dynamodb.store import NOT_INDEXED, IndexKey
from localbus.errors import AwsError
from localbus.storage.documents import Document

MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024

_EMPTY = {"S": "string", "B": "binary"}


@dataclass(frozen=True)
class KeySchema:
    """The key attributes of a table or an index, with their types."""

    hash_name: str
    hash_type: str
    range_name: str | None = None
    range_type: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the attributes, the partition key's first."""
        return (self.hash_name,) if self.range_name is None else (self.hash_name, self.range_name)

    @cached_property
    def types(self) -> tuple[tuple[str, str], ...]:
        """The names and types."""
        found = ((self.hash_name, self.hash_type),)
        return found if self.range_name is None else (*found, (self.range_name, self.range_type))

    def shown(self) -> list[dict[str, str]]:
        """Return it as DescribeTable does."""
        return [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(self.names, ("HASH", "RANGE"), strict=False)
        ]


@dataclass
class Index:
    """A secondary index. `number` is that of its rows; `size_bytes` counts whole items, whatever is projected."""

    name: str
    keys: KeySchema
    number: int
    projection: Mapping[str, Any]
    is_global: bool = True
    throughput: Mapping[str, int] = field(default_factory=dict)
    item_count: int = 0
    size_bytes: int = 0

    settings: dict[str, Any] = field(default_factory=dict)
    table_keys: tuple[str, ...] = ()
    is_filling: bool = False

    def check_filled(self) -> None:
        """Raise AwsError while the index does not have all items yet."""
        if self.is_filling:
            raise invalid(f"Cannot read from backfilling global secondary index: {self.name}")

    def document(self) -> Document:
        """Return the definition for the storage, without the counts."""
        return {
            "name": self.name,
            "keys": asdict(self.keys),
            "number": self.number,
            "projection": self.projection,
            "is_global": self.is_global,
            "throughput": self.throughput,
            "settings": self.settings,
            "table_keys": self.table_keys,
            "is_filling": self.is_filling,
        }

    @classmethod
    def restored(cls, document: Document) -> Index:
        """Return the index of a document."""
        keys, table_keys = KeySchema(**document["keys"]), tuple(document["table_keys"])
        return cls(**document | {"keys": keys, "table_keys": table_keys})

    @property
    def projects_all(self) -> bool:
        """True if the index has the whole items."""
        return bool(self.projection["ProjectionType"] == "ALL")

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that it has, unless it has all."""
        return frozenset((*self.table_keys, *self.keys.names, *self.projection.get("NonKeyAttributes", ())))


class EmptyIndexKeyError(AwsError):
    """An empty value of an attribute that is in the key of an index."""

    def __init__(self, index: str, name: str, kind: str) -> None:
        self.reason = f"The AttributeValue for a key attribute cannot contain an empty {kind} value."
        text = f"A value specified for a secondary index key is not supported. {self.reason}"
        text = f"One or more parameter values are not valid. {text} IndexName: {index}, IndexKey: {name}"
        super().__init__("ValidationException", text)


def encoded_partition(value: AttributeValue, kind: str) -> bytes:
    """Return the place of a partition key's value. Raises AwsError if it is too long."""
    encoded = ENCODERS[kind](value[kind])
    if len(encoded) > MAX_PARTITION_KEY_BYTES:
        raise invalid_parameter("Size of hashkey has exceeded the maximum size limit of2048 bytes")
    return partition(encoded)


def encoded_sort(value: AttributeValue, kind: str) -> bytes:
    """Return the bytes of a sort key's value. Raises AwsError if it is too long."""
    encoded = ENCODERS[kind](value[kind])
    if len(encoded) > MAX_SORT_KEY_BYTES:
        raise invalid_parameter("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
    return encoded


def check_filled(name: str, kind: str, value: AttributeValue) -> None:
    """Raise AwsError for an empty value of a key attribute."""
    if not value[kind]:
        text = f"The AttributeValue for a key attribute cannot contain an empty {_EMPTY[kind]} value. Key: {name}"
        raise invalid(f"One or more parameter values are not valid. {text}")


def index_key(index: Index, item: Item) -> IndexKey:
    """Return the key of an item in an index; none if the item is not in it. Raises AwsError for a wrong type."""
    keys = index.keys
    found = [item.get(name) for name in keys.names]
    for (name, kind), value in zip(keys.types, found, strict=True):
        if value is not None and not value.get(kind):
            raise _bad_index_key(index, name, kind, value)
    if None in found:
        return NOT_INDEXED
    place = encoded_partition(item[keys.hash_name], keys.hash_type)
    return place, b"" if keys.range_name is None else encoded_sort(item[keys.range_name], keys.range_type)


def _bad_index_key(index: Index, name: str, kind: str, value: AttributeValue) -> AwsError:
    if kind in value:
        return EmptyIndexKeyError(index.name, name, _EMPTY[kind])
    text = f"Type mismatch for Index Key {name} Expected: {kind} Actual: {kind_of(value)} IndexName: {index.name}"
    return invalid_parameter(text)
