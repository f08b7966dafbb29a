"""TransactWriteItems and TransactGetItems.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import orjson

from localbus.dynamodb import capacity
from localbus.dynamodb.attribute_value import Item
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.expressions.request import Expressions
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Key
from localbus.dynamodb.table import Table
from localbus.dynamodb.writes import Checking, Plan, Write, read_check, read_delete, read_put, read_update
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MAX_BYTES = 4 * 1024 * 1024

NO_REASON: Params = {"Code": "None"}
_Part = TypeVar("_Part")
_READERS: dict[str, Callable[[DynamoDb, Params, Caller, Checking], Write]] = {
    "ConditionCheck": read_check,
    "Put": read_put,
    "Delete": read_delete,
    "Update": read_update,
}
# Codes of CancellationReasons and of batches for the errors of single writes
_REASONS = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ResourceNotFoundException": "ResourceNotFound",
    "ValidationException": "ValidationError",
}


def transact_write_items(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """TransactWriteItems. A request with a token that was successful within ten minutes changes nothing."""
    writes = _read_all([partial(_read, dynamodb, one, caller) for one in params["TransactItems"]])
    check_distinct(writes)
    token, digest = params.get("ClientRequestToken"), b""
    if token is not None:
        digest = hashlib.sha256(orjson.dumps(params["TransactItems"], option=orjson.OPT_SORT_KEYS)).digest()
    if token is not None and dynamodb.tokens.is_repeated(caller, token, digest):
        units = [capacity.Capacity(one.table, capacity.read_units(0, consistent=True)) for one in writes]
        return consumed(params, units, "ReadCapacityUnits")
    plans = plan_all(writes)
    units = units_of(plans) if capacity.wants(params) else []
    with dynamodb.store.transaction():
        for plan in plans:
            plan.apply()
    if token is not None:
        dynamodb.tokens.keep(caller, token, digest)
    return _metrics(params, plans) | consumed(params, units, "WriteCapacityUnits")


class _Checked(AbstractContextManager[None]):
    """The first checks of a part, which do not depend on its table: their errors are not reasons."""

    def __init__(self) -> None:
        self.passed = False

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.passed = kind is None


def _read(dynamodb: DynamoDb, given: Params, caller: Caller, checked: _Checked) -> Write:
    if len(given) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, one),) = given.items()
    return _READERS[kind](dynamodb, one, caller, checked)


def _read_all(reads: Sequence[Callable[[_Checked], _Part]]) -> list[_Part]:
    """Check all parts of a transaction. An item or key that does not fit its table is a reason to cancel it."""
    found: list[_Part] = []
    reasons: list[Params] = []
    for read in reads:
        checked = _Checked()
        try:
            found.append(read(checked))
        except AwsError as exc:
            if not checked.passed or exc.code != "ValidationException":
                raise
            reasons.append(reason_of(exc))
        else:
            reasons.append(NO_REASON)
    if len(found) < len(reads):
        raise cancelled(reasons)
    return found


class HasKey(Protocol):
    """A part of a transaction."""

    @property
    def table(self) -> Table:
        """Its table."""

    @property
    def key(self) -> Key:
        """The key of its item."""


def check_distinct(parts: Sequence[HasKey]) -> None:
    """Raise AwsError if two parts of a transaction are of one item."""
    if len({(one.table.table_id, one.key) for one in parts}) < len(parts):
        raise invalid("Transaction request cannot include multiple operations on one item")


def plan_all(writes: Sequence[Write]) -> list[Plan]:
    """Decide all writes of a transaction. Raises AwsError with a reason for each if one of them fails."""
    plans: list[Plan] = []
    reasons: list[Params] = []
    for write in writes:
        try:
            plans.append(write.plan())
        except AwsError as exc:
            reasons.append(reason_of(exc))
        else:
            reasons.append(NO_REASON)
    if len(plans) < len(writes):
        raise cancelled(reasons)
    if sum(plan.row.size for plan in plans if plan.row is not None) > MAX_BYTES:
        raise invalid("Transaction request is larger than 4 MB: the aggregate size of its items must not exceed 4 MB")
    return plans


def reason_of(error: AwsError) -> Params:
    """Return an error as that of one item or statement among others."""
    return {"Code": _REASONS.get(error.code, error.code), "Message": error.message, **error.members}


def cancelled(reasons: Sequence[Params]) -> AwsError:
    """Return the error of a transaction that did nothing."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return AwsError("TransactionCanceledException", text, members={"Message": text, "CancellationReasons": reasons})


def transact_get_items(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """TransactGetItems."""
    reads = _read_all([partial(_read_get, dynamodb, one["Get"], caller) for one in params["TransactItems"]])
    check_distinct(reads)
    found = [(read.table, *read.table.read(read.key, read.project)) for read in reads]
    if sum(size for _, size, _ in found) > MAX_BYTES:
        raise invalid("Transaction request is larger than 4 MB: the aggregate size of its items must not exceed 4 MB")
    answers: list[Params] = []
    units: list[capacity.Capacity] = []
    for table, size, item in found:
        units.append(capacity.Capacity(table, capacity.TRANSACTION * capacity.read_units(size, consistent=True)))
        answers.append({} if item is None else {"Item": item})
    return {"Responses": answers} | consumed(params, units, "ReadCapacityUnits")


class _Get(NamedTuple):
    table: Table
    key: Key
    project: Callable[[Item], Item] | None


def _read_get(dynamodb: DynamoDb, given: Params, caller: Caller, checked: _Checked) -> _Get:
    with checked:
        expressions = Expressions(given)
        projection = expressions.projection()
        expressions.check_unused()
    table = dynamodb.table(given["TableName"], caller)
    return _Get(table, table.key(given["Key"]), None if projection is None else projection.apply)


def units_of(plans: Sequence[Plan]) -> list[capacity.Capacity]:
    """Return the units that the writes of a transaction consume."""
    found = []
    for plan in plans:
        units = capacity.of_plan(plan)
        units.units *= capacity.TRANSACTION
        units.indexes = {name: capacity.TRANSACTION * one for name, one in units.indexes.items()}
        found.append(units)
    return found


def _metrics(params: Params, plans: Sequence[Plan]) -> Params:
    if params.get("ReturnItemCollectionMetrics") != "SIZE":
        return {}
    found: Params = {}
    for plan in plans:
        metrics = capacity.of_collection(plan.write.table, plan.write.given_key)
        if metrics is not None:
            found.setdefault(plan.write.table.name, []).append(metrics)
    return {"ItemCollectionMetrics": found}


def consumed(params: Params, units: list[capacity.Capacity], detail: str) -> Params:
    """Return the ConsumedCapacity of a transaction, if the request asks for it."""
    level = capacity.wants(params)
    if level is None:
        return {}
    return {"ConsumedCapacity": [one.shown(level, detail=detail) for one in capacity.merged(units)]}
