"""The orders table: batches, and the effect of each DynamoDB response on each order."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from orderboard_aws_client.order_codec import Item
from orderboard_contracts.record import OrderRecord
from unit.worker.commands import placed
from worker.failures import PoisonError, RowChangedError, UnavailableError
from worker.order import RecordingContext, record_of
from worker.orders_table import OrdersTable, orders_table

TABLE = "cafe-orders"
LINGER_S = 0.1  # long enough for all that a test sends at once, on a busy machine too


def record(order_id: str | None = None, note: str | None = None) -> OrderRecord:
    """The row of a completed order."""
    context = RecordingContext(datetime(2026, 3, 2, tzinfo=UTC), "worker-1", 1)
    return record_of(placed(order_id, note=note), frozenset(), context)


def client_error(code: str) -> ClientError:
    """The error of a call that the table rejects."""
    return ClientError({"Error": {"Code": code, "Message": "said the table"}}, "BatchExecuteStatement")


class FakeDynamo:
    """A table that runs INSERT statements; `reject` may return an error per statement or raise for the whole call."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.batches: list[int] = []
        self.keys_asked: list[int] = []
        self.reject: Callable[[list[Item]], list[str | None]] = lambda items: [None] * len(items)
        self.unprocessed = 0

    async def batch_execute_statement(self, *, Statements: Any) -> dict[str, Any]:  # noqa: N803
        """Run the statements one by one."""
        assert 1 <= len(Statements) <= 25
        items = [self._item(statement) for statement in Statements]
        self.batches.append(len(items))
        rejections = self.reject(items)
        results: list[dict[str, Any]] = []
        for item, rejection in zip(items, rejections, strict=True):
            key = item["order_id"]["S"]
            code = rejection or ("DuplicateItem" if key in self.items else None)
            if code is None:
                self.items[key] = item
            results.append({"TableName": TABLE} if code is None else {"Error": {"Code": code, "Message": "no"}})
        return {"Responses": results}

    def _item(self, statement: dict[str, Any]) -> Item:
        head, members = statement["Statement"].split(" VALUE ")
        assert head == f'INSERT INTO "{TABLE}"'
        names = [member.split("'")[1] for member in members.strip("{}").split(", ")]
        assert members.count("?") == len(names)
        return dict(zip(names, statement["Parameters"], strict=True))

    async def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:  # noqa: N803
        """Read keys, except the first few that are to stay unprocessed."""
        request = RequestItems[TABLE]
        assert request["ConsistentRead"] is True
        keys = [key["order_id"]["S"] for key in request["Keys"]]
        assert len(keys) == len(set(keys))
        self.keys_asked.append(len(keys))
        left, self.unprocessed = keys[: self.unprocessed], 0
        found = [self.items[key] for key in keys if key in self.items and key not in left]
        unprocessed = {TABLE: {"Keys": [{"order_id": {"S": key}} for key in left]}} if left else {}
        return {"Responses": {TABLE: found}, "UnprocessedKeys": unprocessed}

    async def put_item(self, **request: Any) -> dict[str, Any]:
        """Replace a tombstone."""
        assert request["ConditionExpression"] == "#status = :pending"
        existing = self.items.get(request["Item"]["order_id"]["S"])
        if existing is None or existing["status"] != {"S": "cancellation_pending"}:
            raise client_error("ConditionalCheckFailedException")
        self.items[request["Item"]["order_id"]["S"]] = request["Item"]
        return {}


def table(dynamo: FakeDynamo) -> AbstractAsyncContextManager[OrdersTable]:
    """The orders table on this fake."""
    return orders_table(cast("Any", dynamo), TABLE, linger_s=LINGER_S)


async def test_many_inserts_share_calls() -> None:
    """Sixty orders take three calls of at most 25 statements."""
    dynamo = FakeDynamo()

    async with table(dynamo) as orders:
        assert all(await asyncio.gather(*(orders.insert(record()) for _ in range(60))))

    assert len(dynamo.items) == 60
    assert dynamo.batches == [25, 25, 10]


async def test_a_row_is_read_back() -> None:
    """A row is equal to the record that was written, with text that is hard to quote."""
    dynamo = FakeDynamo()
    hard = record(note="'\"; DROP ? {'a': ?} 🥐 مرحبا")

    async with table(dynamo) as orders:
        assert await orders.insert(hard)

        assert await orders.get(hard.order_id) == hard


