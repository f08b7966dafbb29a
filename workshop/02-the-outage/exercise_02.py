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
        f"{waited} messages waited longer than {_LONG_S:g} s in the queue for a worker"
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
        f"{len(accepted) - len(missing)} of {len(accepted)} accepted orders have ended."
        if accepted
        else "order-api has accepted no order since the opening.",
    )
    yield _unfelt(board)


def _waited(board: Board) -> int:
    """The messages that were received long after they were sent, or that are still there."""
    sent = {each.message_id: each.at for each in board.entries(event="sent", resource=board.target.outputs.work_queue)}
    first: dict[str, float] = {}
    for each in board.entries(event="received", resource=board.target.outputs.work_queue):
        first.setdefault(each.message_id, each.at)
    now = board.engine.now()
    return sum(first.get(message_id, now) - at >= _LONG_S for message_id, at in sent.items())


def _unfelt(board: Board) -> Finding:
    """Compare the time to order-api's answer with the time to the coffee, for the orders that waited."""
    answered = dict(reversed(board.acceptances()))  # the first of each order
    answers, coffees = [0.0], [0.0]
    for order_id, row in board.orders().items():
        if row.placed_at is None or order_id not in answered:
            continue
        coffee_s = (row.recorded_at - row.placed_at).total_seconds()
        answer_s = (answered[order_id] - row.placed_at).total_seconds()
        if coffee_s - answer_s >= _LONG_S:
            coffees.append(coffee_s)
            answers.append(answer_s)
    orders = len(answers) - 1
    slowest = f": the slowest answer took {max(answers) * 1000:.0f} ms, the slowest coffee {max(coffees):.1f} s"
    return Finding(
        orders >= _ORDERS,
        f"{orders} orders were answered long before they were made{slowest if orders else ''}"
        + ("." if orders >= _ORDERS else f"; {_ORDERS} are expected, and each must be made at the end."),
    )


def solve(board: Board) -> None:
    """Stop the worker, place the orders, start it again."""
    board.workers.act("worker-1", "stop")
    board.eventually(
        lambda: condition(board.workers.named("worker-1")) == "stopped",
        within_s=DRAINS_WITHIN_S,
        waiting_for="the worker to end",
    )
    board.place_kinds({"normal": _ORDERS})
    placed = board.engine.now()
    board.eventually(
        lambda: board.engine.now() > placed + _LONG_S, within_s=_DRAINED_WITHIN_S, waiting_for="the outage"
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
