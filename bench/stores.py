"""The orders table through DynamoDB's API and on PostgreSQL, side by side: `python bench/stores.py [--seconds 5]`.

localbus stands for DynamoDB. Both keep what they acknowledge (fsync), both run on this machine, so the figures compare
two engines here, and neither with AWS. docs/decisions/dynamodb-or-relational.md has them.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import boto3
from order_api.order_queries import OrderQueries
from orderboard_aws_client.lean import get_session
from orderboard_contracts.record import OrderRecord
from support.order_rows import completed
from support.postgres import postgres, require_postgres
from support.postgres_orders import postgres_orders
from worker.orders_table import Orders, orders_table

BATCH: Final = 25  # the most statements of a BatchExecuteStatement
AT_ONCE: Final = 4
CUSTOMERS: Final = 100
_START: Final = datetime(2026, 3, 2, tzinfo=UTC)
_ACCOUNT: Final[dict[str, Any]] = {
    "aws_access_key_id": "000000000000",
    "aws_secret_access_key": "test",
    "region_name": "us-east-1",
}
_Query = Callable[[str], Awaitable[object]]


def rows() -> Iterator[OrderRecord]:
    """Yield new orders of a hundred customers, each later than the one before."""
    number = 0
    while True:
        yield completed(str(uuid.uuid4()), f"customer-{number % CUSTOMERS}", _START + timedelta(seconds=number))
        number += 1


async def measure(orders: Orders, query: _Query, seconds: float) -> dict[str, str]:
    """Measure each operation for so many seconds."""
    source, written = rows(), 0
    first = next(source)
    await orders.insert(first)

    async def batches(until: float) -> None:
        nonlocal written
        while time.perf_counter() < until:
            written += sum(await orders.insert_many([next(source) for _ in range(BATCH)]))

    began = time.perf_counter()
    await asyncio.gather(*(batches(began + seconds) for _ in range(AT_ONCE)))
    a_second = written / (time.perf_counter() - began)
    return {
        f"inserts a second, {BATCH} in a call, {AT_ONCE} calls at once": f"{a_second:,.0f}",
        "one insert": await _latency(lambda: orders.insert(next(source)), seconds),
        "one insert of an order that has a row": await _latency(lambda: orders.insert(first), seconds),
        "one read by id": await _latency(lambda: orders.get(first.order_id), seconds),
        "the newest 20 orders of a customer": await _latency(lambda: query("customer-7"), seconds),
    }


async def _latency(call: Callable[[], Awaitable[object]], seconds: float) -> str:
    until, found = time.perf_counter() + seconds, []
    while (began := time.perf_counter()) < until:
        await call()
        found.append(1000 * (time.perf_counter() - began))
    return f"{statistics.median(found):.2f} ms, p99 {statistics.quantiles(found, n=100)[-1]:.2f}"


@contextmanager
def localbus(folder: str) -> Iterator[str]:
    """Run a localbus that keeps its state in the folder, with the orders table; yield its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "localbus", "--port", str(port), "--data", folder, "--fsync"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        url = f"http://127.0.0.1:{port}"
        session: Any = boto3.Session(**_ACCOUNT)
        client = session.client("dynamodb", endpoint_url=url)
        names = ("order_id", "customer_id", "placed_at")
        keys = [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names[1:], ("HASH", "RANGE"), strict=True)
        ]
        index = {"IndexName": "by-customer", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
        client.create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[index],
        )
        yield url
    finally:
        server.terminate()
        server.wait(10)


async def of_dynamodb(url: str, seconds: float) -> dict[str, str]:
    """Measure the services' own code against a localbus."""
    session: Any = get_session()
    async with (
        session.create_client("dynamodb", endpoint_url=url, **_ACCOUNT) as client,
        orders_table(client, "orders", linger_s=0) as orders,  # these calls have none to wait for
    ):
        queries = OrderQueries(client, "orders", 10)
        return await measure(orders, lambda customer: queries.of_customer(customer, limit=20, after=None), seconds)


async def of_postgres(address: str, seconds: float) -> dict[str, str]:
    """Measure the store of the tests."""
    async with postgres_orders(address, AT_ONCE) as orders:
        return await measure(orders, lambda customer: orders.of_customer(customer, limit=20), seconds)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each operation")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, localbus(folder) as url:
        dynamodb = asyncio.run(of_dynamodb(url, seconds))
    with postgres(require_postgres(), durable=True) as address:
        relational = asyncio.run(of_postgres(address, seconds))
    print("| | DynamoDB's API (localbus) | PostgreSQL |\n|---|---:|---:|")
    for name, found in dynamodb.items():
        print(f"| {name} | {found} | {relational[name]} |")


if __name__ == "__main__":
    main()
