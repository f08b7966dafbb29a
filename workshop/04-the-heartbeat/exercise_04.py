"""The heartbeat: a visibility timeout that is shorter than the work, and a worker that dies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding, nothing
from orderboard.workshop.stacks import deploy_queue
from orderboard.workshop.stage import Event, perform

FILE: Final = "my_worker.py"
_PROGRAM: Final = Path(__file__).with_name("shift.py")
_WITHIN_S: Final = 60.0
_QUEUE: Final = "slow"


def prepare(board: Board) -> None:
    """Make a queue whose visibility timeout is shorter than the work."""
    deploy_queue(board, _QUEUE, visibility_timeout_s=2)


def check(board: Board) -> Iterator[Finding]:
    """Let three processes run the attendee's worker on a long order; kill one that has a short order in hand."""
    board.say("A shift of three workers, about 6 s.")
    events = perform(board, _PROGRAM, file=FILE, queue=_QUEUE, within_s=_WITHIN_S)
    [end] = _of(events, "closes")
    *_, first, last = [None, *_of(events, "begun", "long")]
    if end["seen"] == "begun twice" and first is not None:
        yield Finding(
            met=False,
            text=f"{last['who']} began the long order {_between(first, last)} after {first['who']} had, which was "
            "alive and still making it: its message was visible again.",
        )
        return
    yield Finding(met=True, text=f"Nobody else began the long order while {last['who']} made it.")
    yield _taken_over(events, end)
    if end["seen"] == "taken over":
        made = [len(_of(events, "made", order)) for order in ("long", "short")]
        yield Finding(
            made == [1, 1] and not end["left"],
            f"Times that the long order was made: {made[0]}; the short one: {made[1]}. Messages left in the queue: "
            f"{end['left']}.",
        )


def _taken_over(events: list[Event], end: Event) -> Finding:
    [killed] = _of(events, "killed")
    text = f"{killed['who']} was killed with the short order in hand"
    match end["seen"]:
        case "taken over":
            next_ = _of(events, "begun", "short")[1]
            return Finding(met=True, text=f"{text}; {next_['who']} took it over {_between(killed, next_)} later.")
        case "gone":
            return Finding(met=False, text=f"{text}, and the order is lost: its message had been deleted already.")
    return Finding(
        met=False,
        text=f"{text}, and {_between(killed, end)} later nobody has taken it over: its message is still hidden, for a "
        "worker that is dead.",
    )


def _of(events: list[Event], step: str, order: str | None = None) -> list[Event]:
    return [each for each in events if each["step"] == step and order in (None, each.get("order"))]


def _between(first: Event, second: Event) -> str:
    return f"{second['at_s'] - first['at_s']:.1f} s"


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=nothing,
    hints=(
        "A message is visible again when its visibility timeout ends, whether or not somebody is still busy with it. A "
        "timeout that is long enough for any order is also the time for which a dead worker's order is hidden.",
        "`change_message_visibility` sets the time that is left, counted from the call. Call it again and again while "
        "`make` runs, from a thread, and stop when `make` is done. A dead process makes no calls.",
        "`done = threading.Event()`; a daemon thread: `while not done.wait(0.5): sqs.change_message_visibility("
        'QueueUrl=..., ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=2)`; start it before `make`, and call '
        "`done.set()` and `join()` in a `finally` after it. Leave the queue's timeout at 2 s.",
    ),
    files=(FILE,),
)
