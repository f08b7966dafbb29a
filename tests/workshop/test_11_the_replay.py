"""Exercise 11: the replay."""

import difflib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import uuid4

import pytest
from orderboard.errors import UsageError
from orderboard.orders.replay import replay
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.notifier_code import deploy_notifier
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, deploy_changed, unmet

_FILE: Final = "my_announcer.py"
_fixed: Final = deploy_changed(_FILE)


def _replay_without_the_fix(board: Board) -> None:
    deploy_changed(_FILE, of="start")(board)
    replay(board.target, board.opened_at - timedelta(seconds=1), datetime.now(UTC))


def _window_that_misses(board: Board) -> None:
    replay(board.target, board.opened_at - timedelta(hours=1), board.opened_at - timedelta(seconds=1))


def _by_hand(board: Board) -> None:
    _fixed(board)
    for row in board.orders().values():
        if row.order_id in board.facts["lost"]:
            data: dict[str, object] = {
                "order_id": row.order_id,
                "customer_id": row.customer_id,
                "priority": row.priority,
            }
            data |= {"total_cents": row.total_cents, "currency": row.currency}
            kind, source = "orderboard.order.completed.v1", "orderboard.worker"
            detail: dict[str, object] = {
                "id": str(uuid4()),
                "source": source,
                "type": kind,
                "subject": row.order_id,
                "data": data,
            }
            detail["time"] = row.recorded_at.isoformat()
            entry: Any = {"EventBusName": board.target.outputs.bus_name, "Source": source, "DetailType": kind}
            entry["Detail"] = json.dumps(detail)
            board.target.events.put_events(Entries=[entry])


class TestTheReplay(CheckedExercise):
    """Its check."""

    number = 11
    wrong: ClassVar[WrongAnswers] = {
        "all orders are announced": (
            deploy_changed(_FILE, (' if data.priority == "express"', "")),
            "announces normal orders too",
        ),
        "large orders are dropped with the bug": (
            deploy_changed(_FILE, ("case OrderPlaced(data=data):", "case OrderPlaced(data=data) if False:")),
            "The new large order",
        ),
        "the fix without a replay": (_fixed, "No replay was started"),
        "a window that misses": (_window_that_misses, "has 0 of their events"),
        "the replay without the fix": (_replay_without_the_fix, "has 4 of their events: what did"),
        "by hand, with new ids": (_by_hand, "announced by another event than its own"),
    }

    def test_start_state_is_the_notifier_with_a_bug(self, entry: Entry) -> None:
        """The attendee's file is the product's code, and two lines."""
        start, solution = ((entry.folder / each / _FILE).read_text().splitlines() for each in ("start", "solution"))

        changed = [line for line in difflib.ndiff(solution, start) if line[0] in "+-"]

        assert [line.split("#")[0].split() for line in changed] == [
            ["+", "case", "OrderCompleted():"],
            ["+", "return", "None"],
        ]

    def test_an_announcement_that_fails_is_a_finding(self, workshop: Workshop, entry: Entry) -> None:
        """A notifier that fails with the event of an express order is named, before that event comes again."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            deploy_changed(_FILE, ('"express_ready", f"Express', '"express", f"Express'))(board)

            assert "the notifier fails with its event" in unmet(workshop.check(entry))

            alerts = board.target.queue_url(board.target.outputs.alerts_queue)
            board.target.sqs.purge_queue(QueueUrl=alerts)  # else the next opening waits until the event comes again

    def test_code_that_fails_is_a_finding_and_goes(self, workshop: Workshop, entry: Entry) -> None:
        """Code that does not compile is refused; the error of other code is named; the next opening puts all back."""
        workshop.open(entry)
        path = workshop.files / _FILE
        path.write_text("def alert_for(event)\n")
        with pytest.raises(UsageError, match="line 1"):
            workshop.deploy(entry)
        path.write_text("import nothing_like_this\n")
        workshop.deploy(entry)

        assert "No module named 'nothing_like_this'" in unmet(workshop.check(entry))

        other = workshop.entry("the-outage")
        workshop.open(other)
        with workshop.board(other) as board:
            assert not deploy_notifier(board.target)
        with pytest.raises(UsageError, match="no files to deploy"):
            workshop.deploy(other)
