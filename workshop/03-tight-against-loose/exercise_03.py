"""Tight against loose: a cashier who calls the barista loses orders with her; a queue in between keeps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing
from orderboard.workshop.stacks import deploy_queue
from orderboard.workshop.stage import Event, perform

FILE: Final = "my_cashier.py"
_PROGRAM: Final = Path(__file__).with_name("morning.py")
_WITHIN_S: Final = 40.0
_QUEUE: Final = "board"


def prepare(board: Board) -> None:
    """Hang up the board: a queue at which the barista of `morning.py` looks."""
    deploy_queue(board, _QUEUE, visibility_timeout_s=1)


def check(board: Board) -> Iterator[Finding]:
    """Let the attendee's cashier work through a morning in which the barista is killed, and compare."""
    board.say("A morning at the counter, about 3 s.")
    [counts] = [
        each
        for each in perform(board, _PROGRAM, file=FILE, queue=_QUEUE, within_s=_WITHIN_S)
        if each["step"] == "closes"
    ]
    accepted, refused, waiting, lost = (counts[name] for name in ("accepted", "refused", "waiting", "lost"))
    orders = len(accepted) + len(refused) + len(waiting)
    text = f"The barista was killed, and came back. {len(accepted)} of {orders} orders were accepted"
    if refused:
        order_id, error = next(iter(refused.items()))
        text += f"; {len(refused)} customers were sent away, the first with order {order_id}: {error}"
    yield Finding(not refused, f"{text}.")
    yield _nobody_waited(counts)
    text = f"{len(accepted) - len(lost)} of {len(accepted)} accepted orders were made."
    if counts["unreadable"]:
        text += f" The barista cannot read this as the JSON object of an order: {counts['unreadable'][0]}"
    elif lost:
        text += f" {', '.join(lost)} were promised and lost: nobody knows of them any more."
    yield Finding(bool(accepted) and not lost, text)


def _nobody_waited(counts: Event) -> Finding:
    waiting, waited = counts["waiting"], counts["waited"]
    if waiting:
        text = (
            f"The cashier did not answer {', '.join(waiting)}: the customer waited until the till was killed as well."
        )
    elif waited:
        text = f"{len(waited)} customers waited for the barista: she made {waited[0]} at her door before the answer."
    else:
        text = f"No customer waited for the barista: the slowest answer took {counts['slowest_ms']} ms."
    return Finding(not waiting and not waited, text)


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=nothing,
    hints=(
        "As long as `take` needs the barista to answer, her absence is yours. Where could an order wait for her that "
        "is neither the customer's patience nor the memory of your till?",
        "The barista looks at the board, a queue, too. Its URL is in `BOARD_QUEUE_URL`; what hangs there must be the "
        "order as a JSON object.",
        '`boto3.client("sqs").send_message(QueueUrl=os.environ["BOARD_QUEUE_URL"], MessageBody=json.dumps(order))` '
        "instead of the HTTP call. It returns once SQS has stored the message.",
    ),
    files=(FILE,),
)
