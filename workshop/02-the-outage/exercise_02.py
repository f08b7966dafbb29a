"""The outage: orders are accepted without a worker, and made once there is one."""

from collections.abc import Iterator
from typing import Final

from orderboard.system.workers import DRAINS_WITHIN_S, condition
from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing

_ORDERS: Final = 20
_LONG_S: Final = 1.0  # a message that nobody receives for so long waits for a worker
_DRAINED_WITHIN_S: Final = 10.0


def check(board: Board) -> Iterator[Finding]:
    """Count the orders that waited in the queue while no worker received, and look for all of them in the table."""
    waited = _waited(board)
    yield Finding(
        waited >= _ORDERS,
        f"{waited} messages waited longer than {_LONG_S:g} s in the queue before a worker received them"
        + ("." if waited >= _ORDERS else f": stop the worker first, and place {_ORDERS} orders while it is stopped."),
    )
    running = [each.name for each in board.workers.all() if condition(each) == "running"]
    yield Finding(bool(running), f"Running: {', '.join(running)}." if running else "No worker runs. Start worker-1.")
    accepted = board.accepted()
    if running:
        board.eventually(
            lambda: board.orders().keys() >= set(accepted),
            within_s=_DRAINED_WITHIN_S,
            waiting_for="the backlog to drain",
        )
    missing = set(accepted) - board.orders().keys()
    yield Finding(
        bool(accepted) and not missing,
        f"{len(accepted) - len(missing)} of {len(accepted)} accepted orders have ended.",
    )


def _waited(board: Board) -> int:
    sent = {each.message_id: each.at for each in board.entries(event="sent", resource=board.target.outputs.work_queue)}
    first: dict[str, float] = {}
    for each in board.entries(event="received", resource=board.target.outputs.work_queue):
        first.setdefault(each.message_id, each.at)
    return sum(first[id_] - at >= _LONG_S for id_, at in sent.items() if id_ in first)


def solve(board: Board) -> None:
    """Stop the worker, place the orders, start it again."""
    board.workers.act("worker-1", "stop")
    board.eventually(
        lambda: condition(board.workers.named("worker-1")) == "stopped", within_s=DRAINS_WITHIN_S, waiting_for="it"
    )
    board.place_kinds({"normal": _ORDERS})
    oldest = board.engine.now()
    board.eventually(
        lambda: board.engine.now() > oldest + _LONG_S, within_s=_DRAINED_WITHIN_S, waiting_for="the outage"
    )
    board.workers.act("worker-1", "start")


EXERCISE: Final = Exercise(
    prepare=nothing,
    check=check,
    solve=solve,
    hints=(
        "An order counts if it waited: the worker must be stopped *before* you place it.",
        "`orderboard worker stop worker-1`, then 20 orders, then look at `orderboard status`.",
        "And at the end `orderboard worker start worker-1`; the check waits until all orders have ended.",
    ),
)
