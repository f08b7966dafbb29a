"""The whole way, from HTTP to the outcome on the bus: against the calibrated ceilings, and its cost."""

import asyncio
from typing import Final

from figures import Figure
from ground import Ground
from orderboard.burst.report.cost import priced
from orderboard.calibration.measure import measure
from orderboard.calibration.model import Ceiling
from orderboard.calibration.operations import bare
from orderboard.terminal.progress import Task
from play import play
from worker_part import plain_loop

ORDERS: Final = 5_000
_BACKLOG: Final = 1_000


def whole_part(ground: Ground) -> list[Figure]:
    """End to end against the slowest ceiling, which is measured anew in every round; and requests for 1,000 orders."""
    shares, costs, told = [], [], []
    naive = _naive_requests(ground)
    for number in range(1, ground.rounds + 1):
        with ground.screen.task(f"End to end, round {number}", total=0) as task:
            ceilings = {each.operation: each.orders_per_s for each in asyncio.run(_ceilings(ground, task))}
            ground.empty()
            together = ceilings.pop("together")
            slowest = min(ceilings, key=lambda operation: ceilings[operation])
            task.detail(f"{ORDERS:,} orders")
            played = play(ground, ORDERS, ceilings[slowest])
        finished_per_s = played.book.finished / played.book.last_finish_s
        requests = priced(played.counted, orders=played.book.accepted).requests_per_1000_orders
        shares.append(finished_per_s / ceilings[slowest])
        costs.append(requests / naive)
        told.append(f"{finished_per_s:.0f} of {ceilings[slowest]:.0f} ({slowest}; all together {together:.0f})")
    return [
        Figure("end to end : slowest ceiling", 0.7, tuple(shares), detail=f"orders a second: {'; '.join(told)}"),
        Figure(
            "requests to AWS, batched : naive",
            0.25,
            tuple(costs),
            at_most=True,
            detail=f"naive: {naive:,.0f} for 1,000 orders",
        ),
    ]


async def _ceilings(ground: Ground, task: Task) -> list[Ceiling]:
    async with bare(ground.system.target) as calls:
        return await measure(calls, ground.system.target, seconds=2, backlogs=(_BACKLOG,), task=task)


def _naive_requests(ground: Ground) -> float:
    """For 1,000 orders: the plain loop's as counted, the naive handler's two, and one PutEvents for the outcome."""
    ground.fill(200)
    _, counted = plain_loop(ground.system.target, 200)
    return 1000 * (counted / 200 + 2 + 1)
