"""The orders table on PostgreSQL, behind the worker's Protocol: what a relational store would look like.

It is here for docs/decisions/dynamodb-or-relational.md, which compares the two; the services use DynamoDB.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from orderboard_contracts.record import OrderRecord
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from worker.failures import PoisonError, RowChangedError, UnavailableError

COLUMNS: Final = tuple(OrderRecord.model_fields)
SCHEMA: Final = """
create table orders (
  order_id text primary key, status text not null, recorded_at timestamptz not null, customer_id text, priority text,
  lines jsonb not null, total_cents bigint, currency text, note text, digest text, placed_at timestamptz,
  rejection_reason text, rejection_detail text, cancel_reason text, worker_id text, receive_count integer,
  traceparent text, tracestate text, correlationid text, expires_at bigint
);
create index by_customer on orders (customer_id, placed_at desc, order_id desc) where customer_id is not null;
"""
_ROW: Final = f"({', '.join(['%s'] * len(COLUMNS))})"
_INSERT: Final = f"insert into orders ({', '.join(COLUMNS)}) values {{}} on conflict do nothing returning order_id"  # noqa: S608
_REPLACE: Final = (
    f"update orders set ({', '.join(COLUMNS)}) = {_ROW} where order_id = %s and status = 'cancellation_pending'"  # noqa: S608
)
_OF_CUSTOMER: Final = """
select * from orders where customer_id = %(customer)s and (placed_at, order_id) < (%(placed_at)s, %(order_id)s)
order by placed_at desc, order_id desc limit %(limit)s
"""
_AFTER_ALL: Final = ("infinity", "~")


@dataclass(frozen=True)
class PostgresOrders:
    """Orders in PostgreSQL. Each call takes one of a few connections, as PostgreSQL has a process for each."""

    connections: "asyncio.Queue[psycopg.AsyncConnection[dict[str, Any]]]"

    async def insert(self, record: OrderRecord) -> bool:
        """Write record unless the order has a row; return whether it was written."""
        return bool(await self._run(_INSERT.format(_ROW), _values(record)))

    async def insert_many(self, records: Sequence[OrderRecord]) -> list[bool]:
        """Write records in one statement; return for each whether it was written for sure."""
        if not records:
            return []
        values = [value for record in records for value in _values(record)]
        try:
            found = await self._run(_INSERT.format(", ".join([_ROW] * len(records))), values)
        except (PoisonError, UnavailableError):  # one row that cannot be stored fails the statement
            return [False] * len(records)
        written = {row["order_id"] for row in found}
        firsts = {record.order_id: record for record in reversed(records)}
        return [record.order_id in written and firsts[record.order_id] is record for record in records]

    async def get(self, order_id: str) -> OrderRecord:
        """Return the order's current row; raise RowChangedError if it has none."""
        found = await self._run("select * from orders where order_id = %s", [order_id])
        if not found:
            raise RowChangedError(f"order {order_id} had a row, which has been removed since")
        return OrderRecord.model_validate(found[0])

    async def replace_tombstone(self, record: OrderRecord) -> None:
        """Write record over a tombstone; raise RowChangedError if there is none."""
        if not await self._run(f"{_REPLACE} returning order_id", [*_values(record), record.order_id]):
            raise RowChangedError(f"order {record.order_id} has no tombstone any more")

    async def of_customer(
        self, customer_id: str, *, limit: int, after: tuple[datetime, str] | None = None
    ) -> list[OrderRecord]:
        """Return a page of a customer's orders, newest first, after a position."""
        placed_at, order_id = _AFTER_ALL if after is None else after
        keys = {"customer": customer_id, "placed_at": placed_at, "order_id": order_id, "limit": limit}
        return [OrderRecord.model_validate(row) for row in await self._run(_OF_CUSTOMER, keys)]

    async def _run(self, statement: str, values: Any) -> list[dict[str, Any]]:
        connection = await self.connections.get()
        try:
            with _translated():
                cursor = await connection.execute(statement, values, prepare=True)
                return list(await cursor.fetchall())
        finally:
            self.connections.put_nowait(connection)


@asynccontextmanager
async def postgres_orders(address: str, connections: int = 4) -> AsyncIterator[PostgresOrders]:
    """Open the store, and make its table if there is none."""
    opened: asyncio.Queue[psycopg.AsyncConnection[dict[str, Any]]] = asyncio.Queue()
    every = [
        await psycopg.AsyncConnection.connect(address, autocommit=True, row_factory=dict_row)
        for _ in range(connections)
    ]
    try:
        found = await (await every[0].execute("select to_regclass('orders') as name")).fetchone()
        if found is None or found["name"] is None:
            await every[0].execute(SCHEMA)
        for each in every:
            opened.put_nowait(each)
        yield PostgresOrders(opened)
    finally:
        for each in every:
            await each.close()


def _values(record: OrderRecord) -> list[Any]:
    values = {**vars(record), "lines": Jsonb([line.model_dump() for line in record.lines])}
    return [values[name] for name in COLUMNS]


@contextmanager
def _translated() -> Iterator[None]:
    """Name errors by what the worker does next: a value that no column takes is poison, all else is an outage."""
    try:
        yield
    except psycopg.DataError as exc:
        raise PoisonError(f"the order cannot be stored: {exc}") from exc
    except psycopg.Error as exc:
        raise UnavailableError(f"{type(exc).__name__}: {exc}") from exc
