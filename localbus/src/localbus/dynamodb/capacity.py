"""Consumed capacity: the units that reads and writes cost on AWS.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localbus.dynamodb.attribute_value import Item
from localbus.dynamodb.store import NOT_INDEXED, Row
from localbus.dynamodb.table import Table
from localbus.dynamodb.writes import Plan
from localbus.protocol.service_model import Params

_READ_BYTES = 4096
_WRITE_BYTES = 1024
TRANSACTION = 2  # a transaction reads or writes each item twice


@dataclass
class Capacity:
    """The units of a table and of its indexes."""

    table: Table
    units: float = 0.0
    indexes: dict[str, float] = field(default_factory=dict)

    def add(self, other: Capacity) -> None:
        """Add another request's units."""
        self.units += other.units
        for name, units in other.indexes.items():
            self.indexes[name] = self.indexes.get(name, 0.0) + units

    def shown(self, level: str, *, detail: str | None = None) -> Params:
        """Return it as an answer does: `TOTAL`, or `INDEXES` for each index. `detail` is a transaction's member."""
        total = self.units + sum(self.indexes.values())
        found: Params = {"TableName": self.table.name, "CapacityUnits": total}
        if detail is not None:
            found[detail] = total
        if level == "INDEXES":
            found["Table"] = {"CapacityUnits": self.units} | ({detail: self.units} if detail else {})
            for name, units in self.indexes.items():
                member = "GlobalSecondaryIndexes" if self.table.indexes[name].is_global else "LocalSecondaryIndexes"
                found.setdefault(member, {})[name] = {"CapacityUnits": units}
        return found


def wants(params: Mapping[str, Any]) -> str | None:
    """Return the level that a request asks for, None if it does not."""
    level = params.get("ReturnConsumedCapacity", "NONE")
    return None if level == "NONE" else str(level)


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of reading so many bytes at once. An item that does not exist costs one read."""
    return max(1, -(-size // _READ_BYTES)) * (1.0 if consistent else 0.5)


def _write_units(size: int) -> float:
    return float(max(1, -(-size // _WRITE_BYTES)))


def of_write(table: Table, before: Row | None, after: Row | None) -> Capacity:
    """Return the units of a write that turned one row into another; None is an item that does not exist."""
    sizes = [row.size for row in (before, after) if row is not None]
    found = Capacity(table, _write_units(max(sizes, default=0)))
    for at, name in enumerate(table.indexes):
        units = _index_units(at, before, after)
        if units:
            found.indexes[name] = units
    return found


def of_plan(plan: Plan) -> Capacity:
    """Return the units of a write that is decided and not yet done. One that changes nothing writes no index."""
    write = plan.write
    before = write.table.row_at(write.key)
    return of_write(write.table, before, plan.row if plan.row is not None or write.deletes else before)


def _index_units(at: int, before: Row | None, after: Row | None) -> float:
    """Return the units of the entries that a write adds, removes or changes in an index."""
    keys = [(row.index_keys[at], row) for row in (before, after) if row is not None]
    entries = [(key, row) for key, row in keys if key != NOT_INDEXED]
    if len(entries) == 2 and entries[0][0] == entries[1][0]:
        if entries[0][1].item == entries[1][1].item:
            return 0.0
        return _write_units(max(row.size for _, row in entries))
    return sum(_write_units(row.size) for _, row in entries)


def of_collection(table: Table, item: Item) -> Params | None:
    """Return the ItemCollectionMetrics of a write, which only tables with local indexes have."""
    if all(index.is_global for index in table.indexes.values()):
        return None
    return {"ItemCollectionKey": {table.keys.hash_name: item[table.keys.hash_name]}, "SizeEstimateRangeGB": [0.0, 1.0]}


def of_search(table: Table, index: str | None, size: int, *, consistent: bool) -> Capacity:
    """Return the units of a page of a search of so many bytes."""
    units = read_units(size, consistent=consistent)
    return Capacity(table, units) if index is None else Capacity(table, indexes={index: units})


def merged(parts: Iterable[Capacity]) -> list[Capacity]:
    """Return the units of many requests by table."""
    found: dict[str, Capacity] = {}
    for part in parts:
        found.setdefault(part.table.name, Capacity(part.table)).add(part)
    return list(found.values())
