"""The orders table: insert, read, replace a tombstone. Every write has a condition, so a late writer does no harm.

Concurrent callers share calls: 25 inserts in a BatchExecuteStatement, 100 reads in a BatchGetItem.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError
from orderboard_aws_client.batcher import Batcher
from orderboard_aws_client.errors import EntryError
from orderboard_aws_client.limits import Limits
from orderboard_contracts.record import OrderRecord

from worker.aws_errors import REFUSED_FOR_GOOD, code_of, refused, translated
from worker.failures import RowMovedError
from worker.item import Item, from_item, to_item

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
MAX_STATEMENTS: Final = 25
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_KEYS: Final = 100


class Orders(Protocol):
    """Where orders are recorded."""

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; say whether it was written."""

    async def get(self, order_id: str) -> OrderRecord:
        """The order's row as it is now; raises RowMovedError when it has none."""

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raises RowMovedError when there is none (any more)."""


class DynamoClient(Protocol):
    """The calls of an aiobotocore DynamoDB client that are needed here."""

    def batch_execute_statement(self, *, Statements: Any) -> Awaitable[Any]:  # noqa: N803 - AWS's name
        """Call BatchExecuteStatement with 1 to 25 statements."""

    def batch_get_item(self, *, RequestItems: Any) -> Awaitable[Any]:  # noqa: N803 - AWS's name
        """Call BatchGetItem with 1 to 100 distinct keys."""

    def put_item(self, **request: Any) -> Awaitable[Any]:
        """Call PutItem."""


class OrdersTable:
    """Orders in DynamoDB. Raises PoisonError, TransientError and UnavailableError besides what Orders says."""

    def __init__(
        self, client: DynamoClient, table: str, inserts: Batcher[Item, bool], reads: Batcher[str, Item | None]
    ) -> None:
        self._client = client
        self._table = table
        self._inserts = inserts
        self._reads = reads

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; say whether it was written."""
        item = to_item(record)
        with translated():
            return await self._inserts.submit(item)

    async def get(self, order_id: str) -> OrderRecord:
        """The order's row as it is now; raises RowMovedError when it has none."""
        with translated():
            item = await self._reads.submit(order_id)
        if item is None:
            raise RowMovedError(f"order {order_id} had a row, and has none now")
        return from_item(item)

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raises RowMovedError when there is none (any more)."""
        with translated():
            try:
                await self._client.put_item(
                    TableName=self._table,
                    Item=to_item(record),
                    ConditionExpression="#status = :pending",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":pending": {"S": "cancellation_pending"}},
                )
            except ClientError as exc:
                if code_of(exc) == "ConditionalCheckFailedException":
                    raise RowMovedError(f"order {record.order_id} is no longer awaited by a cancellation") from exc
                raise


@asynccontextmanager
async def orders_table(client: DynamoClient, table: str, *, linger_s: float = 0.005) -> AsyncIterator[OrdersTable]:
    """An OrdersTable that sends its batches while the context is entered."""

    async def insert(items: Sequence[Item]) -> list[bool | EntryError]:
        return await _insert(client, table, items)

    async def read(order_ids: Sequence[str]) -> list[Item | EntryError | None]:
        return await _read(client, table, order_ids)

    async with (
        Batcher(insert, limits=Limits(max_entries=MAX_STATEMENTS, linger_s=linger_s)) as inserts,
        Batcher(read, limits=Limits(max_entries=MAX_KEYS, linger_s=linger_s)) as reads,
    ):
        yield OrdersTable(client, table, inserts, reads)


async def _insert(client: DynamoClient, table: str, items: Sequence[Item]) -> list[bool | EntryError]:
    """Insert each item once. Of two for one order in a batch, the second shares the first one's fate: it is late."""
    firsts = {item["order_id"]["S"]: item for item in reversed(items)}
    fates = dict(zip(firsts, await _insert_distinct(client, table, list(firsts.values())), strict=True))
    results: list[bool | EntryError] = []
    for item in items:
        fate = fates[item["order_id"]["S"]]
        late = item is not firsts[item["order_id"]["S"]]
        results.append(False if late and fate is True else fate)
    return results


async def _insert_distinct(client: DynamoClient, table: str, items: Sequence[Item]) -> list[bool | EntryError]:
    try:
        response = await client.batch_execute_statement(Statements=[_statement(table, item) for item in items])
    except ClientError as exc:
        if code_of(exc) not in REFUSED_FOR_GOOD:
            raise
        if len(items) == 1:
            return [refused(code_of(exc), str(exc))]
        # One bad item may fail the whole call: the others must not suffer, so each goes alone.
        return [fate for item in items for fate in await _insert_distinct(client, table, [item])]
    return [_fate(answer) for answer in response["Responses"]]


def _statement(table: str, item: Item) -> dict[str, Any]:
    members = ", ".join(f"'{name}': ?" for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{members}}}', "Parameters": list(item.values())}


def _fate(answer: Mapping[str, Any]) -> bool | EntryError:
    error = answer.get("Error")
    if error is None:
        return True
    if error["Code"] == "DuplicateItem":
        return False
    return refused(error["Code"], error.get("Message", ""))


async def _read(client: DynamoClient, table: str, order_ids: Sequence[str]) -> list[Item | EntryError | None]:
    keys = [{"order_id": {"S": order_id}} for order_id in dict.fromkeys(order_ids)]
    response = await client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    found = {item["order_id"]["S"]: item for item in response["Responses"].get(table, [])}
    unread = {key["order_id"]["S"] for key in response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])}
    return [
        refused("UnprocessedKey", "the table could not read this key now")
        if order_id in unread
        else found.get(order_id)
        for order_id in order_ids
    ]
