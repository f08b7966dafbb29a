"""PutEvents: failing entries, rejected requests, and the event of an entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fidelity.aws import ACCOUNT, REGION, Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import events_api, events_guide

GROUP = Group("EventBridge", "Putting events")
behaviour = GROUP.behaviour
_STRUCTURE = events_guide("eb-events-structure")


def entry(**given: Any) -> dict[str, Any]:
    """Build a valid entry."""
    return {"Source": "s", "DetailType": "t", "Detail": "{}"} | given


def _fails(key: str, statement: str, code: str, *, recorded: bool = True, **given: Any) -> None:
    def check(aws: Aws) -> None:
        answer = aws.events.put_events(Entries=[entry(), entry(**given), entry()])
        codes = [one.get("ErrorCode") for one in answer["Entries"]]
        same("answers", (answer["FailedEntryCount"], codes), (1, [None, code, None]))

    source = events_api("PutEventsResultEntry", recorded=recorded)
    GROUP.add(key, f"An entry {statement} fails alone ({code})", source, check)


_fails("no_source", "without a source", "InvalidArgument", Source="")
_fails("no_detail_type", "without a detail type", "InvalidArgument", DetailType="")
_fails("no_detail", "without a detail", "InvalidArgument", Detail="")
_fails("detail_that_is_no_json", "whose detail is not JSON", "MalformedDetail", Detail="text")
_fails("detail_that_is_a_text", "whose detail is a JSON string", "MalformedDetail", Detail='"text"')
_fails("detail_that_is_an_array", "whose detail is an array", "MalformedDetail", Detail="[]")
_fails(
    "source_of_aws",
    "whose source begins with aws.",
    "NotAuthorizedForSourceException",
    recorded=False,
    Source="aws.ec2",
)


@behaviour(events_api("PutEventsRequestEntry"))
def long_detail_type(aws: Aws) -> None:
    """An entry with a detail type of 129 characters fails."""
    same("fails for", aws.events.put_events(Entries=[entry(DetailType="x" * 129)])["FailedEntryCount"], 1)


@behaviour(events_api("PutEvents", recorded=True))
def eleven_entries(aws: Aws) -> None:
    """Eleven entries are rejected as a whole (ValidationException)."""
    refused("ValidationException", aws.events.put_events, says="less than or equal to 10", Entries=[entry()] * 11)


@behaviour(events_guide("eb-putevents", recorded=True))
def too_large(aws: Aws) -> None:
    """Entries of more than 1 MiB together are rejected as a whole."""
    detail = json.dumps({"x": "y" * 1_048_577})
    refused("ValidationException", aws.events.put_events, says="Total size", Entries=[entry(Detail=detail)])


@behaviour(events_guide("eb-putevents"))
def large(aws: Aws) -> None:
    """Ten entries of 100 KiB each are accepted."""
    detail = json.dumps({"x": "y" * 100 * 1024})

    same("fails for", aws.events.put_events(Entries=[entry(Detail=detail)] * 10)["FailedEntryCount"], 0)


@behaviour(events_api("PutEvents", recorded=True))
def unknown_bus(aws: Aws) -> None:
    """An event for a bus that does not exist gets an event id."""
    answer = aws.put(bus=aws.name())

    holds(answer.get("EventId"), f"answers {answer.get('ErrorCode')}")


def _event(aws: Aws, detail: Any = None, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put an entry; return its result and the message that a queue receives."""
    queue = aws.target()
    answer = aws.put(detail, **given)
    found = queue.take(1)
    holds(found, "delivers nothing")
    return answer, found[0]


@behaviour(_STRUCTURE)
def structure(aws: Aws) -> None:
    """A target receives the event with version, id, detail type, source, account, time, region, resources, detail."""
    answer, message = _event(aws, {"a": 1}, Resources=["arn:a"])
    event = json.loads(message["Body"])

    same("gives the id", event.pop("id") == answer["EventId"], True)
    holds(event.pop("time").endswith("Z"), "gives another form of time")
    wanted = {"version": "0", "detail-type": "t", "source": aws.prefix, "account": ACCOUNT, "region": REGION}
    same("gives", event, wanted | {"resources": ["arn:a"], "detail": {"a": 1}})


@behaviour(_STRUCTURE)
def own_time(aws: Aws) -> None:
    """The event has the time of its entry, to the second."""
    _, message = _event(aws, Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    same("gives", json.loads(message["Body"])["time"], "2026-01-02T03:04:05Z")


@behaviour(_STRUCTURE)
def compact(aws: Aws) -> None:
    """The event is JSON without spaces between its parts."""
    _, message = _event(aws, {"a": [1, 2]})

    holds('"detail":{"a":[1,2]}' in message["Body"], "has blanks")


@behaviour(events_guide("eb-putevents"))
def same_order(aws: Aws) -> None:
    """Each entry has its result in the same place, with its own id."""
    ids = [one["EventId"] for one in aws.events.put_events(Entries=[entry()] * 3)["Entries"]]

    same("answers different ids:", len(set(ids)), 3)


@behaviour(events_api("PutEventsRequestEntry"))
def trace_header(aws: Aws) -> None:
    """The trace header of an entry becomes the AWSTraceHeader of a queue's message."""
    header = "Root=1-5759e988-bd862e3fe1be46a994272793"
    _, message = _event(aws, TraceHeader=header)

    same("gives", message["Attributes"].get("AWSTraceHeader"), header)
