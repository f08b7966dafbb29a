"""The timeline of one order: its steps in the order of time, from every source."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from orderboard.orders.browse import StoredMessage
from orderboard.orders.dead_letters import dead_letter, order_id_in
from orderboard.orders.journal import DescribedEntry
from orderboard.orders.queues import Message
from orderboard.orders.service_logs import LogLine, log_lines, logged_order_ids
from orderboard.orders.timeline import OrderTimeline, timeline
from orderboard_contracts.identity import new_order_id
from unit.rig.examples import a_cancellation

ORDER = new_order_id()
CANCELLATION = a_cancellation(ORDER)
BY_EVENTBRIDGE = json.dumps({"version": "0", "source": "orderboard.worker", "detail": json.loads(CANCELLATION)})


def _line(at: str, message: str, **fields: object) -> str:
    return json.dumps({"timestamp": at, "level": "INFO", "service": "worker", "message": message, **fields}) + "\n"


def _logged(second: int, event: str, **fields: str) -> LogLine:
    ids = {"message_id": "m1"}
    return LogLine(datetime(2026, 1, 1, 8, 0, second, tzinfo=UTC), "worker", "INFO", event, dict(fields), ids)


def _in_queue(queue: str, *, visible: bool = True) -> tuple[str, StoredMessage]:
    return queue, StoredMessage("m1", "{}", 1_000.0, 5, visible, {})


def _timeline(log: Sequence[LogLine] = (), *messages: tuple[str, StoredMessage], **rest: object) -> OrderTimeline:
    return timeline(ORDER, None, log, messages, **rest)  # type: ignore[arg-type]


def test_log_lines_of_all_services_by_time(tmp_path: Path) -> None:
    """The lines that name the order are found in every log and sorted by time; all others are left out."""
    later = _line("2026-01-01T10:00:02+00:00", "order.completed", order_id=ORDER, receive_count=1)
    earlier = _line("2026-01-01T12:00:01+02:00", "order.accepted", order_id=ORDER)
    other = _line("2026-01-01T10:00:01+00:00", "order.accepted", order_id=new_order_id())
    (tmp_path / "worker-1.log").write_text(later + f"Traceback of {ORDER}\n" + '{"timestamp": "' + ORDER + '"}\n')
    (tmp_path / "order-api.log").write_text(other + earlier)

    found = log_lines(tmp_path, [ORDER])

    assert [each.event for each in found] == ["order.accepted", "order.completed"]
    assert found[1].fields == {"receive_count": 1}


def test_log_lines_by_message_id(tmp_path: Path) -> None:
    """For a message that no worker could parse, the log has the message's id only, and that is enough."""
    (tmp_path / "worker-1.log").write_text(_line("2026-01-01T10:00:02+00:00", "message.poison", message_id="message-1"))

    assert [each.event for each in log_lines(tmp_path, [ORDER, "message-1"])] == ["message.poison"]


def test_log_lines_that_only_mention_the_id(tmp_path: Path) -> None:
    """A line belongs to the order if a field is its id, not if a text contains it."""
    quoted = _line("2026-01-01T10:00:02+00:00", "order.completed", order_id=new_order_id(), note=f"like {ORDER}")
    batch = _line("2026-01-01T10:00:03+00:00", "batch.failed", order_ids=[new_order_id(), ORDER])
    (tmp_path / "worker-1.log").write_text(quoted + batch)

    assert [each.event for each in log_lines(tmp_path, [ORDER])] == ["batch.failed"]
    assert log_lines(tmp_path, [ORDER[:8]]) == []


def test_orders_in_the_logs_by_the_start_of_their_ids(tmp_path: Path) -> None:
    """Ids of orders are found by their first characters; those of messages are not."""
    (tmp_path / "order-api.log").write_text(
        _line("2026-01-01T10:00:02+00:00", "order.accepted", order_id=ORDER, message_id=new_order_id())
    )

    assert logged_order_ids(tmp_path, ORDER[:8]) == {ORDER}
    assert logged_order_ids(tmp_path, ORDER[1:9]) == set()


@pytest.mark.parametrize(
    ("body", "order_id"),
    [
        pytest.param(CANCELLATION, ORDER, id="a command"),
        pytest.param(BY_EVENTBRIDGE, ORDER, id="an event inside EventBridge's"),
        pytest.param(json.dumps({"order_id": ORDER, "text": "ready"}), ORDER, id="an alert"),
        pytest.param(json.dumps({"subject": "other", "data": {"note": ORDER}}), "other", id="an id in a note"),
        pytest.param(json.dumps([ORDER]), None, id="another document"),
        pytest.param(f"text with {ORDER}", None, id="no document"),
    ],
)
def test_the_order_of_a_message(body: str, order_id: str | None) -> None:
    """A message belongs to the order that its fields name, not to one that its text mentions."""
    assert order_id_in(body) == order_id


def test_no_log_lines_without_logs(tmp_path: Path) -> None:
    """A folder that does not exist has no lines."""
    assert log_lines(tmp_path / "nowhere", [ORDER]) == []


