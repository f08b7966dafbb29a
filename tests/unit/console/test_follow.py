"""An order's story: its steps in the order of time, from what every part knows."""

from datetime import UTC, datetime

from orderboard.console.follow import story_document
from orderboard.console.journal import Told
from orderboard.console.peek import Peeked
from orderboard.orders.timeline import LogLine

ORDER = "9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11"


def _line(second: int, event: str, **fields: str) -> LogLine:
    ids = {"message_id": "m1"}
    return LogLine(datetime(2026, 1, 1, 8, 0, second, tzinfo=UTC), "worker", "INFO", event, dict(fields), ids)


def _lying(queue: str, *, visible: bool = True) -> tuple[str, Peeked]:
    return queue, Peeked("m1", "{}", 1_000.0, 5, visible, {})


def test_steps_have_the_time_between_them() -> None:
    """Steps stand in the order of time, each with the seconds since the one before, and who did it."""
    lines = [_line(5, "order.completed", worker_id="worker-2"), _line(2, "order.accepted")]

    story = story_document(ORDER, None, lines, [], journal=[], unknown=[])

    assert [step["gap_s"] for step in story["steps"]] == [None, 3.0]
    assert story["steps"][1]["who"] == "worker-2"
    assert story["steps"][1]["details"]["message_id"] == "m1"


def test_a_dead_letter_ends_the_story() -> None:
    """An order whose message rests in a dead-letter queue is told as such, with the queue and the receives."""
    story = story_document(ORDER, None, [], [_lying("orderboard-work-dlq")], journal=[], unknown=[])

    assert story["status"] == "dead-lettered"
    assert story["steps"][0]["who"] == "SQS orderboard-work-dlq"
    assert story["steps"][0]["details"]["receive_count"] == "5"
    assert story["steps"][0]["still"]


def test_waiting_is_a_step_too() -> None:
    """While its message waits, or is in a consumer's hands, the story says which."""
    waits = story_document(ORDER, None, [], [_lying("orderboard-work")], journal=[], unknown=[])
    held = story_document(ORDER, None, [], [_lying("orderboard-work", visible=False)], journal=[], unknown=[])

    assert waits["status"] == "on its way"
    assert "Waits" in waits["steps"][0]["title"]
    assert "consumer" in held["steps"][0]["title"]


def test_what_cannot_be_seen_is_said() -> None:
    """What keeps the story from being whole is named, and an order of which nothing is known is unknown."""
    story = story_document(ORDER, None, [], [], journal=[], unknown=["AWS has no such call."])

    assert story["status"] == "unknown"
    assert story["unknown"] == ["AWS has no such call."]


def test_the_journal_gives_receiving_its_own_time() -> None:
    """What localbus wrote down stands between what the services wrote, each at its own time."""
    at_s = datetime(2026, 1, 1, 8, 0, 3, tzinfo=UTC).timestamp()
    received = Told(7, at_s, "received", "SQS orderboard-work", "Received for the first time", "plain", "m1", {})
    lines = [_line(5, "order.completed"), _line(2, "order.accepted")]

    story = story_document(ORDER, None, lines, [], journal=[received], unknown=[])

    assert [step["gap_s"] for step in story["steps"]] == [None, 1.0, 2.0]
    assert story["steps"][1]["title"] == "Received for the first time"
    assert story["steps"][1]["details"] == {"message_id": "m1"}


def test_what_another_clock_dates_comes_last() -> None:
    """Where the queues go by a clock of their own, a time by it stands neither among the services' nor as an age."""
    lines = [_line(2, "order.accepted"), _line(5, "order.completed")]
    lying = [_lying("orderboard-inbox"), _lying("orderboard-work")]

    story = story_document(ORDER, None, lines, lying, journal=[], unknown=[], same_time=False)

    assert [step["title"] for step in story["steps"][2:]] == ["Announced", "Waits to be received"]
    assert [step["gap_s"] for step in story["steps"]] == [None, 3.0, 0.0, 0.0]
    assert "in_queue_s" not in story["steps"][3]["details"]
