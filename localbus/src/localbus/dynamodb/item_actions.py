"""PutItem, GetItem, UpdateItem and DeleteItem."""

from __future__ import annotations

from localbus.dynamodb import capacity
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.request import Expressions, detected
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.writes import Write, read_delete, read_put, read_update
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def put_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """PutItem."""
    _check_return_values(params, "NONE", "ALL_OLD")
    write = read_put(dynamodb, params, caller, detected())
    if write.row is not None and write.condition is None and not _has_answer(params):
        with dynamodb.store.transaction():
            write.table.put(write.row)
        return {}
    return _write(dynamodb, write, params)


def update_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UpdateItem."""
    return _write(dynamodb, read_update(dynamodb, params, caller, detected()), params)


def delete_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteItem."""
    _check_return_values(params, "NONE", "ALL_OLD")
    return _write(dynamodb, read_delete(dynamodb, params, caller, detected()), params)


def get_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """GetItem."""
    expressions = Expressions(params)
    projection = expressions.projection()
    expressions.check_unused()
    table = dynamodb.table(params["TableName"], caller)
    size, item = table.read(table.key(params["Key"]), None if projection is None else projection.apply)
    answer: Params = {} if item is None else {"Item": item}
    level = capacity.wants(params)
    if level is not None:
        units = capacity.read_units(size, consistent=params.get("ConsistentRead", False))
        answer["ConsumedCapacity"] = capacity.Capacity(table, units).shown(level)
    return answer


def _write(dynamodb: DynamoDb, write: Write, params: Params) -> Params:
    plan, level = write.plan(), capacity.wants(params)
    units = None if level is None else capacity.of_plan(plan)
    with dynamodb.store.transaction():
        plan.apply()
    answer: Params = {}
    attributes = plan.returned(params.get("ReturnValues", "NONE"))
    if attributes:
        answer["Attributes"] = attributes
    if level is not None and units is not None:
        answer["ConsumedCapacity"] = units.shown(level)
    metrics = None
    if params.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = capacity.of_collection(write.table, write.given_key)
    return answer | ({"ItemCollectionMetrics": metrics} if metrics else {})


def _has_answer(params: Params) -> bool:
    """Return whether the answer has members."""
    members = ("ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics")
    return any(params.get(member, "NONE") != "NONE" for member in members)


def _check_return_values(params: Params, *allowed: str) -> None:
    if params.get("ReturnValues", "NONE") not in allowed:
        raise invalid("Return values set to invalid value")
