"""Query and Scan.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from localbus.dynamodb import capacity
from localbus.dynamodb.attribute_value import Item, check_item
from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.dynamodb.expressions.condition import Condition
from localbus.dynamodb.expressions.projection import Projection
from localbus.dynamodb.expressions.request import Expressions, detected
from localbus.dynamodb.key_schema import Index, KeySchema
from localbus.dynamodb.search import Page, Search, SortCondition, is_within, search
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.table import Table
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_NO_MATCH = "The provided starting key does not match the range key predicate"
_OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"


def query(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """Query."""
    expressions = Expressions(params, "FilterExpression", "KeyConditionExpression")
    projection, condition = expressions.projection(), expressions.filter()
    table = dynamodb.table(params["TableName"], caller)
    index = _index(table, params)
    keys = table.keys if index is None else index.keys
    found = expressions.key_condition(keys.types)
    expressions.check_unused()
    for name in keys.names:
        if condition is not None and name in condition.names:
            what = "Filter Expression" if "FilterExpression" in params else "QueryFilter"
            text = f"{what} can only contain non-primary key attributes: Primary key attribute: {name}"
            raise invalid(text)
    sort = SortCondition(found.operator, found.values) if found.operator else None
    wanted = Search(table, index, found.partition, sort, params.get("ScanIndexForward", True))
    start = _start_key(table, keys, params)
    if start is not None and not is_within(wanted, start):
        raise invalid(_OUTSIDE if sort is None else _NO_MATCH)
    return _answer(_completed(wanted, params, start, condition, projection), params)


def scan(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """Scan."""
    expressions = Expressions(params, "FilterExpression")
    projection, condition = expressions.projection(), expressions.filter()
    expressions.check_unused()
    segment = _segment(params)
    table = dynamodb.table(params["TableName"], caller)
    index = _index(table, params)
    wanted = Search(table, index, segment=segment)
    start = _start_key(table, wanted.keys, params)
    if start is not None and segment is not None and not is_within(wanted, start):
        text = "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. "
        text += f"TotalSegments: {segment[1]} Segment: {segment[0]}"
        raise invalid(f"The provided starting key is invalid: {text}")
    return _answer(_completed(wanted, params, start, condition, projection), params)


def _completed(
    wanted: Search, params: Params, start: Item | None, condition: Condition | None, projection: Projection | None
) -> Search:
    """Return the search with what queries and scans have in common."""
    with detected() if wanted.hash_value is not None else nullcontext():  # a scan has no such prefix
        _check_select(wanted.index, params, projection)
    _check_projected(wanted.index, params, projection)
    _check_filter(wanted.index, condition)
    return replace(
        wanted,
        start_key=start,
        limit=params.get("Limit"),
        matches=None if condition is None else condition.matches,
        project=None if projection is None else projection.apply,
        only_count=params.get("Select") == "COUNT",
        whole_items=params.get("Select") == "ALL_ATTRIBUTES" or _reaches_beyond(wanted.index, projection),
    )


def _index(table: Table, params: Params) -> Index | None:
    name = params.get("IndexName")
    if name is None:
        return None
    index = table.indexes.get(name)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    index.check_filled()
    if index.is_global and params.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _check_select(index: Index | None, params: Params, projection: Projection | None) -> None:
    select = params.get("Select")
    if projection is not None and select not in {None, "SPECIFIC_ATTRIBUTES"}:
        used = "AttributesToGet" if params.get("AttributesToGet") else "ProjectionExpression"
        raise invalid(
            f"Cannot specify the {used} when choosing to get {'only the Count' if select == 'COUNT' else select}"
        )
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")


def _check_projected(index: Index | None, params: Params, projection: Projection | None) -> None:
    """Raise AwsError if a global index is to give attributes that it does not have."""
    if index is None or not index.is_global or index.projects_all:
        return
    if params.get("Select") == "ALL_ATTRIBUTES":
        text = f"Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name}"
        raise invalid_parameter(f"{text} because its projection type is not ALL")
    beyond = [] if projection is None else [name for name in projection.names if name not in index.attributes]
    if beyond:
        text = f"Global secondary index {index.name} does not project [{', '.join(beyond)}]"
        raise invalid_parameter(text)


def _check_filter(index: Index | None, condition: Condition | None) -> None:
    if index is None or not index.is_global or index.projects_all or condition is None:
        return
    beyond = [name for name in condition.names if name not in index.attributes]
    if beyond:
        text = f"Secondary index {index.name} does not project one or more filter attributes: [{', '.join(beyond)}]"
        raise invalid_parameter(text)


def _reaches_beyond(index: Index | None, projection: Projection | None) -> bool:
    """Return whether a local index must read the table for attributes that it does not have."""
    if index is None or index.is_global or projection is None:
        return False
    return any(name not in index.attributes for name in projection.names)


def _start_key(table: Table, keys: KeySchema, params: Params) -> Item | None:
    """Return the checked start key, which has the key attributes of the table and of the index."""
    given: Item | None = params.get("ExclusiveStartKey")
    if given is None:
        return None
    names = dict.fromkeys((*table.keys.names, *keys.names))
    wrong = "The provided starting key is invalid"
    try:
        check_item(given)
        if set(given) != set(names):
            text = wrong if params.get("IndexName") else f"{wrong}: The provided key element does not match the schema"
            raise invalid(text)
        table.key({name: given[name] for name in table.keys.names})
    except AwsError as exc:
        raise exc if exc.message.startswith(wrong) else invalid(f"{wrong}: {exc.message}") from exc
    if any(kind not in given[name] for name, kind in keys.types):
        raise invalid(wrong)
    return given


def _segment(params: Params) -> tuple[int, int] | None:
    number, total = params.get("Segment"), params.get("TotalSegments")
    if number is None and total is None:
        return None
    if total is None:
        text = "The TotalSegments parameter is required but was not present in the request when Segment parameter is"
        raise invalid(f"{text} present")
    if number is None:
        text = "The Segment parameter is required but was not present in the request when parameter TotalSegments is"
        raise invalid(f"{text} present")
    if number >= total:
        text = "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
        raise invalid(f"{text}Segment: {number} is not less than TotalSegments: {total}")
    return number, total


def _answer(wanted: Search, params: Params) -> Params:
    page: Page = search(wanted)
    answer: Params = {"Count": page.count, "ScannedCount": page.scanned}
    if not wanted.only_count:
        answer["Items"] = page.items
    if page.last_key is not None:
        answer["LastEvaluatedKey"] = page.last_key
    level = capacity.wants(params)
    if level is not None:
        index, consistent = wanted.index, params.get("ConsistentRead", False)
        name = None if index is None else index.name
        used = capacity.of_search(wanted.table, name, page.size, consistent=consistent)
        answer["ConsumedCapacity"] = used.shown(level)
    return answer
