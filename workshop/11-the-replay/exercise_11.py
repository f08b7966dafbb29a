"""The replay: a bug in the notifier has lost alerts; it is fixed, and the archive's events come once more."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from orderboard.errors import RigError, UsageError
from orderboard.orders.replay import replay
from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding
from orderboard.workshop.notifier_code import deploy_notifier
from orderboard_contracts.alert import Alert, alert_id_for
from orderboard_contracts.events import OrderCompleted
from orderboard_contracts.identity import event_id_for

FILE: Final = "my_announcer.py"
_IN_THE_ZIP: Final = "notifier/alerts.py"
_COMPLETED: Final[str] = OrderCompleted.model_fields["type"].default
_CUSTOMERS: Final = ("ada", "alan", "barbara", "edsger")
_ANNOUNCED_WITHIN_S: Final = 30.0
_REPLAYED_WITHIN_S: Final = 15.0


def deploy(board: Board) -> str:
    """Deploy the notifier with the attendee's file in place of its alerts.py."""
    text = board.text(FILE)
    try:
        compile(text, FILE, "exec")
    except (SyntaxError, ValueError) as exc:
        raise UsageError(f"{FILE} is not valid Python: {exc}") from exc
    changed = deploy_notifier(board.target, {_IN_THE_ZIP: text.encode()})
    name = board.target.outputs.notifier_function
    return f"The function {name} has the code of {FILE}" + ("." if changed else ": nothing to change.")


def prepare(board: Board) -> None:
    """Release the notifier with a bug, and let it lose the announcements of express orders."""
    deploy_notifier(board.target, {_IN_THE_ZIP: (board.folder / "start" / FILE).read_bytes()})
    board.say("Placing orders with the new release of the notifier.")
    after = board.last_entry()
    board.facts["lost"] = board.place(*(_order(each) for each in _CUSTOMERS))
    board.facts["announced"] = board.place_kinds({"large": 2})
    if not _settled(board, after, len(board.facts["lost"]) + len(board.facts["announced"])):
        raise RigError("The orders of the start state were not made. Is a worker running? orderboard status")


def check(board: Board) -> Iterator[Finding]:
    """Invoke the notifier, place an order for it, and count the announcements of each order."""
    invoked = _invoked(board)
    yield invoked
    if not invoked.met:
        return
    works = _works(board)
    yield works
    if not works.met and _waiting(board):
        return
    ended = board.eventually(
        lambda: not board.running_replays(), within_s=_REPLAYED_WITHIN_S, waiting_for="the replay to end"
    )
    if not ended:
        yield Finding(False, f"A replay is still running: {', '.join(board.running_replays())}. Check again later.")
        return
    _drained(board, board.last_entry())
    alerts = board.alerts()
    yield _all_announced(board, alerts)
    yield _once(board, alerts)


def _works(board: Board) -> Finding:
    after = board.last_entry()
    [order_id], [large] = board.place(_order("grace")), board.place_kinds({"large": 1})
    if not _settled(board, after, 2):
        if order_id in board.orders():
            return Finding(
                False, f"grace's new express order {order_id} is ready, and the notifier fails with its event."
            )
        return Finding(False, f"grace's new express order {order_id} did not get ready. Is a worker running?")
    about = {each.order_id for each in board.alerts()}
    announced = order_id in about
    if announced and large not in about:
        return Finding(False, f"The new large order {large} was not announced, as large orders were before.")
    return Finding(
        announced,
        f"grace's new express order {order_id} "
        + ("was announced." if announced else "is ready, and nobody announced it."),
    )


def _all_announced(board: Board, alerts: Sequence[Alert]) -> Finding:
    rows, lost = board.orders(), board.facts["lost"]
    about = {each.order_id for each in alerts}
    missing = [each for each in lost if each not in about]
    text = f"{len(lost) - len(missing)} of {len(lost)} lost announcements were made up for"
    if not missing:
        return Finding(True, f"{text}.")
    times = [rows[each].recorded_at for each in missing if each in rows]
    when = f"; the first of the others was ready at {min(times).astimezone(UTC):%H:%M:%S} UTC" if times else ""
    return Finding(False, f"{text}{when}. {_replays(board, times)}")


def _replays(board: Board, times: Sequence[datetime]) -> str:
    found = [
        each
        for each in board.target.events.list_replays()["Replays"]
        if each["ReplayStartTime"] >= board.opened_at - timedelta(seconds=1)
    ]
    if not found:
        return "No replay was started since the opening."
    last = max(found, key=lambda each: each["ReplayStartTime"])
    begin, end = (last[each].astimezone(UTC) for each in ("EventStartTime", "EventEndTime"))
    covered = sum(begin <= each <= end for each in times)
    return (
        f"The replay {last['ReplayName']} of {begin:%H:%M:%S} to {end:%H:%M:%S} UTC has {covered} of their events"
        + (": what did the notifier do with them?" if covered else ".")
    )


