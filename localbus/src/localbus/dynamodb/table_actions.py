"""CreateTable, DescribeTable, DeleteTable and ListTables."""

from __future__ import annotations

from localbus.dynamodb.errors import unknown_table
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.table import Index, KeySchema, Table
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def create_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """CreateTable."""
    name, tables = params["TableName"], dynamodb.tables(caller)
    if name in tables:
        raise AwsError("ResourceInUseException", f"Table already exists: {name}")
    types = {one["AttributeName"]: one["AttributeType"] for one in params["AttributeDefinitions"]}
    arn = f"arn:aws:dynamodb:{caller.region}:{caller.account}:table/{name}"
    keys = _keys(params["KeySchema"], types)
    rows = dynamodb.store.create()
    tables[name] = table = Table(name, arn, new_id(), dynamodb.clock.now(), keys, types, rows)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for one in params.get(member, []):
            keys, is_global = _keys(one["KeySchema"], types), member.startswith("Global")
            index = Index(one["IndexName"], keys, rows.add_index(), one["Projection"], is_global)
            table.indexes[index.name] = index
    return {"TableDescription": _described(table)}


def _keys(schema: list[Params], types: dict[str, str]) -> KeySchema:
    names = [one["AttributeName"] for one in schema]
    return KeySchema(*(part for name in names for part in (name, types[name])))


def _described(table: Table) -> Params:
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()],
        "TableName": table.name,
        "KeySchema": table.keys.shown(),
        "TableStatus": "ACTIVE",
        "CreationDateTime": table.created,
        "TableSizeBytes": table.size_bytes,
        "ItemCount": table.item_count,
        "TableArn": table.arn,
        "TableId": table.table_id,
    }


def describe_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeTable."""
    return {"Table": _described(named(dynamodb, params, caller))}


def named(dynamodb: DynamoDb, params: Params, caller: Caller) -> Table:
    """Return the table of a table action. Raises AwsError."""
    try:
        return dynamodb.table(params["TableName"], caller)
    except AwsError as exc:
        raise unknown_table(params["TableName"]) from exc


def delete_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteTable."""
    table = named(dynamodb, params, caller)
    del dynamodb.tables(caller)[table.name]
    table.rows.drop()
    return {"TableDescription": _described(table)}


def list_tables(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ListTables."""
    start, limit = params.get("ExclusiveStartTableName", ""), params.get("Limit", 100)
    names = sorted(name for name in dynamodb.tables(caller) if name > start)
    page = names[:limit]
    return {"TableNames": page} | ({"LastEvaluatedTableName": page[-1]} if len(names) > limit else {})
