"""INSERT, UPDATE, DELETE and EXISTS as writes of one item.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localbus.dynamodb.attribute_value import AttributeValue, Item, check_value
from localbus.dynamodb.errors import duplicate_item, invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.syntax import Call, ExpressionError, Node, Path
from localbus.dynamodb.expressions.update import bind_update
from localbus.dynamodb.partiql.statements import Delete, Exists, Insert, Update
from localbus.dynamodb.partiql.where import Parameters, conjuncts, exact_key, joined, wrong_key_type
from localbus.dynamodb.table import Table
from localbus.dynamodb.writes import Plan, Write

_ABSENT: AttributeValue = {}
_NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"


@dataclass(frozen=True)
class Insertion(Write):
    """A put of an item that must not exist."""

    def plan(self) -> Plan:
        """Decide on the present item. Raises AwsError if there is one."""
        if self.before() is not None:
            raise duplicate_item()
        return Plan(self, None, None, self.row)

    def insert(self) -> None:
        """Write it at once. Raises AwsError if there is an item."""
        if self.row is None or not self.table.insert(self.row):
            raise duplicate_item()


def insertion(insert: Insert, table: Table, parameters: Sequence[AttributeValue], sizes: Sequence[int]) -> Insertion:
    """Check an INSERT. Raises AwsError."""
    item: Item = {}
    size = insert.names_size
    for name, source in insert.members:
        if isinstance(source, int):
            item[name] = parameters[source]
            size += sizes[source]
        else:
            item[name] = value = dict(source)  # not changed any more, so its parts may be shared
            size += check_value(value)
    for name, kind in table.keys.types:
        value = item.get(name, _ABSENT)
        if not value:
            raise invalid(f"Key attribute should be present in the item: Key {name}")
        if kind not in value:
            raise wrong_key_type(name)
    row = table.row_of(item, size)
    return Insertion(table, row.key, item, row=row)


def update(statement: Update, table: Table, parameters: Parameters, *, shows_item: bool) -> Write:
    """Check an UPDATE, whose item must exist. Raises AwsError."""
    key, others = _key(statement.where, table, parameters, _NO_KEY)
    try:
        changes = bind_update(statement.actions, parameters)
    except ExpressionError as exc:
        raise invalid(str(exc)) from exc
    for name in table.keys.names:
        if name in changes.names:
            raise invalid_parameter(f"Cannot update attribute {name}. This attribute is part of the key")
    condition = joined([_exists(table), *others])
    return Write(table, table.key(key), key, condition, update=changes, shows_item=shows_item)


def deletion(statement: Delete, table: Table, parameters: Parameters, *, shows_item: bool) -> Write:
    """Check a DELETE. Without an item, its conditions do not count. Raises AwsError."""
    key, others = _key(statement.where, table, parameters, _NO_KEY)
    condition = joined(others)
    if condition is not None:
        condition = Condition(Call("OR", (Call("NOT", (_exists(table),)), condition.node)))
    return Write(table, table.key(key), key, condition, deletes=True, shows_item=shows_item)


def existence(statement: Exists, table: Table, parameters: Parameters, *, shows_item: bool) -> Write:
    """Check an EXISTS. Raises AwsError."""
    problem = "EXISTS() must contain a single item read with additional condition"
    key, others = _key(statement.where, table, parameters, problem)
    if not others:
        raise invalid(problem)
    return Write(table, table.key(key), key, joined([_exists(table), *others]), shows_item=shows_item)


def _exists(table: Table) -> Call:
    return Call("attribute_exists", (Path((table.keys.hash_name,)),))


def _key(where: Node | None, table: Table, parameters: Parameters, problem: str) -> tuple[Item, list[Node]]:
    found = exact_key(conjuncts(where, parameters), table.keys)
    if found is None:
        raise invalid(problem)
    return found