@pytest.mark.parametrize(
    ("body", "attributes", "order_id", "is_fact", "reason"),
    [
        pytest.param("nonsense", {}, None, False, "not an event: ", id="not an event: no order, and the error"),
        pytest.param(
            BY_EVENTBRIDGE,
            {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "denied"},
            ORDER,
            True,
            "EventBridge could not deliver it: NO_PERMISSIONS, denied",
            id="not delivered by EventBridge: EventBridge's error",
        ),
        pytest.param(
            BY_EVENTBRIDGE,
            {},
            ORDER,
            True,
            "handling failed at every receive; see the consumer's log",
            id="not announced: a fact about the order, not an order",
        ),
    ],
)
def test_a_dead_letter_names_its_order_and_reason(
    body: str, attributes: dict[str, str], order_id: str | None, is_fact: bool, reason: str
) -> None:
    """The event in the message names the order, EventBridge's attributes or the event give the reason."""
    letter = dead_letter("some-dlq", Message("message-1", body, "handle", 5, attributes))

    assert (letter.order_id, letter.is_fact, letter.is_order) == (order_id, is_fact, False)
    assert letter.reason is not None
    assert letter.reason.startswith(reason)


def test_steps_have_the_time_between_them() -> None:
    """Steps are in the order of time, each with the seconds since the one before, and who did it."""
    found = _timeline([_logged(5, "order.completed", worker_id="worker-2"), _logged(2, "order.accepted")])

    steps = found.document()["steps"]
    assert [step["gap_s"] for step in steps] == [None, 3.0]
    assert steps[1]["who"] == "worker-2"
    assert steps[1]["details"]["message_id"] == "m1"


def test_a_dead_letter_is_the_status() -> None:
    """An order whose message is in a dead-letter queue is dead-lettered, with the queue and the receive count."""
    found = _timeline([], _in_queue("orderboard-work-dlq"))

    (step,) = found.steps
    assert found.status == "dead-lettered"
    assert step.who == "SQS orderboard-work-dlq"
    assert step.details["receive_count"] == "5"
    assert step.still


@pytest.mark.parametrize(("visible", "title"), [(True, "Waiting to be received"), (False, "In flight")])
def test_a_waiting_message_is_a_step(visible: bool, title: str) -> None:
    """While its message waits, or is in flight, the order is on its way and the step says which."""
    found = _timeline([], _in_queue("orderboard-work", visible=visible))

    assert found.status == "on its way"
    assert found.steps[0].title.startswith(title)


def test_missing_sources_are_named() -> None:
    """A source that cannot be read is named, and an order of which nothing is known is unknown."""
    found = _timeline(unknown=["AWS has no such call."])

    assert (found.status, found.known) == ("unknown", False)
    assert found.document()["unknown"] == ["AWS has no such call."]


def test_journal_entries_are_steps_at_their_own_time() -> None:
    """Entries of localbus's journal stand between the lines that the services logged."""
    at_s = datetime(2026, 1, 1, 8, 0, 3, tzinfo=UTC).timestamp()
    received = DescribedEntry(7, at_s, "received", "SQS orderboard-work", "Received", "plain", "m1", {})

    found = _timeline([_logged(5, "order.completed"), _logged(2, "order.accepted")], journal=[received])

    assert [step["gap_s"] for step in found.document()["steps"]] == [None, 1.0, 2.0]
    assert found.steps[1].title == "Received"
    assert found.steps[1].details == {"message_id": "m1"}


def test_a_message_that_was_deleted_meanwhile_is_not_in_flight() -> None:
    """The journal is read after the queues, so a message that it calls deleted is in no queue any more."""
    deleted = DescribedEntry(7, 1_000.0, "deleted", "SQS orderboard-work", "Deleted", "plain", "m1", {})

    found = _timeline([], _in_queue("orderboard-work", visible=False), journal=[deleted])

    assert [step.title for step in found.steps] == ["Deleted"]


@pytest.mark.parametrize(
    ("everything_read", "messages", "status"),
    [
        pytest.param(True, [], "missing", id="nothing holds it"),
        pytest.param(True, [_in_queue("orderboard-work")], "on its way", id="a queue holds it"),
        pytest.param(False, [], "on its way", id="a queue may hold it: not every queue was read"),
    ],
)
def test_an_accepted_order_that_nothing_holds_is_missing(
    everything_read: bool, messages: list[tuple[str, StoredMessage]], status: str
) -> None:
    """It is not on its way: no row, no message in any queue, and no step for a while."""
    accepted = [_logged(2, "order.accepted")]

    assert _timeline(accepted, *messages, everything_read=everything_read).status == status
    assert _timeline(everything_read=True).status == "unknown"


def test_a_delivery_that_is_retried_is_not_missing() -> None:
    """Between two attempts of SNS or EventBridge no queue holds the message."""
    retried = DescribedEntry(7, 1_000.0, "retry_scheduled", "SNS orders", "A retry is scheduled", "plain", "m1", {})

    assert _timeline([_logged(2, "order.accepted")], journal=[retried], everything_read=True).status == "on its way"


def test_a_manual_clock_keeps_the_order_of_steps() -> None:
    """An announcement stands at the real time of its arrival, and a wait is by the queues' clock."""
    log = [_logged(2, "order.accepted"), _logged(5, "order.completed")]
    at_s = log[0].at.timestamp() + 1
    arrived = DescribedEntry(7, at_s, "sent", "SQS orderboard-inbox", "Arrived", "plain", "m1", {})
    messages = [_in_queue("orderboard-inbox"), _in_queue("orderboard-work")]

    found = _timeline(log, *messages, journal=[arrived], queue_time_s=4_600.0)

    titles = ["Accepted by order-api, published to SNS and EventBridge", "Arrived", "Announced", "Completed"]
    assert [step.title for step in found.steps] == [*titles, "Waiting to be received"]
    assert found.steps[-1].details["in_queue_s"] == "3600.0"
