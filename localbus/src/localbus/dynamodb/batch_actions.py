"""BatchGetItem and BatchWriteItem.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from localbus.dynamodb import capacity
from localbus.dynamodb.attribute_value import Item, check_item
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.request import Expressions
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Key, Row
from localbus.dynamodb.table import Table
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MAX_KEYS = 100
MAX_WRITES = 25
MAX_ANSWER_BYTES = 16 * 1024 * 1024

_DUPLICATES = "Provided list of item keys contains duplicates"


def batch_get_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """BatchGetItem. Keys beyond 16 MB of items are not processed."""
    requests: dict[str, Params] = params["RequestItems"]
    if sum(len(one["Keys"]) for one in requests.values()) > MAX_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    reads = [(name, one, *_read_keys(dynamodb, name, one, caller)) for name, one in requests.items()]
    answer: Params = {"Responses": {}, "UnprocessedKeys": {}}
    used: list[capacity.Capacity] = []
    left = MAX_ANSWER_BYTES
    for name, one, table, keys, project in reads:
        items: list[Item | orjson.Fragment] = answer["Responses"].setdefault(name, [])
        units, consistent = capacity.Capacity(table), one.get("ConsistentRead", False)
        for position, key in enumerate(keys):
            size, item = table.read(key, project)
            if size > left:
                answer["UnprocessedKeys"][name] = one | {"Keys": one["Keys"][position:]}
                left = -1
                break
            left -= size
            units.units += capacity.read_units(size, consistent=consistent)
            if item is not None:
                items.append(item)
        used.append(units)
    return answer | _consumed(params, used)


def _read_keys(
    dynamodb: DynamoDb, name: str, given: Params, caller: Caller
) -> tuple[Table, list[Key], Callable[[Item], Item] | None]:
    expressions = Expressions(given)
    projection = expressions.projection()
    expressions.check_unused()
    table = dynamodb.table(name, caller)
    keys = [table.key(key) for key in given["Keys"]]
    if len(set(keys)) < len(keys):
        raise invalid(_DUPLICATES)
    return table, keys, None if projection is None else projection.apply


def batch_write_item(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """BatchWriteItem: all writes are checked first, and then done."""
    requests: dict[str, list[Params]] = params["RequestItems"]
    if sum(map(len, requests.values())) > MAX_WRITES:
        raise invalid("Too many items requested for the BatchWriteItem call")
    sizes = [[_checked_size(one) for one in given] for given in requests.values()]
    writes: list[tuple[Table, list[tuple[Key, Row | None]]]] = []
    for (name, given), of_items in zip(requests.items(), sizes, strict=True):
        table = dynamodb.table(name, caller)
        writes.append((table, list(_writes(table, given, of_items))))
    for _, rows in writes:
        if len({key for key, _ in rows}) < len(rows):
            raise invalid(_DUPLICATES)
    wants_units = capacity.wants(params) is not None
    used: list[capacity.Capacity] = []
    with dynamodb.store.transaction():
        for table, rows in writes:
            for key, row in rows:
                if wants_units:
                    used.append(capacity.of_write(table, table.row_at(key), row))
                if row is None:
                    table.delete(key)
                else:
                    table.put(row)
    return {"UnprocessedItems": {}} | _metrics(params, requests, writes) | _consumed(params, used)


def _checked_size(given: Params) -> int:
    if len(given) != 1:
        raise invalid("Supplied WriteRequest must have exactly one of PutRequest and DeleteRequest")
    return check_item(_item_of(given))


def _item_of(given: Params) -> Item:
    """Return the item of a put, or the key of a delete."""
    item: Item = given["PutRequest"]["Item"] if "PutRequest" in given else given["DeleteRequest"]["Key"]
    return item


def _writes(table: Table, given: list[Params], sizes: list[int]) -> Iterator[tuple[Key, Row | None]]:
    for one, size in zip(given, sizes, strict=True):
        if "PutRequest" in one:
            row = table.row_of(one["PutRequest"]["Item"], size)
            yield row.key, row
        else:
            yield table.key(one["DeleteRequest"]["Key"]), None


def _metrics(params: Params, requests: dict[str, list[Params]], writes: list[tuple[Table, Any]]) -> Params:
    if params.get("ReturnItemCollectionMetrics") != "SIZE":
        return {}
    found: Params = {}
    for (name, given), (table, _) in zip(requests.items(), writes, strict=True):
        metrics = [capacity.of_collection(table, _item_of(one)) for one in given]
        if any(metrics):
            found[name] = metrics
    return {"ItemCollectionMetrics": found}


def _consumed(params: Params, used: list[capacity.Capacity]) -> Params:
    level = capacity.wants(params)
    if level is None:
        return {}
    return {"ConsumedCapacity": [one.shown(level) for one in capacity.merged(used)]}
