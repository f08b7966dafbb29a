"""SELECT as a search of a table or an index, page by page.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.select.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from localbus.dynamodb.attribute_value import AttributeValue, Item, check_item
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import at_path
from localbus.dynamodb.expressions.syntax import Path
from localbus.dynamodb.key_codec import encode
from localbus.dynamodb.key_schema import Index, KeySchema
from localbus.dynamodb.partiql.statements import Select
from localbus.dynamodb.partiql.where import Parameters, Place, conjuncts
from localbus.dynamodb.search import Page, Search, search
from localbus.dynamodb.table import Table


@dataclass(frozen=True)
class Reading:
    """A checked SELECT: a search of all partitions (None), or of some, one after the other."""

    search: Search
    partitions: Sequence[AttributeValue] | None

    def can_start_at(self, key: Item) -> bool:
        """Return whether a key can be that of a page's last item. Raises AwsError or MalformedRequestError."""
        types = dict((*self.search.table.keys.types, *self.search.keys.types))
        if set(key) != set(types) or any(list(key[name]) != [kind] for name, kind in types.items()):
            return False
        check_item(key)
        return self.partitions is None or key[self.search.keys.hash_name] in self.partitions

    def page(self, limit: int | None, start: Item | None) -> Page:
        """Return the page after the start key."""
        if self.partitions is None:
            return search(replace(self.search, limit=limit, start_key=start))
        page, left = Page([], 0, 0, 0, None), list(self.partitions)
        if start is not None:
            left = left[left.index(start[self.search.keys.hash_name]) :]
        for partition in left:
            found = search(replace(self.search, hash_value=partition, limit=limit, start_key=start))
            page = Page(
                page.items + found.items,
                page.count + found.count,
                page.scanned + found.scanned,
                page.size + found.size,
                found.last_key,
            )
            if found.last_key is not None:
                break
            start, limit = None, None if limit is None else limit - found.scanned
        return page


def read(select: Select, table: Table, parameters: Parameters, *, consistent: bool) -> Reading:
    """Check a SELECT. Raises AwsError."""
    index = _index(select, table, consistent=consistent)
    keys = table.keys if index is None else index.keys
    place = Place(conjuncts(select.where, parameters), keys)
    forward = _ordered(select, keys, place)
    condition = place.condition
    wanted = Search(
        table,
        index,
        sort=place.sort,
        forward=forward,
        matches=None if condition is None else condition.matches,
        project=projection(select.paths),
        whole_items=_reaches_beyond(select.paths, index),
    )
    return Reading(wanted, place.partitions)


def _index(select: Select, table: Table, *, consistent: bool) -> Index | None:
    if select.index is None:
        return None
    index = table.indexes.get(select.index)
    if index is None:
        raise invalid("The table does not have the specified index")
    index.check_filled()
    if index.is_global and consistent:
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _ordered(select: Select, keys: KeySchema, place: Place) -> bool:
    """Sort the partitions as ORDER BY says, and return whether sort keys ascend."""
    if select.order and select.where is None:
        raise invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
    if select.order and place.partitions is None:
        raise invalid(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    order = dict(select.order)
    for name in order:
        if name not in keys.names:
            raise invalid(f"Variable reference {name} in ORDER BY clause must be part of the primary key")
    if keys.hash_name in order and place.partitions is not None:
        place.partitions.sort(key=encode, reverse=not order[keys.hash_name])
    return order.get(str(keys.range_name), True)


def _reaches_beyond(paths: Sequence[Path] | None, index: Index | None) -> bool:
    """Return whether a local index must read the table for attributes that it does not have. Raises AwsError."""
    if paths is None or index is None or index.projects_all:
        return False
    beyond = [str(path.steps[0]) for path in paths if path.steps[0] not in index.attributes]
    if beyond and index.is_global:
        raise invalid_parameter(f"Global secondary index {index.name} does not project [{', '.join(beyond)}]")
    return bool(beyond)


def projection(paths: Sequence[Path] | None) -> Callable[[Item], Item] | None:
    """Return a function that selects paths. Each is shown by its last name, and by the indexes after it."""
    if paths is None:
        return None
    labels = [_label(path) for path in paths]
    for label in labels:
        if labels.count(label) > 1:
            raise invalid(f"Duplicate identifiers in select clause: {label}")

    def project(item: Item) -> Item:
        found = ((label, at_path(path.steps, item)) for label, path in zip(labels, paths, strict=True))
        return {label: value for label, value in found if value is not None}

    return project


def _label(path: Path) -> str:
    label = ""
    for step in path.steps:
        label = step if isinstance(step, str) else f"{label}[{step}]"
    return label
