"""A write of one item: put, update, delete or a mere check, alone or in a transaction.

`read_` functions check a request; `Write.plan` decides, on the present item, what the write does; `Plan.apply` does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from localbus.dynamodb.attribute_value import MAX_ITEM_BYTES, Item, check_item
from localbus.dynamodb.errors import condition_failed, invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.request import Expressions
from localbus.dynamodb.expressions.update import Update
from localbus.dynamodb.key_schema import EmptyIndexKeyError
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Key, Row
from localbus.dynamodb.table import Table
from localbus.protocol.service import Caller

Given = Mapping[str, Any]
Checking = AbstractContextManager[None]

_PLAIN: Checking = nullcontext()


@dataclass(frozen=True)
class Write:
    """A checked write. A put has a row, an update has its expression; a delete and a check have neither."""

    table: Table
    key: Key
    given_key: Item
    condition: Condition | None = None
    row: Row | None = None
    update: Update | None = None
    deletes: bool = False
    shows_item: bool = False  # in the error, if the condition fails

    def plan(self) -> Plan:
        """Decide on the present item. Raises AwsError if the condition fails or the new item is not valid."""
        before = self.before()
        if self.condition is not None and not self.condition.matches(before):
            raise condition_failed(before if self.shows_item else None)
        if self.row is not None:
            return Plan(self, before, None, self.row)
        if self.update is None:
            return Plan(self, before, None if self.deletes else before, None)
        if before is None and not self.update.creates:
            return Plan(self, None, None, None)
        after = self.update.apply(dict(self.given_key) if before is None else before)
        size = check_item(after)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        try:
            return Plan(self, before, after, self.table.row_of(after, size))
        except EmptyIndexKeyError as exc:
            text = "The update expression attempted to update a secondary index key to a value that is not supported."
            raise invalid(f"One or more parameter values are not valid. {text} {exc.reason}") from exc

    def before(self) -> Item | None:
        """Return the present item."""
        return self.table.get(self.key)


@dataclass(frozen=True)
class Plan:
    """The item before and after a write (None: there is none; for a put, `row` has it), and the row to be written."""

    write: Write
    before: Item | None
    after: Item | None
    row: Row | None

    def apply(self) -> None:
        """Write it."""
        if self.row is not None:
            self.write.table.put(self.row)
        elif self.write.deletes:
            self.write.table.delete(self.write.key)

    def returned(self, wanted: str) -> Item | None:
        """Return the attributes that a request asks for, such as `ALL_OLD`."""
        update = self.write.update
        match wanted:
            case "ALL_OLD":
                return self.before
            case "ALL_NEW":
                return self.after
            case "UPDATED_OLD" if update is not None and self.before is not None:
                return update.touched.apply(self.before)
            case "UPDATED_NEW" if update is not None and self.after is not None:
                return update.touched.apply(self.after)
        return None


def read_put(dynamodb: DynamoDb, given: Given, caller: Caller, checking: Checking = _PLAIN) -> Write:
    """Check a put. Raises AwsError. What does not depend on the table is checked within `checking`."""
    item = given["Item"]
    with checking:
        condition, size = _only_condition(given), check_item(item)
    table = dynamodb.table(given["TableName"], caller)
    row = table.row_of(item, size)
    return Write(table, row.key, item, condition, row, shows_item=_shows_item(given))


def read_update(dynamodb: DynamoDb, given: Given, caller: Caller, checking: Checking = _PLAIN) -> Write:
    """Check an update. Raises AwsError."""
    with checking:
        check_item(given["Key"])
        expressions = Expressions(given, "UpdateExpression", "ConditionExpression")
        update, condition = expressions.update(), expressions.condition()
        expressions.check_unused()
    table, key = _placed(dynamodb, given, caller)
    for name in table.keys.names:
        if name in update.names:
            raise invalid_parameter(f"Cannot update attribute {name}. This attribute is part of the key")
    return Write(table, key, given["Key"], condition, update=update, shows_item=_shows_item(given))


def read_delete(dynamodb: DynamoDb, given: Given, caller: Caller, checking: Checking = _PLAIN) -> Write:
    """Check a delete. Raises AwsError."""
    with checking:
        check_item(given["Key"])
        condition = _only_condition(given)
    table, key = _placed(dynamodb, given, caller)
    return Write(table, key, given["Key"], condition, deletes=True, shows_item=_shows_item(given))


def read_check(dynamodb: DynamoDb, given: Given, caller: Caller, checking: Checking = _PLAIN) -> Write:
    """Check a condition check. Raises AwsError."""
    with checking:
        condition = _only_condition(given)
    table, key = _placed(dynamodb, given, caller)
    return Write(table, key, given["Key"], condition, shows_item=_shows_item(given))


def _placed(dynamodb: DynamoDb, given: Given, caller: Caller) -> tuple[Table, Key]:
    table = dynamodb.table(given["TableName"], caller)
    return table, table.key(given["Key"])


def _only_condition(given: Given) -> Condition | None:
    expressions = Expressions(given, "ConditionExpression")
    condition = expressions.condition()
    expressions.check_unused()
    return condition


def _shows_item(given: Given) -> bool:
    return given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
