"""TestEventPattern finds out why an event did not match."""

from orderboard.lab import Experiment, Json

lab = Experiment(
    claim="TestEventPattern says whether a pattern matches an event without putting it on a bus; the event must be "
    "whole, with id, account, source, time, region, resources and detail-type.",
    source="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html",
    means="Test patterns against real events in your unit tests. With localbus, the page Resources of the console and "
    "POST /_localbus/explain also name the field that differs.",
)
you = lab.you
pattern = {"source": ["shop"], "detail-type": ["order"], "detail": {"total": [{"numeric": [">=", 20]}]}}


def event(detail_type: str, total: object) -> Json:
    """An event with these values."""
    return Json(
        {
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "account": "123456789012",
            "source": "shop",
            "time": "2026-01-01T12:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail-type": detail_type,
            "detail": {"total": total},
        }
    )


lab.step("An event does not arrive. You test the rule's pattern with it.")
as_it_was = you.events.test_event_pattern(EventPattern=Json(pattern), Event=event("Order", "42"))
lab.check("It does not match", as_it_was["Result"], "false")

lab.step("You correct one thing after the other.")
type_corrected = you.events.test_event_pattern(EventPattern=Json(pattern), Event=event("order", "42"))
lab.check("With the detail type in small letters it still does not", type_corrected["Result"], "false")
both_corrected = you.events.test_event_pattern(EventPattern=Json(pattern), Event=event("order", 42))
lab.check("With the total as a number too it does", both_corrected["Result"], "true")

lab.step("You leave out what every event has.")
not_whole = you.events.test_event_pattern(EventPattern=Json(pattern), Event=Json({"source": "shop"}))
lab.check("EventBridge rejects an event that is not whole", not_whole.error, "", "is not")
