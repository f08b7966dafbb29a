"""A statement of a request with its table and its parameters, to be made a write or a read of one item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from localbus.dynamodb.attribute_value import AttributeValue, Item, check_value
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.partiql.parser import parse
from localbus.dynamodb.partiql.reading import projection
from localbus.dynamodb.partiql.statements import Delete, Exists, Insert, Select, Statement, Update
from localbus.dynamodb.partiql.where import Parameters, conjuncts, exact_key
from localbus.dynamodb.partiql.writing import deletion, existence, insertion, update
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Key
from localbus.dynamodb.table import Table
from localbus.dynamodb.writes import Write
from localbus.protocol.service import Caller

_NOT_IN_TRANSACTION = "EXISTS can only be used in ExecuteTransaction write requests."


@dataclass(frozen=True)
class Get:
    """A read of one item."""

    table: Table
    key: Key
    project: Callable[[Item], Item] | None

    def item(self) -> tuple[int, Item | orjson.Fragment | None]:
        """Return the size of the item and what is selected of it."""
        return self.table.read(self.key, self.project)


@dataclass(frozen=True)
class Request:
    """A parsed statement with its table and its checked parameters.

    `sizes` are those of the parameters in bytes; `shows_item` is ReturnValuesOnConditionCheckFailure.
    """

    statement: Statement
    table: Table
    values: Sequence[AttributeValue]
    sizes: Sequence[int]
    shows_item: bool

    def write(self, *, in_transaction: bool = False) -> Write:
        """Return the statement as a write. Raises AwsError."""
        statement = self.statement
        if isinstance(statement, Insert):
            return insertion(statement, self.table, self.values, self.sizes)
        parameters = Parameters(self.values)
        match statement:
            case Update():
                return update(statement, self.table, parameters, shows_item=self.shows_item)
            case Delete():
                return deletion(statement, self.table, parameters, shows_item=self.shows_item)
            case Exists() if in_transaction:
                return existence(statement, self.table, parameters, shows_item=self.shows_item)
        raise invalid(_NOT_IN_TRANSACTION)

    def get(self, problem: str) -> Get:
        """Return a SELECT of one item. Raises AwsError with the problem if it does not name exactly a key."""
        statement = self.statement
        if not isinstance(statement, Select) or statement.index is not None:
            raise invalid(problem)
        found = exact_key(conjuncts(statement.where, Parameters(self.values)), self.table.keys)
        if found is None or found[1]:
            raise invalid(problem)
        return Get(self.table, self.table.key(found[0]), projection(statement.paths))


def check_parameters(given: Mapping[str, Any]) -> list[int]:
    """Check and normalize the parameters of a statement, and return their sizes. Raises AwsError."""
    return [check_value(value) for value in given.get("Parameters", ())]


def read_request(dynamodb: DynamoDb, given: Mapping[str, Any], sizes: Sequence[int], caller: Caller) -> Request:
    """Parse a statement, whose parameters have been checked, and find its table. Raises AwsError."""
    statement, parameters = parse(given["Statement"])
    values = given.get("Parameters", ())
    if len(values) != parameters:
        raise invalid("Number of parameters in request and statement don't match.")
    shows_item = given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return Request(statement, dynamodb.table(statement.table, caller), values, sizes, shows_item)
