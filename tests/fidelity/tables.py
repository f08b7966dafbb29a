"""Tables of DynamoDB for checks, with items as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from fidelity.aws import Aws

_SERIALIZER: Final = TypeSerializer()
_DESERIALIZER: Final = TypeDeserializer()


def item(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as the API has it."""
    return {name: _SERIALIZER.serialize(value) for name, value in given.items()}


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of the API as Python values. Numbers are Decimals, which equal ints."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in given.items()}


@dataclass(frozen=True)
class Table:
    """A table of an engine. `keys` are its key attributes; the partition key is p and the sort key s."""

    client: Any
    name: str
    keys: tuple[str, ...]

    def put(self, **attributes: Any) -> None:
        """Put an item."""
        self.client.put_item(TableName=self.name, Item=item(attributes))

    def key(self, *values: Any) -> dict[str, Any]:
        """Return a key as the API has it."""
        return item(dict(zip(self.keys, values, strict=True)))

    def get(self, *key: Any) -> dict[str, Any] | None:
        """Return an item, read consistently."""
        answer = self.client.get_item(TableName=self.name, Key=self.key(*key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def update(self, expression: str, *key: Any, **given: Any) -> dict[str, Any]:
        """Update the item of a key, `a` by default, and return the answer. Values are by name, such as v=1."""
        parameters = {name: given.pop(name) for name in list(given) if name[0].isupper()}
        parameters |= {"ExpressionAttributeValues": values(given)} if given else {}
        key = key or ("a", 1)[: len(self.keys)]
        answer: dict[str, Any] = self.client.update_item(
            TableName=self.name, Key=self.key(*key), UpdateExpression=expression, **parameters
        )
        return answer

    def holds(self, condition: str, **given: Any) -> bool:
        """Return whether the item `a` passes a filter. Values are by name, such as v=1."""
        parameters = {"ExpressionAttributeValues": values(given)} if given else {}
        answer = self.client.scan(TableName=self.name, FilterExpression=condition, ConsistentRead=True, **parameters)
        return bool(answer["Count"])

    def query(self, condition: str, **given: Any) -> dict[str, Any]:
        """Query. Values are by name, such as v=1."""
        parameters = {name: given.pop(name) for name in list(given) if name[0].isupper()}
        answer: dict[str, Any] = self.client.query(
            TableName=self.name, KeyConditionExpression=condition, ExpressionAttributeValues=values(given), **parameters
        )
        return answer

    def sorts(self, condition: str, **given: Any) -> list[Any]:
        """Query, and return the sort keys found."""
        return [plain(one)["s"] for one in self.query(condition, **given)["Items"]]

    def run(self, statement: str, *parameters: Any, **given: Any) -> dict[str, Any]:
        """Execute a statement, in which T stands for the table."""
        given |= {"Parameters": [_SERIALIZER.serialize(value) for value in parameters]} if parameters else {}
        answer: dict[str, Any] = self.client.execute_statement(Statement=self.statement(statement), **given)
        return answer

    def found(self, statement: str, *parameters: Any, **given: Any) -> list[dict[str, Any]]:
        """Execute a statement, and return its items."""
        return [plain(one) for one in self.run(statement, *parameters, **given)["Items"]]

    def statement(self, text: str) -> str:
        """Return a statement with the table's name for T."""
        return text.replace(" T", f' "{self.name}"', 1)


def values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of expressions by their references."""
    return {f":{name}": _SERIALIZER.serialize(value) for name, value in given.items()}


def table(aws: Aws, sort: str = "", **given: Any) -> Table:
    """Create a table with the partition key p (a text) and, if `sort` is its type, the sort key s."""
    client, name = aws.client("dynamodb"), aws.name()
    keys = [("p", "HASH", "S"), *([("s", "RANGE", sort)] if sort else [])]
    types = {key: kind for key, _, kind in keys} | given.pop("types", {})
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, role, _ in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        BillingMode="PAY_PER_REQUEST",
        **given,
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return Table(client, name, tuple(key for key, _, _ in keys))


def index(name: str, *keys: str, projection: str = "ALL") -> dict[str, Any]:
    """Return a secondary index with these keys."""
    roles = zip(keys, ("HASH", "RANGE"), strict=False)
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": role} for key, role in roles],
        "Projection": {"ProjectionType": projection},
    }


def name_of(aws: Aws) -> str:
    """Return the name of a new table without a sort key."""
    return table(aws).name


def sorted_name(aws: Aws) -> str:
    """Return the name of a new table with a sort key that is a number."""
    return table(aws, "N").name
