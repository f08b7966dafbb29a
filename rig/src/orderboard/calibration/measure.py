"""Times the operations, each for a moment and at several backlogs, with a few calls in flight at once."""

import asyncio
import functools
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from orderboard.calibration.model import OPERATIONS, Ceiling, Operation
from orderboard.calibration.operations import BATCH, WRITE_BATCH, Operations, Order, batches, make_orders
from orderboard.system.target import Target
from orderboard.terminal.progress import Task

BACKLOGS: Final = (100, 1_000, 10_000)
LANES: Final = 4  # calls of one operation in flight at once, as in the services
_ORDERS_PER_S: Final = 3_000

Call = Callable[[], Awaitable[int]]


async def measure(
    calls: Operations, target: Target, *, seconds: float, backlogs: Sequence[int], task: Task
) -> list[Ceiling]:
    """Measure every operation at every backlog. Messages stay in the queue; the caller deletes the stack."""
    found: list[Ceiling] = []
    held = 0
    for backlog in sorted(backlogs):
        for operation in OPERATIONS:
            task.detail(f"{operation} at a backlog of {backlog:,}")
            orders = await asyncio.to_thread(make_orders, int(_ORDERS_PER_S * seconds), target)
            held += await _fill(calls, await asyncio.to_thread(make_orders, max(0, backlog - held), target))
            done, took_s, change = await _time(operation, calls, orders, seconds=seconds, backlog=backlog)
            held += change
            found.append(Ceiling(operation=operation, backlog=backlog, orders_per_s=round(done / took_s, 1)))
            task.advance_to(len(found), len(backlogs) * len(OPERATIONS))
    return found


async def _time(
    operation: Operation, calls: Operations, orders: Sequence[Order], *, seconds: float, backlog: int
) -> tuple[int, float, int]:
    """Return the orders done, the seconds, and by how many messages the queue grew."""
    tens = batches(orders, BATCH)
    growth = 0
    match operation:
        case "publish":
            timed, growth = each_of(tens, calls.publish), 1
        case "put_events":
            timed = each_of(tens, lambda ten: calls.put_events([each.placed for each in ten]))
        case "receive_delete":
            timed, growth = itertools.repeat(calls.receive_delete, backlog // BATCH), -1
        case "write":
            timed = each_of(batches(orders, WRITE_BATCH), calls.write)
        case "together":
            done, took_s, published = await together(calls, orders, seconds=seconds)
            return done, took_s, published - done
    done, took_s = await through(timed, seconds=seconds)
    return done, took_s, growth * done


async def through(calls: Iterator[Call], *, seconds: float, lanes: int = LANES) -> tuple[int, float]:
    """Make these calls in parallel lanes until they or the seconds run out; return the orders and the true seconds."""
    began = time.perf_counter()
    done = 0

    async def lane() -> None:
        nonlocal done
        for call in calls:
            more = await call()  # before `done` is read: another lane may add to it meanwhile
            done += more
            if time.perf_counter() - began >= seconds:
                return

    await asyncio.gather(*(lane() for _ in range(lanes)))
    return done, time.perf_counter() - began


async def together(calls: Operations, orders: Sequence[Order], *, seconds: float) -> tuple[int, float, int]:
    """Measure all calls of an order: each lane publishes and puts ten, then makes ten, so the backlog stays the same.

    Returns the orders made, the seconds, and the orders published.
    """
    rows = iter(orders)
    published = 0

    async def whole(ten: Sequence[Order]) -> int:
        nonlocal published
        both = await asyncio.gather(calls.publish(ten), calls.put_events([order.placed for order in ten]))
        published += both[0]
        return await calls.make(rows)

    done, took_s = await through(each_of(batches(orders, BATCH), whole), seconds=seconds)
    return done, took_s, published


async def _fill(calls: Operations, orders: Sequence[Order]) -> int:
    done, _ = await through(each_of(batches(orders, BATCH), calls.send), seconds=float("inf"))
    return done


def each_of(parts: Iterator[Sequence[Order]], act: Callable[[Sequence[Order]], Awaitable[int]]) -> Iterator[Call]:
    """Yield one call for each part."""
    return (functools.partial(act, part) for part in parts)
