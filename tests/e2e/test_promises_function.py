"""The promises on the whole pipeline with the worker as a Lambda function: a real function, the embedded backend.

The promises to a single message are tested for both entries in tests/unit/worker/test_both_entries.py. The third, about
order and repetition, and the seventh, about backends, are the code's that both share.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from conftest import stacks
from e2e.board import Board, board
from orderboard.orders.kinds import Ending
from orderboard.orders.redrive import plan, redrive
from orderboard.system.worker_function import WorkerFunction
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack
from support.waiting import eventually

DEAD_LETTERED: frozenset[Ending] = frozenset(("dead-lettered",))
# As short as Lambda permits beside the function's timeout, so that the messages of a killed function return soon.
TIMES = {"WorkerTimeoutS": "5", "WorkVisibilityTimeoutS": "5"}


@pytest.fixture(scope="module")
def stack(backend: Endpoint, notifier_zip: Path) -> Iterator[DeployedStack]:
    """A stack whose worker is a function that accepts faults."""
    with stacks(backend, notifier_zip) as deployed:
        stack = deployed({"WorkerCompute": "lambda", "WorkerMaxConcurrency": "2", "WorkMaxReceiveCount": "4", **TIMES})
        WorkerFunction(stack).set_environment({"ORDERBOARD_ALLOW_FAULTS": "true"})
        yield stack


@pytest.fixture(scope="module")
async def running(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Board]:
    """The pipeline, for all tests of this file. No worker is a process."""
    async with board(stack, tmp_path_factory.mktemp("logs")) as started:
        yield started


async def test_1_4_and_5_every_order_ends_once_though_the_function_is_killed(
    running: Board, stack: DeployedStack
) -> None:
    """An order kills its function with a batch in hand, orders are sent twice, one takes most of the function's time.

    None is lost, none is made twice, poison holds up nobody, and once the function can handle it, it is redriven.
    Takes more than 5 s: the batch of the killed function comes back after its visibility timeout.
    """
    slow, _ = await running.place(fault="slow:3000", priority="express")
    poisoned, _ = await running.place(fault="poison", may_end=DEAD_LETTERED)
    await asyncio.gather(
        running.place_many(60),
        running.place_many(20, priority="express"),
        running.place(fault="crash"),
        *(running.place(sends=3) for _ in range(5)),
        running.place(lines=[{"sku": "catering-box", "quantity": 2}]),
    )

    await eventually(running.assert_balanced, within_s=60)
    endings = [entry.ended for entry in running.ledger().entries]
    assert (endings.count("completed"), endings.count("dead-lettered")) == (88, 1)
    assert (await running.http.get(f"/orders/{slow}")).json()["receive_count"] == 1
    assert await running.status(poisoned) is None

    await asyncio.to_thread(WorkerFunction(stack).set_environment, {"ORDERBOARD_ALLOW_FAULTS": "false"})
    redriven = redrive(running.target.sqs, plan("work", stack.outputs), stack.outputs, lambda _moved, _total: None)

    assert redriven.moved == 1
    await eventually(lambda: running.listener.finished == 89, within_s=20)
    assert await running.status(poisoned) == "completed"


async def test_2_and_6_disabled_mappings_drain_and_the_api_does_not_feel_it(
    running: Board, stack: DeployedStack
) -> None:
    """Invocations under way finish, no more begin, every order is still answered 202, and all are made afterwards."""
    before = running.listener.finished
    await asyncio.to_thread(WorkerFunction(stack).set_environment, {"ORDERBOARD_PREPARATION_MS": "1000"})
    await running.place_many(10)
    await eventually(lambda: running.in_flight() > 0, within_s=10)

    await asyncio.to_thread(WorkerFunction(stack).set_enabled, enabled=False)
    await running.place_many(10)

    await eventually(lambda: running.in_flight() == 0, within_s=20)
    waiting = running.waiting()
    assert waiting >= 10
    assert await eventually(lambda: running.listener.finished - before == 20 - waiting, within_s=10)
    await asyncio.to_thread(WorkerFunction(stack).set_enabled, enabled=True)
    await eventually(lambda: running.listener.finished - before == 20, within_s=30)
