"""A table: its definition, and its items by key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from localbus.dynamodb.attribute_value import MAX_ITEM_BYTES, Item, check_value, kind_of
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.key_schema import Index, KeySchema, check_filled, encoded_partition, encoded_sort, index_key
from localbus.dynamodb.store import NOT_INDEXED, IndexKey, Key, Row, Rows
from localbus.errors import AwsError
from localbus.storage.documents import Document

_FILLED_AT_ONCE = 500
_BEHIND_S = 300


@dataclass
class Recovery:
    """Point-in-time recovery of a table, since it was enabled."""

    since: float
    now: Callable[[], float]
    days: int = 35

    @property
    def earliest(self) -> float:
        """The earliest time to which the table can be restored."""
        return max(self.since, self.now() - self.days * 86400)

    @property
    def latest(self) -> float:
        """The latest time to which the table can be restored: five minutes ago, as it typically is on AWS."""
        return max(self.since, self.now() - _BEHIND_S)


@dataclass
class Table:
    """A table. `item_count` and `size_bytes` are exact, where AWS counts every six hours."""

    name: str
    arn: str
    table_id: str
    created: float
    keys: KeySchema
    types: dict[str, str]
    rows: Rows
    settings: dict[str, Any] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    ttl_attribute: str | None = None
    on_expiry: Callable[[int], None] | None = None  # called with the time to live of each new item
    on_count: Callable[[], object] = lambda: None  # called for each change of the counts
    recovery: Recovery | None = None
    filling: str = ""  # the status while index keys and times to live of its items are set
    filled_to: int = 0  # the number of the last of these items
    item_count: int = 0
    size_bytes: int = 0

    @property
    def status(self) -> str:
        """The TableStatus between two requests."""
        return self.filling or "ACTIVE"

    # Storage

    def document(self) -> Document:
        """Return the definition for the storage."""
        recovery = self.recovery
        return {
            "name": self.name,
            "table_id": self.table_id,
            "created": self.created,
            "keys": asdict(self.keys),
            "types": self.types,
            "settings": self.settings,
            "indexes": [index.document() for index in self.indexes.values()],
            "tags": self.tags,
            "ttl_attribute": self.ttl_attribute,
            "recovery": None if recovery is None else {"since": recovery.since, "days": recovery.days},
            "rows": self.rows.number,
            "last_index": self.rows.last_index,
            "filling": self.filling,
        }

    def counts(self) -> Document:
        """Return the counts for the storage: of the table and of each index."""
        indexes = {index.name: [index.item_count, index.size_bytes] for index in self.indexes.values()}
        return [self.item_count, self.size_bytes, indexes]

    def restore_counts(self, counts: Document) -> None:
        """Set the counts that `counts` has returned."""
        self.item_count, self.size_bytes, indexes = counts
        for name, (item_count, size_bytes) in indexes.items():
            if name in self.indexes:
                self.indexes[name].item_count, self.indexes[name].size_bytes = item_count, size_bytes

    # Keys

    def key(self, given: Item) -> Key:
        """Return the key that a request names. Raises AwsError if it does not fit the key schema."""
        if len(given) != len(self.keys.names):
            raise invalid("The provided key element does not match the schema")
        for name, kind in self.keys.types:
            value = given.get(name)
            if value is None:
                raise invalid("The provided key element does not match the schema")
            check_value(value)
            if kind not in value:
                raise invalid("The provided key element does not match the schema")
            check_filled(name, kind, value)
        return self._key(given)

    def key_of(self, item: Item) -> Key:
        """Return the key of a checked item. Raises AwsError if it has none."""
        for name, kind in self.keys.types:
            value = item.get(name)
            if value is None:
                raise invalid_parameter(f"Missing the key {name} in the item")
            if kind not in value:
                raise invalid_parameter(f"Type mismatch for key {name} expected: {kind} actual: {kind_of(value)}")
            check_filled(name, kind, value)
        return self._key(item)

    def _key(self, item: Item) -> Key:
        keys = self.keys
        place = encoded_partition(item[keys.hash_name], keys.hash_type)
        return Key(place, b"" if keys.range_name is None else encoded_sort(item[keys.range_name], keys.range_type))

    def _index_keys(self, item: Item, *, lenient: bool) -> list[IndexKey]:
        found: list[IndexKey] = []
        for index in self.indexes.values():
            try:
                found.append(index_key(index, item))
            except AwsError:
                if not lenient:
                    raise
                found.append(NOT_INDEXED)
        return found

    # Items

    def row_of(self, item: Item, size: int, *, lenient: bool = False) -> Row:
        """Return the row of a checked item. Raises AwsError.

        `lenient` leaves an item that does not fit an index out of it, as in an index that is made after the item.
        """
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        key = self.key_of(item)
        index_keys = self._index_keys(item, lenient=lenient) if self.indexes else ()
        written = None if self.recovery is None else self.recovery.now()
        return Row(key, self._expiry(item), written, size, orjson.dumps(item), index_keys)

    def _expiry(self, item: Item) -> int | None:
        """Return the time to live of an item, if it is a number of seconds."""
        if self.ttl_attribute is None:
            return None
        number = item.get(self.ttl_attribute, {}).get("N")
        return int(float(number)) if number is not None and len(number) < 16 else None

    def insert(self, row: Row) -> bool:
        """Add an item. Return False, and add nothing, if there is one of its key."""
        if not self.rows.insert(row):
            return False
        self._added(row)
        return True

    def put(self, row: Row) -> None:
        """Add or replace an item."""
        if not self.insert(row):
            self._removed(row.key)
            self.rows.update(row)
            self._added(row)

    def get(self, key: Key) -> Item | None:
        """Return an item."""
        found = self.rows.get(key)
        return orjson.loads(found[1]) if found else None

    def read(
        self, key: Key, project: Callable[[Item], Item] | None = None
    ) -> tuple[int, Item | orjson.Fragment | None]:
        """Return the size of an item and the item: its JSON as it is stored, or what `project` selects of it."""
        found = self.rows.get(key)
        if found is None:
            return 0, None
        return found[0], orjson.Fragment(found[1]) if project is None else project(orjson.loads(found[1]))

    def row_at(self, key: Key) -> Row | None:
        """Return the row of an item."""
        found = self.rows.get(key)
        return None if found is None else self.row_of(orjson.loads(found[1]), found[0], lenient=True)

    def delete(self, key: Key) -> None:
        """Remove an item, if there is one."""
        if self._removed(key):
            self.rows.delete(key)

    def fill_some(self) -> None:
        """Set the index keys and the time to live of the next items. `filling` is empty after the last ones.

        An item that does not fit an index is not in it. Items that are written meanwhile have their keys already.
        """
        found = self.rows.after(self.filled_to, _FILLED_AT_ONCE)
        for number, size, text, *places in found:
            item = orjson.loads(text)
            keys, expires = self._index_keys(item, lenient=True), self._expiry(item)
            self.rows.reindex(number, expires, keys)
            for index, before, (place, _) in zip(self.indexes.values(), places, keys, strict=True):
                if before is None and place is not None:
                    index.item_count += 1
                    index.size_bytes += size
            if expires is not None and self.on_expiry is not None:
                self.on_expiry(expires)
        self.on_count()
        if len(found) < _FILLED_AT_ONCE:
            self.filling = ""
            for index in self.indexes.values():
                index.is_filling = False
        else:
            self.filled_to = found[-1][0]

    def _added(self, row: Row) -> None:
        self.on_count()
        self.item_count += 1
        self.size_bytes += row.size
        for index, (place, _) in zip(self.indexes.values(), row.index_keys, strict=False):
            if place is not None:
                index.item_count += 1
                index.size_bytes += row.size
        if row.expires is not None and self.on_expiry is not None:
            self.on_expiry(row.expires)

    def _removed(self, key: Key) -> bool:
        found = self.rows.get(key)
        if found is None:
            return False
        if self.recovery is not None:
            self.rows.remember(key, self.recovery.now(), self.recovery.earliest)
        size, _, *places = found
        self.on_count()
        self.item_count -= 1
        self.size_bytes -= size
        for index, place in zip(self.indexes.values(), places, strict=True):
            if place is not None:
                index.item_count -= 1
                index.size_bytes -= size
        return True
