"""A burst: the number of workers that drains it in time, and not one more."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final

from orderboard.errors import RigError
from orderboard.system.workers import condition
from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing
from orderboard_contracts.record import OrderRecord

_PREPARATION_S: Final = 0.2
_AT_ONCE: Final = 4
_ORDERS: Final = 132
_WITHIN_S: Final = 3.0
_NEEDED: Final = math.ceil(_ORDERS / _WITHIN_S / (_AT_ONCE / _PREPARATION_S))
_GIVEN: Final = {
    "ORDERBOARD_PREPARATION_MS": f"{_PREPARATION_S * 1000:.0f}",
    "ORDERBOARD_WORKER_CONCURRENCY": f"{_AT_ONCE}",
}
_EMPTY_WITHIN_S: Final = 10.0
_WATCHED_S: Final = 10 * _WITHIN_S  # on a slow machine the same burst takes longer, and only ratios count


def check(board: Board) -> Iterator[Finding]:
    """Send the burst to the attendee's workers, and measure how long it takes until the last order is made."""
    environment = board.workers.environment
    changed = [name for name, value in _GIVEN.items() if environment.get(name) != value]
    yield Finding(
        not changed,
        f"A worker makes {_AT_ONCE} orders at once, {_PREPARATION_S:g} s each, as given."
        if not changed
        else f"{changed[0]} is {environment.get(changed[0], 'not set')} instead of {_GIVEN[changed[0]]}: coffee takes "
        f"its time. Put it back: orderboard worker set {changed[0]}={_GIVEN[changed[0]]}",
    )
    if changed:
        return
    workers = [each.name for each in board.workers.all() if condition(each) == "running"]
    if not workers:
        yield Finding(met=False, text="No worker runs. Start one: orderboard worker start worker-1")
        return
    if len(workers) > _NEEDED:
        yield Finding(met=False, text=f"{len(workers)} workers run: fewer drain the burst in time, and each one costs.")
        return
    yield _burst(board, workers)


def _burst(board: Board, names: Sequence[str]) -> Finding:
    if not board.eventually(lambda: _drained(board), within_s=_EMPTY_WITHIN_S, waiting_for="the queues to be empty"):
        return Finding(met=False, text="Orders are still under way: the burst cannot be measured. Check again later.")
    board.say(f"A burst of {_ORDERS} orders.")
    workers = _plural(len(names))
    with _frozen(board, names):
        placed = set(board.place_kinds({"normal": _ORDERS}))
    board.eventually(lambda: _drained(board), within_s=_WATCHED_S, waiting_for=f"{workers} to make them")
    made = [each for order_id, each in board.orders().items() if order_id in placed]
    if len(made) < _ORDERS // 4:
        return Finding(met=False, text=f"Only {len(made)} of {_ORDERS} orders were made in {_WATCHED_S:g} s.")
    each_s = max(_service_s(made), _PREPARATION_S)
    ended = [each.recorded_at for each in made]
    took_s = each_s + (max(ended) - min(ended)).total_seconds()  # the first were begun as long before
    drained_s = took_s * _PREPARATION_S / each_s
    in_time = len(made) == _ORDERS and drained_s <= _WITHIN_S
    text = f"{workers} made {len(made)} of {_ORDERS} orders in {took_s:.1f} s"
    if each_s > 1.05 * _PREPARATION_S:
        text += f"; here an order took {each_s:.2f} s instead of {_PREPARATION_S:g} s, so {drained_s:.1f} s count"
    return Finding(in_time, f"{text}." if in_time else f"{text}: {_WITHIN_S:g} s at most, or customers leave.")


def _drained(board: Board) -> bool:
    outputs = board.target.outputs
    return not any(board.depth(name).total for name in (outputs.work_queue, outputs.express_queue))


@contextmanager
def _frozen(board: Board, names: Sequence[str]) -> Iterator[None]:
    """Let the workers do nothing while the orders come, so that all of them wait when the work begins."""
    frozen: list[str] = []
    try:
        for name in names:
            board.workers.act(name, "freeze")
            frozen.append(name)
        yield
    finally:
        for name in frozen:
            with suppress(RigError):  # it has ended
                board.workers.act(name, "thaw")


def _service_s(made: Sequence[OrderRecord]) -> float:
    """Return the time that a worker took for an order: between one, and that which came into its place."""
    by_worker: dict[str, list[datetime]] = defaultdict(list)
    for each in made:
        by_worker[each.worker_id or ""].append(each.recorded_at)
    times = (sorted(each) for each in by_worker.values())
    gaps = [
        (later - earlier).total_seconds()
        for each in times
        for earlier, later in zip(each, each[_AT_ONCE:], strict=False)
    ]
    return statistics.fmean(gaps) if gaps else _PREPARATION_S


def _plural(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


def solve(board: Board) -> None:
    """Run as many workers as the burst needs."""
    board.workers.scale(_NEEDED)


EXERCISE: Final = Exercise(
    prepare=nothing,
    check=check,
    solve=solve,
    hints=(
        "How many orders a second does one worker make? It makes 4 at once, and each takes 0.2 s.",
        "Little's law: orders in work = orders a second × seconds for each. So one worker makes 4 / 0.2 = 20 a second. "
        "The burst has to be drained at 132 / 3 = 44 a second.",
        "44 / 20 = 2.2, and there is no 0.2 of a worker: run 3. `orderboard worker add` starts one more.",
    ),
    worker_environment=_GIVEN,
)
