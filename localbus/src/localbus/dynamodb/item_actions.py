"""PutItem, GetItem, UpdateItem and DeleteItem."""

from __future__ import annotations

from localbus.dynamodb.state import DynamoDb
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def put_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """PutItem."""
    table = dynamodb.table(params["TableName"], caller)
    row = table.row(params["Item"])
    with dynamodb.store.transaction():
        table.put(row)
    return {}


def get_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """GetItem."""
    table = dynamodb.table(params["TableName"], caller)
    item = table.get(table.key(params["Key"]))
    return {} if item is None else {"Item": item}


def delete_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteItem."""
    table = dynamodb.table(params["TableName"], caller)
    key = table.key(params["Key"])
    with dynamodb.store.transaction():
        table.delete(key)
    return {}
