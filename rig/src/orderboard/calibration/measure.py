"""Times the bare operations, each for a moment and at several backlogs, a few calls under way at once."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from orderboard.calibration.model import OPERATIONS, Ceiling, Operation
from orderboard.calibration.operations import BATCH, WRITE_BATCH, Bare, Order, batches, make_orders
from orderboard.system.target import Target
from orderboard.terminal.progress import Task

BACKLOGS: Final = (100, 1_000, 10_000)
LANES: Final = 4  # calls of one operation under way at once, as in the services
_STOCK_PER_S: Final = 3_000

Call = Callable[[], Awaitable[int]]


async def measure(bare: Bare, target: Target, *, seconds: float, backlogs: Sequence[int], task: Task) -> list[Ceiling]:
    """Every operation at every backlog. At the end the queue holds what is left; the caller takes the stack away."""
    found: list[Ceiling] = []
    held = 0
    steps = len(backlogs) * len(OPERATIONS)
    for backlog in sorted(backlogs):
        for operation in OPERATIONS:
            task.detail(f"{operation} at a backlog of {backlog:,}")
            orders = await asyncio.to_thread(make_orders, int(_STOCK_PER_S * seconds), target)
            held += await _fill(bare, await asyncio.to_thread(make_orders, max(0, backlog - held), target))
            done, took_s, change = await _time(operation, bare, orders, seconds=seconds, most=backlog)
            held += change
            found.append(Ceiling(operation=operation, backlog=backlog, orders_per_s=round(done / took_s, 1)))
            task.advance_to(len(found), steps)
    return found


async def _time(
    operation: Operation, bare: Bare, orders: Sequence[Order], *, seconds: float, most: int
) -> tuple[int, float, int]:
    """How many went through, in how long, and how many more the queue holds after it."""
    tens, twenty_fives = batches(orders, BATCH), batches(orders, WRITE_BATCH)
    match operation:
        case "publish":
            done, took_s = await through(each_of(tens, bare.publish), seconds=seconds)
            return done, took_s, done
        case "put_events":
            done, took_s = await through(
                each_of(tens, lambda ten: bare.put_events([each.placed for each in ten])), seconds=seconds
            )
            return done, took_s, 0
        case "receive_delete":
            done, took_s = await through(itertools.repeat(bare.receive_delete, most // BATCH), seconds=seconds)
            return done, took_s, -done
        case "write":
            done, took_s = await through(each_of(twenty_fives, bare.write), seconds=seconds)
            return done, took_s, 0
        case "together":
            done, took_s, published = await together(bare, orders, seconds=seconds)
            return done, took_s, published - done


async def through(calls: Iterator[Call], *, seconds: float, lanes: int = LANES) -> tuple[int, float]:
    """Make these calls, so many at once, until they or the seconds are over; how many orders, and the true seconds."""
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


async def together(bare: Bare, orders: Sequence[Order], *, seconds: float) -> tuple[int, float, int]:
    """The whole way: each lane publishes and puts ten, then makes ten, so the backlog stays. Counted are those made."""
    rows = iter(orders)
    published = 0

    async def whole(ten: Sequence[Order]) -> int:
        nonlocal published
        both = await asyncio.gather(bare.publish(ten), bare.put_events([order.placed for order in ten]))
        published += both[0]
        return await bare.make(rows)

    done, took_s = await through(each_of(batches(orders, BATCH), whole), seconds=seconds)
    return done, took_s, published


async def _fill(bare: Bare, orders: Sequence[Order]) -> int:
    done, _ = await through(each_of(batches(orders, BATCH), bare.send), seconds=float("inf"))
    return done


def each_of(parts: Iterator[Sequence[Order]], act: Callable[[Sequence[Order]], Awaitable[int]]) -> Iterator[Call]:
    """One call for each part."""
    return (_bound(act, part) for part in parts)


def _bound(act: Callable[[Sequence[Order]], Awaitable[int]], part: Sequence[Order]) -> Call:
    return lambda: act(part)