async def test_an_order_that_cannot_be_stored_is_poison() -> None:
    """A number of more than 38 digits is an error at once, without a call."""
    dynamo = FakeDynamo()

    async with table(dynamo) as orders:
        with pytest.raises(PoisonError, match="cannot be stored"):
            await orders.insert(record().model_copy(update={"total_cents": 10**38}))

    assert not dynamo.batches


async def test_an_order_that_has_a_row_is_not_written_again() -> None:
    """Nor if several inserts share a call: one of them writes, and the call contains the order once."""
    dynamo = FakeDynamo()
    order = record()

    async with table(dynamo) as orders:
        together = await asyncio.gather(*(orders.insert(order) for _ in range(3)))
        later = await orders.insert(order)

    assert together == [True, False, False]
    assert later is False
    assert dynamo.batches == [1, 1]


@pytest.mark.parametrize(
    ("code", "whole_call", "failure"),
    [
        pytest.param(
            "ProvisionedThroughputExceeded", False, UnavailableError, id="throttled: unavailable after retries"
        ),
        pytest.param("ValidationError", False, PoisonError, id="its statement is rejected: poison"),
        pytest.param("ValidationException", True, PoisonError, id="the call is rejected because of it: poison"),
    ],
)
async def test_an_order_that_fails_affects_no_other(code: str, whole_call: bool, failure: type[Exception]) -> None:
    """Of orders that share a call, only the one that the table rejects fails."""
    dynamo = FakeDynamo()
    bad = record()

    def reject(items: list[Item]) -> list[str | None]:
        rejections = [code if item["order_id"]["S"] == bad.order_id else None for item in items]
        if whole_call and any(rejections):
            raise client_error(code)
        return rejections

    dynamo.reject = reject

    async with table(dynamo) as orders:
        inserts = [orders.insert(bad), *(orders.insert(record()) for _ in range(5))]
        results = await asyncio.gather(*inserts, return_exceptions=True)

    assert isinstance(results[0], failure)
    assert results[1:] == [True] * 5


@pytest.mark.parametrize(
    "failure",
    [
        client_error("ThrottlingException"),
        client_error("ResourceNotFoundException"),
        client_error("AccessDeniedException"),
        client_error("InternalServerError"),
        EndpointConnectionError(endpoint_url="http://dynamodb.test"),
        ConnectionResetError("peer"),
    ],
)
async def test_a_call_that_fails_as_a_whole_is_an_outage(failure: Exception) -> None:
    """A table that is missing, forbidden, throttling or failing does not count against an order."""
    dynamo = FakeDynamo()

    def reject(_: list[Item]) -> list[str | None]:
        raise failure

    dynamo.reject = reject

    async with table(dynamo) as orders:
        with pytest.raises(UnavailableError):
            await orders.insert(record())


async def test_reads_share_a_call_and_unprocessed_keys_are_retried() -> None:
    """A call has each key once, and keys that the table left unprocessed are read again."""
    dynamo = FakeDynamo()
    records = [record() for _ in range(4)]

    async with table(dynamo) as orders:
        for each in records:
            await orders.insert(each)
        dynamo.unprocessed = 2
        read = await asyncio.gather(*(orders.get(each.order_id) for each in (*records, records[0])))

    assert read == [*records, records[0]]
    assert dynamo.keys_asked[0] == 4
    assert sum(dynamo.keys_asked[1:]) >= 2


async def test_a_removed_row_is_a_changed_row() -> None:
    """Time to live may remove a tombstone between the insert that found it and the read."""
    async with table(FakeDynamo()) as orders:
        with pytest.raises(RowChangedError):
            await orders.get(record().order_id)


async def test_a_tombstone_is_replaced_once() -> None:
    """The second writer, late or repeating after a lost response, is rejected and must read again."""
    dynamo = FakeDynamo()
    cancelled = record().model_copy(update={"status": "cancelled"})

    async with table(dynamo) as orders:
        await orders.insert(cancelled.model_copy(update={"status": "cancellation_pending"}))
        await orders.replace_tombstone(cancelled)
        with pytest.raises(RowChangedError):
            await orders.replace_tombstone(cancelled)

        assert await orders.get(cancelled.order_id) == cancelled
