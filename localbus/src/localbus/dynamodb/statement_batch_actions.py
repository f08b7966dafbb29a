"""BatchExecuteStatement and ExecuteTransaction.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteTransaction.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from localbus.dynamodb import capacity
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.partiql.request import Get, Request, check_parameters, read_request
from localbus.dynamodb.partiql.statements import Exists, Select
from localbus.dynamodb.partiql.writing import Insertion
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.transaction_actions import (
    NO_REASON,
    cancelled,
    check_distinct,
    consumed,
    plan_all,
    reason_of,
    units_of,
)
from localbus.dynamodb.writes import Write
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_NEED_KEY = "Select statements within {} must specify the primary key in the where clause."


@dataclass(frozen=True, slots=True)
class _Part:
    """A statement of a batch, or the error that it ended in; `table` is the name of its table, if that is known."""

    table: str
    work: Write | Get | AwsError
    returning: str = "NONE"
    consistent: bool = False


def batch_execute_statement(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """BatchExecuteStatement. Each statement succeeds or fails alone, unless they do not fit together."""
    parts = [_read(dynamodb, one, caller) for one in params["Statements"]]
    works = [part.work for part in parts if not isinstance(part.work, AwsError)]
    if len({isinstance(work, Get) for work in works}) > 1:
        raise invalid("Read and write requests together in the same batch is not supported.")
    if len({(work.table.table_id, work.key) for work in works}) < len(works):
        raise invalid("Provided list of item keys contains duplicates")
    level, used = capacity.wants(params), list[capacity.Capacity]()
    with dynamodb.store.transaction():
        answer: Params = {"Responses": [_run(part, used if level else None) for part in parts]}
    return answer | ({"ConsumedCapacity": [one.shown(level) for one in used]} if level else {})


def _read(dynamodb: DynamoDb, given: Params, caller: Caller) -> _Part:
    table, sizes = "", check_parameters(given)
    try:
        request = read_request(dynamodb, given, sizes, caller)
        table = request.table.name
        if isinstance(request.statement, Select):
            work = request.get(_NEED_KEY.format("BatchExecuteStatement"))
            return _Part(table, work, consistent=bool(given.get("ConsistentRead")))
        return _Part(table, request.write(), getattr(request.statement, "returning", "NONE"))
    except AwsError as exc:
        return _Part(table, exc)


def _run(part: _Part, used: list[capacity.Capacity] | None) -> Params:
    """Run a statement and return its answer. Units that it consumes are added to `used`."""
    work, item = part.work, None
    try:
        if isinstance(work, AwsError):
            raise work
        if isinstance(work, Get):
            size, item = work.item()
            if used is not None:
                used.append(capacity.Capacity(work.table, capacity.read_units(size, consistent=part.consistent)))
        elif isinstance(work, Insertion) and used is None:
            work.insert()
        else:
            plan = work.plan()
            if used is not None:
                used.append(capacity.of_plan(plan))
            plan.apply()
            item = plan.returned(part.returning)
    except AwsError as exc:
        table: Params = {"TableName": part.table} if part.table else {}
        return {"Error": reason_of(exc)} | table
    return {"TableName": part.table} | ({"Item": item} if item else {})


def execute_transaction(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ExecuteTransaction: all statements read, or all write."""
    statements = params["TransactStatements"]
    requests = [read_request(dynamodb, one, check_parameters(one), caller) for one in statements]
    reads = [isinstance(request.statement, Select) for request in requests]
    if any(reads) and not all(reads):
        raise invalid("ExecuteTransaction API does not support both read and write operations in the same request.")
    for place, request in enumerate(requests):
        if getattr(request.statement, "returning", "NONE") != "NONE":
            raise _invalid_at(place, "RETURNING clause is not supported in ExecuteTransaction.")
    if any(reads):
        return _read_all(requests, params)
    return _write_all(dynamodb, requests, params, caller)


def _read_all(requests: Sequence[Request], params: Params) -> Params:
    gets: list[Get] = []
    for place, request in enumerate(requests):
        try:
            gets.append(request.get(_NEED_KEY.format("ExecuteTransaction")))
        except AwsError as exc:
            raise _invalid_at(place, exc.message) from exc
    check_distinct(gets)
    found = [(get, *get.item()) for get in gets]
    used = [
        capacity.Capacity(get.table, capacity.TRANSACTION * capacity.read_units(size, consistent=True))
        for get, size, _ in found
    ]
    answers: list[Params] = [{} if item is None else {"Item": item} for _, _, item in found]
    return {"Responses": answers} | consumed(params, used, "ReadCapacityUnits")


def _write_all(dynamodb: DynamoDb, requests: Sequence[Request], params: Params, caller: Caller) -> Params:
    writes = _writes(requests)
    check_distinct(writes)
    token = params.get("ClientRequestToken")
    digest = hashlib.sha256(orjson.dumps(params["TransactStatements"])).digest()
    if token is not None and dynamodb.tokens.is_repeated(caller, token, digest):
        return {"Responses": []}
    plans = plan_all(writes)
    used = units_of(plans) if capacity.wants(params) else []
    with dynamodb.store.transaction():
        for plan in plans:
            plan.apply()
    if token is not None:
        dynamodb.tokens.keep(caller, token, digest)
    return {"Responses": []} | consumed(params, used, "WriteCapacityUnits")


def _writes(requests: Sequence[Request]) -> list[Write]:
    """Return the writes. Raises AwsError with a reason for each if one is not valid."""
    writes: list[Write] = []
    reasons: list[Params] = []
    for place, request in enumerate(requests):
        try:
            writes.append(request.write(in_transaction=True))
            reasons.append(NO_REASON)
        except AwsError as exc:
            if isinstance(request.statement, Exists):
                raise _invalid_at(place, exc.message) from exc
            reasons.append(reason_of(exc))
    if len(writes) < len(requests):
        raise cancelled(reasons)
    return writes


def _invalid_at(place: int, text: str) -> AwsError:
    return invalid(f"Validation failed in TransactStatements[{place}]: {text}")
