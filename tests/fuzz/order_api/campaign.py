"""One run: start the system, send the requests, and compare what was answered with what was published and recorded."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from fuzz.found import Found
from fuzz.order_api.connection import Connection
from fuzz.order_api.customer import Customer, Record
from fuzz.order_api.description import Description
from fuzz.order_api.publications import publications
from fuzz.order_api.schema_tests import exchanges
from fuzz.order_api.stories import STORIES
from orderboard.ledger.evidence import final_rows
from orderboard.orders.dead_letters import dead_letters
from orderboard.system.services import ServiceOptions
from orderboard.system.system import System, SystemOptions, running_system
from orderboard.system.target import Target
from orderboard.terminal.progress import PlainScreen
from rich.console import Console
from support.waiting import poll_until

_CUSTOMERS: Final = 40  # at once
_WITHIN_S: Final = 60
_FROM_SCHEMA: Final = 500  # up to so many requests there are stories only, as schemathesis sends 250 at least
_EXAMPLES: Final = 5  # of schemathesis for each operation, at least


def run(seed: int, count: int) -> Found:
    """Send at least `count` requests. Return each fault with what repeats it, and the number of each response."""
    with tempfile.TemporaryDirectory() as folder:
        options = SystemOptions(
            backend="embedded",
            endpoint_url=None,
            parameters={"WithDashboard": "false"},
            services=ServiceOptions(logs_dir=Path(folder)),
        )
        with running_system(options, PlainScreen(Console(quiet=True))) as system:
            record = _campaign(system, seed, count)
            record.faults += _faults_in_logs(system, Path(folder))
    return Found(record.faults, record.answers)


def _campaign(system: System, seed: int, count: int) -> Record:
    target, url = system.target, system.target.api()
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:  # noqa: S310 - our own process
        record = Record(Description(json.load(answer)))
    with publications(target) as published:
        if count >= _FROM_SCHEMA:
            for request, response in exchanges(url, seed, max(_EXAMPLES, count // 200), record.faults):
                record.judge(request, response, f"schemathesis with seed {seed}")
        asyncio.run(_stories(record, url, seed, count))
        published.wait(record.sent)
    record.faults += published.faults(record.sent)
    record.faults += _faults_recorded(target, record)
    return record


async def _stories(record: Record, url: str, seed: int, count: int) -> None:
    seeds = itertools.count(seed)
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None

    async def serve(customer: Customer) -> None:
        while record.answers.total() < count:
            customer.begin(story := next(seeds))
            [tell] = random.Random(story).choices(list(STORIES), list(STORIES.values()))
            await tell(customer)
        customer.connection.hang_up()

    customers = (Customer(record, Connection(address.hostname, address.port)) for _ in range(min(_CUSTOMERS, count)))
    await asyncio.gather(*map(serve, customers))


def _faults_recorded(target: Target, record: Record) -> Iterator[str]:
    """Yield the orders that were accepted and are in no final state, and those that are in a dead-letter queue."""
    rows: dict[str, Any] = {}

    def all_recorded() -> bool:
        rows.update(final_rows(target))
        return record.orders.keys() <= rows.keys()

    try:
        poll_until(all_recorded, _WITHIN_S)
    except AssertionError:
        yield from (f"order {order_id} is lost" for order_id in record.orders.keys() - rows.keys())
    yield from (f"in a dead-letter queue: {letter}" for letter in dead_letters(target))


def _faults_in_logs(system: System, logs_dir: Path) -> Iterator[str]:
    """Yield the errors that the processes logged, and those that ended."""
    for service in system.services:
        if not service.process.running():
            yield f"{service.process.name} ended"
    for log in logs_dir.glob("*.log"):
        lines = log.read_text(errors="replace").splitlines()
        yield from (f"{log.stem}: {line[:2000]}" for line in lines if "Traceback" in line or '"level":"ERROR"' in line)
