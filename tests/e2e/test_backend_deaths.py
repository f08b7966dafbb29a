"""Engines that are killed in the middle of the load: each is there again within seconds, and the ledger balances."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from conftest import HOST_RUNTIME
from e2e.board import Board, board
from orderboard_stack.deploy import deploy
from orderboard_stack.local_backend import LocalBackend, start_local
from orderboard_stack.local_processes import read_engines
from support.stack import DeployedStack
from support.waiting import eventually

CLIENTS = 20


@pytest.fixture
def own_backend(tmp_path: Path) -> Iterator[LocalBackend]:
    """A backend whose engines the test may kill."""
    backend = start_local("embedded", tmp_path / "backend.log")
    yield backend
    backend.stop()


@pytest.fixture
async def running(own_backend: LocalBackend, host_notifier_zip: Path, tmp_path: Path) -> AsyncIterator[Board]:
    """A pipeline with one worker on that backend."""
    endpoint = own_backend.endpoint
    outputs = deploy(
        endpoint.session(),
        endpoint.endpoint_url,
        notifier_zip=host_notifier_zip,
        parameters={"NotifierRuntime": HOST_RUNTIME, "WorkVisibilityTimeoutS": "3"},
    )
    stack = DeployedStack(name="orderboard", prefix="orderboard", endpoint=endpoint, outputs=outputs)
    async with board(stack, tmp_path) as started:
        await started.worker()
        yield started


def kill(backend: LocalBackend, name: str) -> None:
    """SIGKILL an engine."""
    pid = read_engines(backend.log_path)[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_orders_ride_out_the_death_of_localbus(running: Board, own_backend: LocalBackend) -> None:
    """Each order that was answered 202 before, during and after three kills ends exactly once, and is announced.

    It takes 20 s: messages that were in flight come back after 3 s, and SDKs wait between their attempts.
    """
    ending = asyncio.Event()

    async def client() -> None:
        while not ending.is_set():
            await running.place(until_accepted=True)

    load = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    for kills in range(1, 4):
        before = len(running.placed)
        await eventually(lambda: len(running.placed) >= before + 100, within_s=60)  # noqa: B023
        kill(own_backend, "localbus")
        await eventually(lambda: read_engines(own_backend.log_path)["localbus"].restarts == kills, within_s=10)  # noqa: B023
    after = len(running.placed)
    await eventually(lambda: len(running.placed) >= after + 100, within_s=60)
    large, _ = await running.place(until_accepted=True, lines=[{"sku": "catering-box", "quantity": 2}])
    ending.set()
    await asyncio.gather(*load)

    await eventually(running.assert_balanced, within_s=60)
    assert {entry.ended for entry in running.ledger().entries} == {"completed"}
    assert ("large_order", large) in running.alerts()
    assert all(placed.order_ids for placed in running.placed), "an answer was neither 202 nor 503"


async def test_alerts_go_on_after_the_death_of_ministack(running: Board, own_backend: LocalBackend) -> None:
    """Orders do not feel it, and each alert is announced once, although its Lambda was killed with it."""
    lines = [{"sku": "catering-box", "quantity": 2}]
    first = await running.place_many(10, lines=lines)
    await eventually(lambda: ("large_order", first[0]) in running.alerts(), within_s=30)

    during = asyncio.create_task(running.place_many(20, lines=lines))
    kill(own_backend, "MiniStack")
    await during
    await eventually(lambda: read_engines(own_backend.log_path)["MiniStack"].restarts == 1, within_s=10)
    after = await running.place_many(10, lines=lines)

    assert "" not in after
    await eventually(running.assert_balanced, within_s=60)
