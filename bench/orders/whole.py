"""The whole pipeline, from HTTP to the outcome on the bus: against the calibrated ceilings, and its cost."""

import asyncio
from typing import Final

from goals import Goal
from orderboard.burst.report.cost import cost
from orderboard.calibration.measure import measure
from orderboard.calibration.model import Ceiling
from orderboard.calibration.operations import operations
from orderboard.terminal.progress import Task
from orders.running import RunningSystem
from orders.worker import plain_loop

ORDERS: Final = 5_000
_BACKLOG: Final = 1_000


def whole_part(running: RunningSystem) -> list[Goal]:
    """End to end against the slowest ceiling, measured in the same round; and requests for 1,000 orders."""
    shares, costs, details = [], [], []
    naive = _naive_requests(running)
    for number in range(1, running.rounds + 1):
        with running.screen.task(f"End to end, round {number}", total=0) as task:
            ceilings = {each.operation: each.orders_per_s for each in asyncio.run(_ceilings(running, task))}
            running.empty()
            together = ceilings.pop("together")
            slowest = min(ceilings, key=lambda operation: ceilings[operation])
            task.detail(f"{ORDERS:,} orders")
            played = running.run_burst(ORDERS, ceilings[slowest])
        finished_per_s = played.recorder.finished / played.recorder.last_finish_s
        requests = cost(played.requests, orders=played.recorder.accepted).requests_per_1000_orders
        shares.append(finished_per_s / ceilings[slowest])
        costs.append(requests / naive)
        details.append(f"{finished_per_s:.0f} of {ceilings[slowest]:.0f} ({slowest}; all together {together:.0f})")
    return [
        Goal("end to end : slowest ceiling", 0.7, shares, detail=f"orders a second: {'; '.join(details)}"),
        Goal(
            "requests to AWS, batched : naive",
            0.25,
            costs,
            at_most=True,
            detail=f"naive: {naive:,.0f} for 1,000 orders",
        ),
    ]


async def _ceilings(running: RunningSystem, task: Task) -> list[Ceiling]:
    async with operations(running.system.target) as calls:
        return await measure(calls, running.system.target, seconds=2, backlogs=(_BACKLOG,), task=task)


def _naive_requests(running: RunningSystem) -> float:
    """Requests for 1,000 orders: the plain loop's, the naive handler's two, and one PutEvents for the outcome."""
    running.fill(200)
    _, counted = plain_loop(running.system.target, 200)
    return 1000 * (counted / 200 + 2 + 1)
