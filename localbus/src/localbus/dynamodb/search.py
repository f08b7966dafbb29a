"""A search of a table or an index, for Query, Scan and SELECT: one page of items in key order.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from localbus.dynamodb.attribute_value import AttributeValue, Item
from localbus.dynamodb.key_codec import ENCODERS
from localbus.dynamodb.key_schema import Index, KeySchema, encoded_partition, encoded_sort
from localbus.dynamodb.store import Range
from localbus.dynamodb.table import Table

MAX_PAGE_BYTES = 1024 * 1024

Bound = tuple[bytes, bool] | None  # the bytes of a sort key, and whether they are included


class SortCondition(NamedTuple):
    """A condition on the sort key: `=`, `<`, `<=`, `>`, `>=`, `BETWEEN` or `begins_with`, with its operands."""

    operator: str
    operands: tuple[AttributeValue, ...]


@dataclass(frozen=True)
class Search:
    """Items of one partition (a query), or of all partitions or one segment of them (a scan). All values are checked.

    `segment` is the number of a segment and that of all segments.
    """

    table: Table
    index: Index | None = None
    hash_value: AttributeValue | None = None
    sort: SortCondition | None = None
    forward: bool = True
    limit: int | None = None
    start_key: Item | None = None
    segment: tuple[int, int] | None = None
    matches: Callable[[Item], bool] | None = None
    project: Callable[[Item], Item] | None = None
    only_count: bool = False
    whole_items: bool = False  # also of an index that does not have all attributes

    @property
    def keys(self) -> KeySchema:
        """The key schema of the index or the table."""
        return self.table.keys if self.index is None else self.index.keys


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search. An item is one, or its JSON as it is stored; `last_key` is the key for the next page."""

    items: list[Item | orjson.Fragment]
    count: int
    scanned: int
    size: int
    last_key: Item | None


def search(wanted: Search) -> Page:
    """Return the first page after the start key: at most `limit` items, and no more after 1 MB."""
    items: list[Item | orjson.Fragment] = []
    count = scanned = size = 0
    last: bytes | None = None
    limit = wanted.limit or -1
    index = wanted.index
    visible = index.attributes if index is not None and not (index.projects_all or wanted.whole_items) else None
    raw = wanted.matches is None and wanted.project is None and visible is None
    rows = wanted.table.rows.read(_range(wanted))
    try:
        for item_size, text in rows:
            if last is not None:
                return Page(items, count, scanned, size, _last_key(wanted, orjson.loads(last)))
            scanned += 1
            size += item_size
            if raw:
                count += 1
                if not wanted.only_count:
                    items.append(orjson.Fragment(text))
            else:
                item: Item = orjson.loads(text)
                if visible is not None:
                    item = {name: value for name, value in item.items() if name in visible}
                if wanted.matches is None or wanted.matches(item):
                    count += 1
                    if not wanted.only_count:
                        items.append(item if wanted.project is None else wanted.project(item))
            if scanned == limit:
                return Page(items, count, scanned, size, _last_key(wanted, orjson.loads(text)))
            if size >= MAX_PAGE_BYTES:
                last = text
    finally:
        rows.close()
    return Page(items, count, scanned, size, None)


def is_within(wanted: Search, key: Item) -> bool:
    """Return whether a search could return an item with this key."""
    bounds, keys = _range(wanted), wanted.keys
    place = encoded_partition(key[keys.hash_name], keys.hash_type)
    first, end = bounds.places
    if place < first or (end is not None and place >= end) or bounds.partition not in {None, place}:
        return False
    sort = b"" if keys.range_name is None else encoded_sort(key[keys.range_name], keys.range_type)
    low, high = bounds.low, bounds.high
    above = low is None or sort > low[0] or (low[1] and sort == low[0])
    return above and (high is None or sort < high[0] or (high[1] and sort == high[0]))


def _last_key(wanted: Search, item: Item) -> Item:
    """Return the key of an item in the table and in the index."""
    return {name: item[name] for name in dict.fromkeys((*wanted.table.keys.names, *wanted.keys.names))}


def _range(wanted: Search) -> Range:
    keys = wanted.keys
    place = None if wanted.hash_value is None else encoded_partition(wanted.hash_value, keys.hash_type)
    low, high = _bounds(wanted.sort, keys.range_type) if wanted.sort is not None else (None, None)
    number = None if wanted.index is None else wanted.index.number
    return Range(number, place, _places(wanted.segment), low, high, wanted.forward, _after(wanted))


def _after(wanted: Search) -> tuple[bytes, ...] | None:
    """Return the position of the start key: in the index and in the table."""
    if wanted.start_key is None:
        return None
    found: list[bytes] = []
    for keys in (wanted.keys, wanted.table.keys) if wanted.index is not None else (wanted.keys,):
        found.append(encoded_partition(wanted.start_key[keys.hash_name], keys.hash_type))
        sort = keys.range_name
        found.append(b"" if sort is None else encoded_sort(wanted.start_key[sort], keys.range_type))
    return tuple(found)


def _places(segment: tuple[int, int] | None) -> tuple[bytes, bytes | None]:
    """Return the first place of a segment and the first after it."""
    if segment is None:
        return b"", None
    number, total = segment
    first, end = (((number + more) << 128) // total for more in (0, 1))
    return first.to_bytes(16, "big"), None if number + 1 == total else end.to_bytes(16, "big")


def _bounds(condition: SortCondition, kind: str) -> tuple[Bound, Bound]:
    low, *more = (ENCODERS[kind](operand[kind]) for operand in condition.operands)
    match condition.operator:
        case "=":
            return (low, True), (low, True)
        case "<" | "<=":
            return None, (low, condition.operator == "<=")
        case ">" | ">=":
            return (low, condition.operator == ">="), None
        case "BETWEEN":
            return (low, True), (more[0], True)
    end = low.rstrip(b"\xff")  # begins_with: up to the next bytes that do not begin with these
    return (low, True), (end[:-1] + bytes([end[-1] + 1]), False) if end else None
