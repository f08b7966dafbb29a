"""Rows in a table: statements in batches, puts, reads and queries beside MiniStack; and a million rows.

The table has an index by customer, time to live and point-in-time recovery, and a row has 12 attributes in
about 700 bytes of JSON, as an order has. Each engine keeps the rows of all its turns.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from engines.client import Client, json_request
from engines.engine import Engine, localbus, ministack
from engines.load import Contender, Operation, Run, Step, fill, take_turns
from engines.report import Report, speeds_of
from goals import Goal, ratios

BATCH = 25  # the most statements of a call
CUSTOMERS = 10_000
ROWS, BLOCK = 1_000_000, 100_000
STATEMENTS, PUT, GET, QUERY = "BatchExecuteStatement of 25 INSERTs", "PutItem", "GetItem", "Query of an index"
LEAST = {STATEMENTS: 5.0, PUT: 1.0, GET: 1.0, QUERY: 1.0}
_NUMBER, _CUSTOMER = "%(n)032x", "%(c)06d"


async def tables_part(run: Run) -> Report:
    """Compare rates and CPU time, and fill a table, in about six minutes."""
    with ExitStack() as stack:
        contenders = [await _contender(stack.enter_context(engine())) for engine in (ministack, localbus)]
        await take_turns(contenders, run)
    report = Report(_goals(*contenders), speeds_of(contenders))
    report += await _million(run)
    return report


async def _contender(engine: Engine) -> Contender:
    await create_table(engine)
    numbers = itertools.count()
    cycle = [
        Operation(STATEMENTS, insert(numbers)),
        Operation(PUT, _put(numbers)),
        Operation(GET, _get()),
        Operation(QUERY, _query()),
    ]
    return Contender(engine.name, engine, cycle)


async def create_table(engine: Engine) -> None:
    """Create the table `rows`."""
    client = await Client.connect(engine.port)
    attributes = ("order_id", "customer_id", "placed_at")
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in attributes]
    keys = [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(attributes[1:], ("HASH", "RANGE"), strict=True)
    ]
    index = {"IndexName": "by-customer", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    table = {
        "TableName": "rows",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
        "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [index],
    }
    await client.json("dynamodb", "CreateTable", table)
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    await client.json("dynamodb", "UpdateTimeToLive", {"TableName": "rows", "TimeToLiveSpecification": expiry})
    recovery = {"PointInTimeRecoveryEnabled": True}
    request = {"TableName": "rows", "PointInTimeRecoverySpecification": recovery}
    await client.json("dynamodb", "UpdateContinuousBackups", request)
    client.close()


def _item() -> dict[str, dict[str, str]]:
    """A row, with placeholders for its number and its customer."""
    lines = json.dumps([{"sku": "beans", "count": 2, "price_cents": 625}] * 5)
    texts = {
        "order_id": _NUMBER,
        "customer_id": f"customer-{_CUSTOMER}",
        "placed_at": f"2026-11-29T08:00:00.{_NUMBER}Z",
        "status": "completed",
        "priority": "normal",
        "lines": lines,
        "worker": "worker-1",
        "completed_at": "2026-11-29T08:00:01.000000Z",
        "trace": "x" * 80,
    }
    numbers = {"total_cents": "6250", "receive_count": "1", "expires_at": "4102444800"}
    return {name: {"S": text} for name, text in texts.items()} | {name: {"N": text} for name, text in numbers.items()}


def _values(number: int) -> dict[str, int]:
    # An odd factor spreads the keys over the table, as random ones do.
    return {"n": number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, "c": number * 7919 % CUSTOMERS}


def insert(numbers: Iterator[int]) -> Step:
    """BatchExecuteStatement."""
    item = _item()
    members = ", ".join(f"'{name}': ?" for name in item)
    statement = {"Statement": f'INSERT INTO "rows" VALUE {{{members}}}', "Parameters": list(item.values())}
    template = json.dumps(statement)

    async def step(client: Client) -> int:
        statements = ",".join(template % _values(number) for number in itertools.islice(numbers, BATCH))
        request = json_request("dynamodb", "BatchExecuteStatement", f'{{"Statements":[{statements}]}}'.encode())
        answer = await client.call(request)
        if b'"Error"' in answer:
            raise ValueError(answer[:500])
        return BATCH

    return step


def _put(numbers: Iterator[int]) -> Step:
    template = json.dumps({"TableName": "rows", "Item": _item()})

    async def step(client: Client) -> int:
        await client.call(json_request("dynamodb", "PutItem", (template % _values(next(numbers))).encode()))
        return 1

    return step


def _get() -> Step:
    template, numbers = json.dumps({"TableName": "rows", "Key": {"order_id": {"S": _NUMBER}}}), itertools.count()

    async def step(client: Client) -> int:
        values = _values(next(numbers) % BATCH)
        answer = await client.call(json_request("dynamodb", "GetItem", (template % values).encode()))
        if b"trace" not in answer:
            raise ValueError(answer[:500])
        return 1

    return step


def _query() -> Step:
    values = {":c": {"S": f"customer-{_CUSTOMER}"}}
    query = {"TableName": "rows", "IndexName": "by-customer", "Limit": 10, "ScanIndexForward": False}
    query |= {"KeyConditionExpression": "customer_id = :c", "ExpressionAttributeValues": values}
    template, numbers = json.dumps(query), itertools.count()

    async def step(client: Client) -> int:
        await client.call(json_request("dynamodb", "Query", (template % _values(next(numbers) % CUSTOMERS)).encode()))
        return 1

    return step


def _goals(theirs: Contender, ours: Contender) -> list[Goal]:
    goals = []
    for other, own in zip(theirs.cycle, ours.cycle, strict=True):
        detail = f"server busy {own.server_busy():.0%} of the time; MiniStack {other.server_busy():.0%}"
        rates, costs_s = ratios(own.rates(), other.rates()), ratios(own.costs_s(), other.costs_s())
        name = f"{own.name}: localbus by MiniStack"
        goals.append(Goal(name, LEAST[own.name], rates, detail=f"{detail}; CPU {median(costs_s):.2f} x"))
    return goals


async def _million(run: Run) -> Report:
    """Insert in turns into tables of 100,000 and of a million rows; compare memory while the larger one fills."""
    memory_mb: list[float] = []
    with ExitStack() as stack:
        contenders = []
        for rows in (BLOCK, ROWS):
            engine, numbers = stack.enter_context(localbus()), itertools.count()
            await create_table(engine)
            memory_mb = []
            for at in range(0, rows, BLOCK):
                run.progress(f"rows {at:,} of {rows:,}")
                await fill(engine, insert(numbers), BLOCK)
                memory_mb.append(engine.memory_bytes() / 1e6)
            operation = Operation(STATEMENTS, insert(numbers))
            contenders.append(Contender(f"{engine.name}, {rows:,} rows", engine, [operation]))
        await take_turns(contenders, run)
    few, many = (contender.cycle[0] for contender in contenders)
    cpu = f"CPU for a row {median(ratios(many.costs_s(), few.costs_s())):.2f} x"
    shown = f"MB by 100,000 rows: {', '.join(f'{value:.0f}' for value in memory_mb)}"
    growth = [memory_mb[-1] / memory_mb[0]]
    goals = [
        Goal(f"{STATEMENTS}: {ROWS:,} rows by {BLOCK:,}", 0.9, ratios(many.rates(), few.rates()), detail=cpu),
        Goal(f"memory with {ROWS:,} rows by {BLOCK:,}", 1.05, growth, at_most=True, detail=shown),
    ]
    return Report(goals, speeds_of(contenders))