def _once(board: Board, alerts: Sequence[Alert]) -> Finding:
    rows = board.orders()
    orders = [*board.facts["lost"], *board.facts["announced"]]
    twice = [each for each in orders if sum(alert.order_id == each for alert in alerts) > 1]
    if twice:
        return Finding(False, f"{_whose(rows, twice[0])} was announced more than once ({len(twice)} such orders).")
    own = {alert_id_for(event_id_for(_COMPLETED, each, rows[each].digest or "")) for each in orders if each in rows}
    by_hand = [
        each for each in alerts if each.kind == "express_ready" and each.order_id in orders and each.id not in own
    ]
    if by_hand:
        return Finding(
            False,
            f"{_whose(rows, by_hand[0].order_id)} was announced by another event than its own: the next replay "
            "announces it again.",
        )
    return Finding(True, "No order was announced twice.")


def _whose(rows: Mapping[str, Any], order_id: str) -> str:
    return f"{rows[order_id].customer_id}'s order {order_id}" if order_id in rows else f"The order {order_id}"


def _invoked(board: Board) -> Finding:
    """Invoke the notifier with an event that it must ignore: a normal order is ready."""
    order_id = str(uuid4())
    data = {"order_id": order_id, "customer_id": "ada", "priority": "normal", "total_cents": 390, "currency": "EUR"}
    event = {"specversion": "1.0", "id": order_id, "source": "orderboard.worker", "type": _COMPLETED, "data": data}
    detail = {
        **event,
        "subject": order_id,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
    }
    arn = board.attributes(board.target.outputs.alerts_queue)["QueueArn"]
    record = {
        "messageId": order_id,
        "body": json.dumps({"detail": detail}),
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
    }
    answer = board.target.functions.invoke(
        FunctionName=board.target.outputs.notifier_function, Payload=json.dumps({"Records": [record]})
    )
    found = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        return Finding(False, f"The notifier fails: {found.get('errorMessage', found)}.")
    if found["batchItemFailures"]:
        return Finding(False, "The notifier fails when a normal order is ready: it returns the message to the queue.")
    if any(each.order_id == order_id for each in board.alerts()):
        return Finding(False, "The notifier announces normal orders too: only the rule keeps their events away.")
    return Finding(True, "The notifier ignores an event of a normal order.")


def _settled(board: Board, after: int, events: int) -> bool:
    """Wait until so many events have matched the rules for alerts, and the notifier has received all of them."""
    rules = f":rule/{board.target.outputs.bus_name}/{board.state.prefix}"
    names = [f"{rules}-{each}" for each in ("large-order", "express-ready")]
    return board.eventually(
        lambda: (
            sum(each.resource.endswith(tuple(names)) for each in board.engine.entries(event="matched", after=after))
            >= events
        ),
        within_s=_ANNOUNCED_WITHIN_S,
        waiting_for="the orders to be made",
    ) and _drained(board, after)


def _drained(board: Board, after: int) -> bool:
    """Wait until the notifier has handled every event, or has failed with one: that comes again much later."""

    def failed() -> bool:
        return bool(board.engine.entries(event="item_failed,invocation_failed", after=after))

    board.eventually(lambda: not _waiting(board) or failed(), within_s=_ANNOUNCED_WITHIN_S, waiting_for="the notifier")
    return not _waiting(board)


def _waiting(board: Board) -> int:
    """Return the number of events that the notifier has not handled."""
    return board.depth(board.target.outputs.alerts_queue).total


def _order(customer: str) -> dict[str, object]:
    return {"customer_id": customer, "priority": "express", "lines": [{"sku": "flat-white", "quantity": 1}]}


def solve(board: Board) -> None:
    """Deploy the fixed notifier, and replay everything since the opening."""
    deploy(board)
    replay(board.target, board.opened_at - timedelta(seconds=1), datetime.now(UTC))


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=solve,
    hints=(
        "`match` takes the first case that fits. What does `alert_for` return for the outcome of an express order?",
        "A fixed notifier does not know what the one before it dropped: those messages were deleted. But the bus has "
        "an archive, and everything since the release is in it.",
        "Remove the two lines of `case OrderCompleted():`, `orderboard workshop deploy`, and then "
        "`orderboard replay --from 30m`, or since you opened the exercise.",
    ),
    files=(FILE,),
    deploy=deploy,
)
