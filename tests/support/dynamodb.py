"""DynamoDB of localbus without HTTP: actions are called by JSON, as a client sends it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from localbus.clock import ManualClock
from localbus.dynamodb import api
from localbus.dynamodb.state import DynamoDb
from localbus.errors import AwsError
from localbus.protocol.aws_json import JsonProtocol
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Operation, Params
from localbus.storage.storage import Storage

Item = dict[str, Any]

JOB: dict[str, Any] = {
    "p": {"S": "a"},
    "s": {"N": "1"},
    "n": {"N": "5"},
    "t": {"S": "text"},
    "l": {"L": [{"N": "1"}, {"S": "x"}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "d"}}}}},
    "e": {"SS": ["u", "v"]},
    "k": {"NULL": True},
}
"""The item of the table `jobs`, on which statements are tried."""

ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}


class Tables:
    """DynamoDB with a manual clock. `call` takes an action's name and members, and returns the answer's JSON."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.state = DynamoDb(self.clock, Storage())
        self._protocol = JsonProtocol(api.service(self.state))
        self.caller = Caller()

    def call(self, action: str, **members: Any) -> Any:
        """Call an action that answers at once. Raises AwsError."""
        operation, answer = self._called(action, members)
        assert isinstance(answer, dict)
        return self._document(operation, answer)

    async def later(self, action: str, **members: Any) -> Any:
        """Call an action that may answer later. Raises AwsError."""
        operation, answer = self._called(action, members)
        return self._document(operation, answer if isinstance(answer, dict) else await answer)

    def _called(self, action: str, members: dict[str, Any]) -> tuple[Operation, Params | Awaitable[Params]]:
        operation, params = self._protocol.read(action, json.dumps(members).encode())
        return operation, self._protocol.service.call(operation, params, self.caller)

    def _document(self, operation: Operation, answer: Params) -> Any:
        body = self._protocol.write(operation, answer, "").body
        assert isinstance(body, bytes)
        return json.loads(body or b"{}")

    def create(self, name: str, *key: str, **given: Any) -> None:
        """Create a table on demand. `key` and what is given for indexes are such as `pk:S`."""
        indexes = {member: [index(*one) for one in given.get(member, ())] for member in ("local", "both")}
        attributes = dict.fromkeys([*key, *(part for one in given.values() for _, *parts, _ in one for part in parts)])
        definitions = [dict(zip(("AttributeName", "AttributeType"), one.split(":"), strict=True)) for one in attributes]
        members = {
            "LocalSecondaryIndexes": indexes["local"],
            "GlobalSecondaryIndexes": indexes["both"],
        }
        self.call(
            "CreateTable",
            TableName=name,
            AttributeDefinitions=definitions,
            KeySchema=key_schema(*key),
            **ON_DEMAND,
            **{member: value for member, value in members.items() if value},
        )

    def put(self, table: str, *items: Item) -> None:
        """Put items of plain values."""
        for item in items:
            self.call("PutItem", TableName=table, Item=wire(item))

    def all(self, action: str, **members: Any) -> list[Item]:
        """Return all items of a query or scan, in pages."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            page = self.call(action, **members, **start)
            found += [plain(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def run_statement(tables: Tables, statement: str, *parameters: Any, **given: Any) -> Any:
    """Execute a PartiQL statement."""
    given |= {"Parameters": list(parameters)} if parameters else {}
    return tables.call("ExecuteStatement", Statement=statement, **given)


def key_schema(*key: str) -> list[Item]:
    """A key schema of attributes such as `pk:S`."""
    pairs = zip(key, ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": name.partition(":")[0], "KeyType": kind} for name, kind in pairs]


def index(name: str, *parts: Any) -> Item:
    """An index: its key attributes, and its projection, which is `ALL`, `KEYS_ONLY` or a list of attributes."""
    *key, projection = parts
    given = {"ProjectionType": projection} if isinstance(projection, str) else {"ProjectionType": "INCLUDE"}
    given |= {} if isinstance(projection, str) else {"NonKeyAttributes": projection}
    return {"IndexName": name, "KeySchema": key_schema(*key), "Projection": given}


def wire(item: Item) -> Item:
    """An item of plain values as attribute values: text is S, a number N, and others are given as they are."""
    return {name: _wire(value) for name, value in item.items()}


def _wire(value: Any) -> Any:
    match value:
        case str():
            return {"S": value}
        case int() | float():
            return {"N": str(value)}
    return value


def plain(item: Item) -> Item:
    """An item with texts for S and numbers for N."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: Any) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return content
        case "N":
            number = float(content)
            return int(number) if number.is_integer() else number
    return value


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """Return code and message of the error that a call ends in."""
    with pytest.raises(AwsError) as raised:
        call()
    return raised.value.code, raised.value.message
