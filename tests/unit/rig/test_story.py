"""What the logs and the dead-letter queues tell of one order."""

import json
from pathlib import Path

from orderboard.orders.dead_letters import dead_letter
from orderboard.orders.queues import Message
from orderboard.orders.timeline import log_lines
from orderboard_contracts.events import CancellationRequested, CancellationRequestedData
from orderboard_contracts.identity import new_order_id

ORDER_ID = new_order_id()


def _line(at: str, message: str, **fields: object) -> str:
    return json.dumps({"timestamp": at, "level": "INFO", "service": "worker", "message": message, **fields}) + "\n"


def _message(body: str, **attributes: str) -> Message:
    return Message("message-1", body, "handle", 5, attributes)


def _cancellation() -> str:
    return CancellationRequested(
        id="event-1",
        source="orderboard.order-api",
        subject=ORDER_ID,
        time="2026-01-01T00:00:00Z",
        data=CancellationRequestedData(order_id=ORDER_ID),
    ).to_json()


def _carried(event: str) -> str:
    """What a rule of EventBridge sends."""
    return json.dumps({"version": "0", "source": "orderboard.worker", "detail": json.loads(event)})


def test_lines_of_all_services_in_the_order_of_time(tmp_path: Path) -> None:
    """The lines that name the order are found in every log and sorted by time; all others are left out."""
    later = _line("2026-01-01T10:00:02+00:00", "order.completed", order_id=ORDER_ID, receive_count=1)
    earlier = _line("2026-01-01T12:00:01+02:00", "order.accepted", order_id=ORDER_ID)
    other = _line("2026-01-01T10:00:01+00:00", "order.accepted", order_id=new_order_id())
    (tmp_path / "worker-1.log").write_text(later + f"Traceback of {ORDER_ID}\n" + '{"timestamp": "' + ORDER_ID + '"}\n')
    (tmp_path / "order-api.log").write_text(other + earlier)

    found = log_lines(tmp_path, [ORDER_ID])

    assert [each.event for each in found] == ["order.accepted", "order.completed"]
    assert found[1].fields == {"receive_count": 1}


def test_lines_that_name_only_the_message_are_found_too(tmp_path: Path) -> None:
    """Of a message that no worker could read, the log has the message's id, and that is enough."""
    (tmp_path / "worker-1.log").write_text(_line("2026-01-01T10:00:02+00:00", "message.poison", message_id="message-1"))

    assert [each.event for each in log_lines(tmp_path, [ORDER_ID, "message-1"])] == ["message.poison"]


def test_no_logs_no_lines(tmp_path: Path) -> None:
    """Where no system ran there is nothing to tell."""
    assert log_lines(tmp_path / "nowhere", [ORDER_ID]) == []


def test_a_dead_letter_that_is_no_event_says_what_is_wrong() -> None:
    """A message that is no event belongs to no order, and the reason names the fault."""
    letter = dead_letter("work-dlq", _message("nonsense"))

    assert letter.order_id is None
    assert letter.reason is not None
    assert letter.reason.startswith("not an event: ")


def test_what_eventbridge_could_not_deliver_says_why() -> None:
    """EventBridge notes its error on the message, and that is the reason."""
    body = _carried(_cancellation())
    letter = dead_letter("undelivered", _message(body, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="denied"))

    assert (letter.order_id, letter.is_fact) == (ORDER_ID, True)
    assert letter.reason == "EventBridge could not deliver it: NO_PERMISSIONS, denied"


def test_an_alert_that_was_not_announced_is_a_letter_of_its_order() -> None:
    """What rests behind the notifier is the event inside of EventBridge's; it is the order's, and no order itself."""
    letter = dead_letter("alerts-dlq", _message(_carried(_cancellation())))

    assert (letter.order_id, letter.is_fact, letter.is_order) == (ORDER_ID, True, False)
    assert letter.reason == "handling failed at every receive; see the consumer's log"
