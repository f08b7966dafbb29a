"""The orders table: insert, read, replace a tombstone. Every write is conditional, so a late writer changes nothing.

Concurrent callers share calls: 25 inserts in a BatchExecuteStatement, 100 reads in a BatchGetItem.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError
from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import EntryError, error_code
from orderboard_aws_client.order_codec import Item, from_item, to_item
from orderboard_contracts.record import OrderRecord
from orderboard_contracts.tracing import Tracing

from worker.failures import INVALID_REQUEST_CODES, PoisonError, RowChangedError, translated

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
MAX_STATEMENTS: Final = 25
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_KEYS: Final = 100
# Errors of a single statement or key that a later attempt may not meet.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_RETRYABLE_CODES: Final = frozenset(
    (
        "RequestLimitExceeded",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "InternalServerError",
        "InternalFailure",
        "InternalException",
        "TransactionConflict",
        "ResourceNotFound",
        "AccessDenied",
    )
)
_INSERT: Final = "BatchExecuteStatement"
_NO_SPAN: Final = nullcontext()
_UNPROCESSED: Final = EntryError("UnprocessedKey", "the table did not process this key", retryable=True)


class Orders(Protocol):
    """The store of recorded orders."""

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; return whether it was written."""

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        """Write records; return for each whether it was written for sure. If not, insert says why."""

    async def get(self, order_id: str) -> OrderRecord:
        """Return the order's current row; raise RowChangedError if it has none."""

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raise RowChangedError if there is none."""


@dataclass(frozen=True)
class OrdersTable:
    """Orders in DynamoDB. Its methods also raise PoisonError, TransientError and UnavailableError."""

    client: "DynamoDBClient"
    table: str
    inserts: Batcher[Item, bool]
    reads: Batcher[str, Item | None]
    tracing: Tracing | None = None

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; return whether it was written."""
        try:
            item = to_item(record)
        except ValueError as exc:
            raise PoisonError(f"the order cannot be stored: {exc}") from exc
        with translated(), self._span(_INSERT, record):
            return await self.inserts.submit(item)

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        """Write records; return for each whether it was written for sure. If not, insert says why."""
        items: list[Item | None] = []
        for record in records:
            try:
                items.append(to_item(record))
            except ValueError:
                items.append(None)
        with ExitStack() as spans:
            if self.tracing is not None:
                for record in records:
                    spans.enter_context(self._span(_INSERT, record))
            results = iter(await self.inserts.submit_many([item for item in items if item is not None]))
        return [item is not None and next(results) is True for item in items]

    async def get(self, order_id: str) -> OrderRecord:
        """Return the order's current row; raise RowChangedError if it has none."""
        with translated(), self._span("BatchGetItem"):
            item = await self.reads.submit(order_id)
        if item is None:
            raise RowChangedError(f"order {order_id} had a row, which has been removed since")
        return from_item(item)

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raise RowChangedError if there is none."""
        with translated(), self._span("PutItem", record):
            try:
                await self.client.put_item(
                    TableName=self.table,
                    Item=to_item(record),
                    ConditionExpression="#status = :pending",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":pending": {"S": "cancellation_pending"}},
                )
            except ClientError as exc:
                if error_code(exc) == "ConditionalCheckFailedException":
                    raise RowChangedError(f"order {record.order_id} has no tombstone any more") from exc
                raise

    def _span(self, operation: str, record: OrderRecord | None = None) -> AbstractContextManager[None]:
        """Return the span of one order's part in a call, under what its row carries, or else the current span."""
        if self.tracing is None:
            return _NO_SPAN
        return self.tracing.current(self.tracing.dynamodb(operation, self.table, parent=record))


@asynccontextmanager
async def orders_table(
    client: "DynamoDBClient", table: str, *, linger_s: float = 0.005, tracing: Tracing | None = None
) -> AsyncIterator[OrdersTable]:
    """Open an OrdersTable; its batches are sent while the context is entered."""
    async with (
        Batcher(partial(_insert, client, table), limits=Limits(MAX_STATEMENTS, linger_s=linger_s)) as inserts,
        Batcher(partial(_read, client, table), limits=Limits(MAX_KEYS, linger_s=linger_s)) as reads,
    ):
        yield OrdersTable(client, table, inserts, reads, tracing)


async def _insert(client: "DynamoDBClient", table: str, items: Sequence[Item]) -> list[bool | EntryError]:
    """Insert each order once. If a batch has two items of an order, only the first is sent: the second is too late."""
    firsts = {item["order_id"]["S"]: item for item in reversed(items)}
    by_id = dict(zip(firsts, await _insert_distinct(client, table, list(firsts.values())), strict=True))
    results: list[bool | EntryError] = []
    for item in items:
        result = by_id[item["order_id"]["S"]]
        late = item is not firsts[item["order_id"]["S"]]
        results.append(False if late and result is True else result)
    return results


async def _insert_distinct(client: "DynamoDBClient", table: str, items: Sequence[Item]) -> list[bool | EntryError]:
    try:
        statements: Any = [_statement(table, item) for item in items]
        response = await client.batch_execute_statement(Statements=statements)
    except ClientError as exc:
        if error_code(exc) not in INVALID_REQUEST_CODES:
            raise
        if len(items) == 1:
            return [EntryError(error_code(exc), str(exc), retryable=False)]
        # One invalid item may fail the whole call, so each item is sent on its own.
        return [result for item in items for result in await _insert_distinct(client, table, [item])]
    return [_result(each) for each in response["Responses"]]


def _statement(table: str, item: Item) -> dict[str, Any]:
    return {"Statement": _insert_statement(table, tuple(item)), "Parameters": list(item.values())}


@lru_cache
def _insert_statement(table: str, attributes: tuple[str, ...]) -> str:
    members = ", ".join(f"'{name}': ?" for name in attributes)
    return f'INSERT INTO "{table}" VALUE {{{members}}}'


def _result(response: Mapping[str, Any]) -> bool | EntryError:
    error = response.get("Error")
    if error is None:
        return True
    if error["Code"] == "DuplicateItem":
        return False
    return EntryError(error["Code"], error.get("Message", ""), retryable=error["Code"] in _RETRYABLE_CODES)


async def _read(client: "DynamoDBClient", table: str, order_ids: Sequence[str]) -> list[Item | EntryError | None]:
    keys: Any = [{"order_id": {"S": order_id}} for order_id in dict.fromkeys(order_ids)]
    response: Any = await client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    found = {item["order_id"]["S"]: item for item in response["Responses"].get(table, [])}
    unread = {key["order_id"]["S"] for key in response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])}
    return [_UNPROCESSED if order_id in unread else found.get(order_id) for order_id in order_ids]
