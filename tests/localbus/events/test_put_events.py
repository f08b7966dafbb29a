"""PutEvents and TestEventPattern, by boto3, with AWS's own words for errors.

Each test names its page of https://docs.aws.amazon.com/eventbridge/latest/APIReference/ .
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.events import QUEUE_ARN, Bench
from support.localbus import QueueOf, refused

KIB = 1024
INVALID, MALFORMED = "InvalidArgument", ("MalformedDetail", "Detail is malformed.")


def entry(**changes: Any) -> dict[str, Any]:
    """Build an entry of PutEvents."""
    return {"Source": "orders", "DetailType": "placed", "Detail": "{}"} | changes


def invalid(name: str, reason: str = "is a required argument") -> tuple[str, str]:
    """The error for one parameter of an entry."""
    return INVALID, f"Parameter {name} is not valid. Reason: {name} {reason}."


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        *(({name: ""}, invalid(name)) for name in ("Source", "DetailType", "Detail")),
        ({"DetailType": "x" * 129}, invalid("DetailType", "is longer than 128 characters")),
        ({"Source": "aws.ec2"}, ("NotAuthorizedForSourceException", "Not authorized for the source.")),
        *(({"Detail": detail}, MALFORMED) for detail in ("text", '"text"', "[]", '{"a": NaN}', '{"a": 1e999}')),
        ({"Detail": '{"a":' * 2000 + "1" + "}" * 2000}, MALFORMED),
        ({"Detail": '{"a": "\\ud800"}'}, MALFORMED),
    ],
)
def test_an_entry_fails_on_its_own(events: Any, changes: dict[str, Any], error: tuple[str, str]) -> None:
    """The others of the batch succeed, each in its place (API_PutEventsRequestEntry.html)."""
    answer = events.put_events(Entries=[entry(), entry(**changes), entry()])

    assert answer["FailedEntryCount"] == 1
    assert [sorted(one) for one in answer["Entries"]] == [["EventId"], ["ErrorCode", "ErrorMessage"], ["EventId"]]
    assert (answer["Entries"][1]["ErrorCode"], answer["Entries"][1]["ErrorMessage"]) == error


def test_a_detail_of_any_depth_is_malformed_or_reaches_every_target(bench: Bench) -> None:
    """Also a target that writes it within other JSON, at the depths at which Python can only just read it."""
    arn = bench.queue("q")
    template = {"InputTemplate": '{"a": {"b": <aws.events.event.json>}}'}
    bench.rule({"Arn": arn}, {"Arn": arn, "InputPath": "$.detail"}, {"Arn": arn, "InputTransformer": template})
    texts = ['{"a":' * depth + "1" + "}" * depth for depth in range(600, sys.getrecursionlimit(), 2)]

    answers = [bench.call("PutEvents", Entries=[entry(Detail=text)])["Entries"][0].get("ErrorCode") for text in texts]

    accepted = answers.count(None)
    assert accepted
    assert answers == [None] * accepted + ["MalformedDetail"] * (len(answers) - accepted)
    assert bench.sqs.queues.by_arn(arn).queue.counts().visible == 3 * accepted  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "entries",
    [
        [*[entry(Detail=json.dumps({"x": "y" * 100 * KIB}))] * 9, entry(Detail=json.dumps({"x": "y" * 130 * KIB}))],
        [entry(Source="s" * KIB * KIB)],
        [entry(Detail=json.dumps({"x": "\u20ac" * 350 * KIB}))],
    ],
    ids=["together", "source", "bytes, not characters"],
)
def test_a_batch_of_more_than_a_mebibyte_is_rejected(events: Any, entries: list[dict[str, Any]]) -> None:
    """As a whole; one below the limit is accepted (eb-putevents.html#eb-putevent-size)."""
    accepted = events.put_events(Entries=[entry(Detail=json.dumps({"x": "y" * 100 * KIB}))] * 10)

    assert accepted["FailedEntryCount"] == 0
    text = "Total size of the entries in the request is over the limit."
    assert refused(events.put_events, Entries=entries) == ("ValidationException", text)


def test_a_batch_of_more_than_10_entries_is_rejected(events: Any) -> None:
    """The error shows the structures with their members, null for absent ones (recorded)."""
    shown = (
        "PutEventsRequestEntry(time=null, source=orders, resources=[a, b], detailType=placed, detail={}, "
        "eventBusName=null, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)"
    )
    constraint = "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"

    assert refused(events.put_events, Entries=[entry(Resources=["a", "b"])] * 11) == (
        "ValidationException",
        f"1 validation error detected: Value '[{', '.join([shown] * 11)}]' {constraint}",
    )


def test_a_time_in_an_error_reads_as_a_java_date(events: Any) -> None:
    """Inferred from the form of the other members: java.util.Date.toString."""
    _, text = refused(events.put_events, Entries=[entry(Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))] * 11)

    assert text.count("(time=Fri Jan 02 03:04:05 UTC 2026, source=orders, ") == 11


def test_an_event_for_an_unknown_bus_is_dropped(localbus: Localbus, events: Any) -> None:
    """AWS answers with success; the journal has the reason."""
    [answer] = events.put_events(Entries=[entry(EventBusName="nowhere")])["Entries"]

    [dropped] = localbus.engine.journal.entries(message_id=answer["EventId"])
    assert (dropped.event, dropped.detail) == ("dropped", "the event bus does not exist")


def test_a_target_receives_the_whole_event(events: Any, queue: QueueOf, rule: str) -> None:
    """All members, in AWS's order (eb-events-structure.html)."""
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    given = entry(Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), Resources=["arn:a"], Detail='{ "b": [1, 2.5, null] }')

    [answer] = events.put_events(Entries=[given | {"TraceHeader": "Root=1-2-3"}])["Entries"]

    [message] = queue.receive()
    assert message["Body"] == (
        f'{{"version":"0","id":"{answer["EventId"]}","detail-type":"placed","source":"orders","account":"000000000000",'
        '"time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":["arn:a"],"detail":{"b":[1,2.5,null]}}'
    )
    assert message["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"


EVENT = {"id": "1", "source": "order", "detail-type": "Test", "account": "000000000000", "region": "us-east-1"} | {
    "time": "2022-07-13T13:48:01Z"
}


_NO_EVENTS = (
    *("plain text", "[]", "{}", '{"source": "order"}'),
    json.dumps({**EVENT, "detail": {"n": float("nan")}}),
    json.dumps({**EVENT, "detail": 1}).replace(": 1}", ": 1e400}"),
)


def test_a_pattern_is_tested(events: Any) -> None:
    """Against an event with all required members (API_TestEventPattern.html)."""

    def result(pattern: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
        return bool(answer["Result"])

    assert result({"source": ["order"], "detail-type": ["Test"]})
    assert not result({"source": ["shipment"]})


@pytest.mark.parametrize(
    ("pattern", "event", "code"),
    [
        *(('{"a": [1]}', bad, "ValidationException") for bad in _NO_EVENTS),
        ("{}", json.dumps(EVENT), "InvalidEventPatternException"),
    ],
)
def test_an_invalid_event_or_pattern_is_rejected(events: Any, pattern: str, event: str, code: str) -> None:
    """API_TestEventPattern.html."""
    found = refused(events.test_event_pattern, EventPattern=pattern, Event=event)

    assert found[0] == code
    assert code != "ValidationException" or found[1] == "Parameter Event is not valid."
