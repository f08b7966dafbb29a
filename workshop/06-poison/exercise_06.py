"""Poison: dead letters in two queues, an alarm that must arrive, and a redrive that must come after the fix."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Final

from orderboard.orders.kinds import order_body
from orderboard.orders.redrive import plan, redrive
from orderboard.system.workers import condition
from orderboard.workshop.board import Board, policy
from orderboard.workshop.exercise import Exercise, Finding, NotReadyError

_GOOD, _POISONED = 12, 3
_DEAD_WITHIN_S: Final = 20.0
_ENDED_WITHIN_S: Final = 15.0
# The release of the worker without the bug; the variable plays its deployment.
_FIX: Final = {"ORDERBOARD_ALLOW_FAULTS": "false"}


def prepare(board: Board) -> None:
    """Place good orders, with poisoned ones among them, and wait until these are dead letters."""
    rng = random.Random(6)  # noqa: S311
    poisoned: list[Mapping[str, object]] = [order_body("poison", rng) for _ in range(_POISONED)]
    poisoned.append({**order_body("express", rng), "fault": "poison"})
    good: list[Mapping[str, object]] = [order_body("normal", rng) for _ in range(_GOOD)]
    placed = board.place(*good[: _GOOD // 2], *poisoned, *good[_GOOD // 2 :])
    if not board.eventually(
        lambda: len(_dead(board)) == len(poisoned) and len(board.orders()) == len(good),
        within_s=_DEAD_WITHIN_S,
        waiting_for="the poisoned orders to become dead letters",
    ):
        raise NotReadyError("The orders of this exercise did not end. Look: orderboard status. Then open it again.")
    board.facts["placed"] = placed


def check(board: Board) -> Iterator[Finding]:
    """Look for the alarm, for the redrive policies, and for the end of every accepted order."""
    yield _alarm(board)
    receives = _receives(board)
    yield receives
    if receives.met:
        yield from _ends(board)


def _alarm(board: Board) -> Finding:
    name = _alarm_name(board)
    arrived = [
        each
        for each in board.messages(board.target.outputs.inbox_queue, name)
        if (each.sent_at_s or 0) >= board.opened_at.timestamp() and _state_in(each.body, name) == "ALARM"
    ]
    return Finding(
        bool(arrived),
        f"The alarm {name} went off, and its message is in the inbox."
        if arrived
        else f"The inbox has no message of the alarm {name} since the opening: does anybody learn about a dead letter?",
    )


def _alarm_name(board: Board) -> str:
    return f"{board.target.outputs.work_dlq}-not-empty"


def _state_in(body: str, alarm: str) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    is_ours = isinstance(document, dict) and document.get("AlarmName") == alarm
    return str(document.get("NewStateValue")) if is_ours else ""


def _receives(board: Board) -> Finding:
    outputs, found = board.target.outputs, {}
    for name in (outputs.work_queue, outputs.express_queue):
        redrive_policy = policy(board.attributes(name).get("RedrivePolicy", ""))
        found[name] = int(redrive_policy.get("maxReceiveCount", 0))
    wrong = {name: count for name, count in found.items() if count != int(outputs.work_max_receive_count)}
    if not wrong:
        return Finding(
            met=True, text=f"A dead letter comes after {outputs.work_max_receive_count} receives, as deployed."
        )
    name, count = next(iter(wrong.items()))
    instead = f"a maxReceiveCount of {count}" if count else "no redrive policy"
    return Finding(
        met=False,
        text=f"{name} has {instead} instead of {outputs.work_max_receive_count}: a message that cannot be handled is "
        "only tried more often.",
    )


def _ends(board: Board) -> Iterator[Finding]:
    accepted = list(dict.fromkeys((*board.facts["placed"], *board.accepted())))
    if any(condition(each) == "running" for each in board.workers.all()):
        board.eventually(
            lambda: not _waiting(board), within_s=_ENDED_WITHIN_S, waiting_for="the orders under way to end"
        )
    dead, waiting, made = _dead(board), _waiting(board), board.orders()
    lost = [each for each in accepted if each not in made and each not in dead and each not in waiting]
    yield Finding(
        not lost,
        f"None of {len(accepted)} accepted orders is lost."
        if not lost
        else f"{len(lost)} of {len(accepted)} accepted orders are lost, the first is {lost[0]}: not recorded, and in "
        "no queue. Their messages were deleted, and cannot come back: orderboard workshop reset",
    )
    resting = [f"{count} in {name}" for name in dict.fromkeys(dead.values()) if (count := _count(dead, name))]
    if resting:
        orders = "1 order is a dead letter" if len(dead) == 1 else f"{len(dead)} orders are dead letters"
        text = f"{orders} ({', '.join(resting)}). The customers still wait."
        if any(board.entries(event="redriven", resource=name) for name in dict.fromkeys(dead.values())):
            text += " A redrive has brought them back: they failed again, for the cause is still there."
        yield Finding(met=False, text=text)
    elif waiting:
        yield Finding(met=False, text=f"{len(waiting)} orders are in the queues and not made. Does a worker run?")
    else:
        recorded = sum(each in made for each in accepted)
        yield Finding(recorded == len(accepted), f"{recorded} of {len(accepted)} accepted orders have ended.")


def _dead(board: Board) -> dict[str, str]:
    """Return the queue of each order that is a dead letter."""
    return {each.order_id: each.queue for each in board.dead_letters() if each.is_order and each.order_id is not None}


def _count(dead: Mapping[str, str], queue: str) -> int:
    return sum(each == queue for each in dead.values())


def _waiting(board: Board) -> set[str]:
    outputs = board.target.outputs
    bodies = [each.body for name in (outputs.work_queue, outputs.express_queue) for each in board.messages(name)]
    return {
        document["subject"] for body in bodies if isinstance(document := _json(body), dict) and "subject" in document
    }


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def solve(board: Board) -> None:
    """Try the alarm, deploy the fix, and redrive both queues."""
    board.target.cloudwatch.set_alarm_state(
        AlarmName=_alarm_name(board), StateValue="ALARM", StateReason="A trial, and work-dlq is not empty."
    )
    board.workers.set_environment(_FIX)
    for name in ("work", "express"):
        redrive(board.target.sqs, plan(name, board.target.outputs), board.target.outputs, lambda _done, _total: None)


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=solve,
    hints=(
        "A redrive tries the same message with the same code. Look first at the reason (`orderboard show ORDER_ID`), "
        "then at `orderboard status`: which dead-letter queues are not empty?",
        "The alarm goes off within two minutes (`orderboard alarms`); look for its message with `orderboard peek "
        "inbox`. The fixed release is deployed with `orderboard worker set ORDERBOARD_ALLOW_FAULTS=false`; only then "
        "redrive.",
        "If there was a redrive before the alarm, try it: `orderboard aws cloudwatch set-alarm-state --alarm-name "
        "orderboard-work-dlq-not-empty --state-value ALARM --state-reason trial`. The fixed release, then `orderboard "
        "redrive work` *and* `orderboard redrive express`.",
    ),
)
