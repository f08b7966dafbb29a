"""The worker's store of orders, on DynamoDB and on PostgreSQL: both keep every promise of the Protocol."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from localbus.pytest_plugin import Localbus
from order_api.order_queries import OrderQueries
from orderboard_aws_client.lean import get_session
from orderboard_contracts.record import OrderRecord
from support.order_rows import completed
from support.postgres import postgres, require_postgres
from worker.failures import PoisonError, RowChangedError
from worker.orders_table import Orders, orders_table

NOW = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


class Store(Protocol):
    """A store with the queries of order-api beside the writes of the worker."""

    @property
    def orders(self) -> Orders:
        """The worker's store."""

    async def of_customer(self, customer_id: str, limit: int) -> list[list[str]]:
        """Return the ids of a customer's orders, newest first, page by page."""


class OnDynamo:
    """Orders in a table of localbus, through the services' own code."""

    def __init__(self, orders: Orders, queries: OrderQueries) -> None:
        self.orders, self._queries = orders, queries

    async def of_customer(self, customer_id: str, limit: int) -> list[list[str]]:
        """Return the ids of a customer's orders, newest first, page by page."""
        pages, after = [], None
        while True:
            page = await self._queries.of_customer(customer_id, limit=limit, after=after)
            pages.append([record.order_id for record in page.records])
            after = page.end
            if after is None:
                return [page for page in pages if page]


class OnPostgres:
    """Orders in PostgreSQL."""

    def __init__(self, orders: Any) -> None:
        self.orders = orders

    async def of_customer(self, customer_id: str, limit: int) -> list[list[str]]:
        """Return the ids of a customer's orders, newest first, page by page."""
        pages: list[list[str]] = []
        after = None
        while page := await self.orders.of_customer(customer_id, limit=limit, after=after):
            pages.append([record.order_id for record in page])
            after = page[-1].placed_at, page[-1].order_id
        return pages


@pytest.fixture(scope="module")
def postgres_address() -> Iterator[str]:
    """A PostgreSQL server, for the tests of this file."""
    with postgres(require_postgres()) as address:
        yield address


@pytest.fixture(scope="module")
def dynamodb_url() -> Iterator[str]:
    """A localbus with the orders table, for the tests of this file."""
    engine = Localbus().start()
    engine.client("dynamodb").create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("order_id", "customer_id", "placed_at")
        ],
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-customer",
                "KeySchema": [
                    {"AttributeName": "customer_id", "KeyType": "HASH"},
                    {"AttributeName": "placed_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    yield engine.url
    engine.stop()


@pytest.fixture(params=["dynamodb", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The store, on one and on the other."""
    if request.param == "postgres":
        address = request.getfixturevalue("postgres_address")
        from support.postgres_orders import postgres_orders  # noqa: PLC0415 - needs psycopg

        async with postgres_orders(address) as orders:
            yield OnPostgres(orders)
    else:
        async with on_dynamo(request.getfixturevalue("dynamodb_url")) as found:
            yield found


@asynccontextmanager
async def on_dynamo(url: str) -> AsyncIterator[OnDynamo]:
    """Open the store on a localbus."""
    session: Any = get_session()
    credentials = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    async with (
        session.create_client("dynamodb", endpoint_url=url, **credentials) as client,
        orders_table(client, "orders") as orders,
    ):
        yield OnDynamo(orders, OrderQueries(client, "orders", 10))


def order(customer_id: str = "ada", *, after_s: float = 0, **changes: Any) -> OrderRecord:
    """The row of an order that is completed unless it says otherwise."""
    row = completed(str(uuid.uuid4()), customer_id, NOW + timedelta(seconds=after_s))
    return row.model_copy(update=changes)


def tombstone(order_id: str) -> OrderRecord:
    """The row of a cancellation that came first."""
    return OrderRecord(
        order_id=order_id, status="cancellation_pending", recorded_at=NOW, cancel_reason="changed my mind"
    )


async def test_an_order_is_written_once_and_read_as_it_was(store: Store) -> None:
    """The second writer is too late, whatever it would write; the row has every value of the first."""
    first = order(note="an ☕, please", digest="a" * 64, worker_id="worker-1", receive_count=3)
    second = first.model_copy(update={"status": "rejected", "worker_id": "worker-2"})

    assert await store.orders.insert(first)
    assert not await store.orders.insert(second)
    assert await store.orders.get(first.order_id) == first


async def test_of_writers_at_once_one_wins(store: Store) -> None:
    """Twenty copies of a message at twenty workers: one row, and only the call that wrote it returns true."""
    row = order()
    copies = [row.model_copy(update={"worker_id": f"worker-{number}"}) for number in range(20)]

    written = await asyncio.gather(*map(store.orders.insert, copies))

    assert written.count(True) == 1
    assert (await store.orders.get(row.order_id)).worker_id == f"worker-{written.index(True)}"


async def test_many_orders_are_written_together(store: Store) -> None:
    """An order that has a row, and a second copy within the batch, are not written; all others are."""
    old, new, twice = order(), order(), order()
    await store.orders.insert(old)

    assert await store.orders.insert_many([new, old, twice, twice.model_copy()]) == [True, False, True, False]
    assert await store.orders.insert_many([]) == []
    assert await store.orders.get(twice.order_id) == twice


async def test_a_tombstone_is_replaced_once_and_nothing_else_is(store: Store) -> None:
    """A final row never changes: the replacement of a row that is final, or missing, says so."""
    row = order(status="cancelled")
    assert await store.orders.insert(tombstone(row.order_id))
    assert (await store.orders.get(row.order_id)).status == "cancellation_pending"

    await store.orders.replace_tombstone(row)

    assert await store.orders.get(row.order_id) == row
    for changed in (row.model_copy(update={"status": "completed"}), order()):
        with pytest.raises(RowChangedError):
            await store.orders.replace_tombstone(changed)
    assert await store.orders.get(row.order_id) == row


async def test_of_replacements_at_once_one_wins(store: Store) -> None:
    """An order that arrives twice after its cancellation is recorded by one of the two."""
    row = order(status="cancelled")
    await store.orders.insert(tombstone(row.order_id))
    copies = [row.model_copy(update={"worker_id": f"worker-{number}"}) for number in range(8)]

    results = await asyncio.gather(*map(store.orders.replace_tombstone, copies), return_exceptions=True)

    assert results.count(None) == 1
    assert (await store.orders.get(row.order_id)).worker_id == f"worker-{results.index(None)}"


async def test_an_order_without_a_row_is_not_found(store: Store) -> None:
    """The worker reads a row that it has just met, so a missing one has changed."""
    with pytest.raises(RowChangedError):
        await store.orders.get(str(uuid.uuid4()))


async def test_an_order_that_cannot_be_stored_is_poison(store: Store) -> None:
    """A number beyond what a row can hold fails for good, and fails no other order of its batch for good."""
    huge, fine = order(total_cents=10**40), order()

    with pytest.raises(PoisonError, match="cannot be stored"):
        await store.orders.insert(huge)
    written = await store.orders.insert_many([fine, huge])
    assert not written[1]
    assert written[0] or await store.orders.insert(fine)


async def test_a_customers_orders_come_newest_first_page_by_page(store: Store) -> None:
    """Neither the other customers' orders nor tombstones are among them; orders of one second keep an order."""
    customer, other = f"ada-{secrets.token_hex(4)}", f"bob-{secrets.token_hex(4)}"
    rows = [order(customer, after_s=number) for number in range(5)]
    await store.orders.insert_many([*rows, order(other), tombstone(str(uuid.uuid4()))])

    pages = await store.of_customer(customer, 2)

    newest_first = [row.order_id for row in reversed(rows)]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert await store.of_customer("nobody", 2) == []
