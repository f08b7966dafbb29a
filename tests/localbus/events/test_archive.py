"""Archives and replays: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html and its neighbours.

Errors are those of https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html,
API_StartReplay.html and the other actions' pages.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:q"
BUS_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/default"
ARCHIVE_ARN = "arn:aws:events:us-east-1:000000000000:archive/kept"
START = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.fixture
def events(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("events")


@pytest.fixture
def queue(localbus: Localbus, events: Any) -> tuple[Any, str]:
    """A client, and the URL of a queue that gets every event of the rule "r"."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    for name in ("r", "s"):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    return sqs, url


@pytest.fixture
def archive(events: Any) -> str:
    """The name of an archive of all events."""
    events.create_archive(ArchiveName="kept", EventSourceArn=BUS_ARN)
    return "kept"


def received(queue: tuple[Any, str]) -> list[Any]:
    """Take everything out of the queue."""
    sqs, url = queue
    found: list[Any] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def put(events: Any, source: str = "r", **detail: Any) -> None:
    """Put an event."""
    events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}])


def refused(action: Any, **given: Any) -> tuple[str, str]:
    """The code and the message of an error."""
    with pytest.raises(ClientError) as raised:
        action(**given)
    return str(raised.value.response["Error"]["Code"]), str(raised.value.response["Error"]["Message"])


def start(events: Any, name: str = "again", **changes: Any) -> Any:
    """Start a replay of the first ten minutes."""
    given = {
        "ReplayName": name,
        "EventSourceArn": ARCHIVE_ARN,
        "EventStartTime": START,
        "EventEndTime": START + timedelta(minutes=10),
        "Destination": {"Arn": BUS_ARN},
    }
    return events.start_replay(**given | changes)


def test_an_archive_keeps_what_its_pattern_matches(localbus: Localbus, events: Any) -> None:
    """It counts events and bytes, and forgets what is older than its retention."""
    events.create_archive(
        ArchiveName="some", EventSourceArn=BUS_ARN, EventPattern='{"source": ["r"]}', RetentionDays=1, Description="d"
    )
    for source in ("r", "s", "r"):
        put(events, source)

    described = events.describe_archive(ArchiveName="some")
    localbus.advance(86_400)
    later = events.describe_archive(ArchiveName="some")

    assert described["ArchiveArn"] == "arn:aws:events:us-east-1:000000000000:archive/some"
    assert (described["State"], described["RetentionDays"], described["Description"]) == ("ENABLED", 1, "d")
    assert described["EventCount"] == 2
    assert described["SizeBytes"] == 2 * len("14 bytes: time" + "000000000000" + "r" + "t" + "{}")
    assert (later["EventCount"], later["SizeBytes"]) == (0, 0)


def test_an_archive_is_fed_by_a_managed_rule(events: Any, archive: str) -> None:
    """It is there to be seen, and changed only by force (eb-archive-event.html, API_DeleteRule.html)."""
    [rule] = events.list_rules()["Rules"]

    assert (rule["Name"], rule["ManagedBy"]) == ("Events-Archive-kept", "prod.vhs.events.aws.internal")
    assert json.loads(rule["EventPattern"]) == {"replay-name": [{"exists": False}]}
    text = "Events-Archive-kept is a managed rule. Set 'force' parameter to true to override."
    for action, given in (
        (events.delete_rule, {"Name": rule["Name"]}),
        (events.disable_rule, {"Name": rule["Name"]}),
        (events.put_rule, {"Name": rule["Name"], "EventPattern": '{"a": ["b"]}'}),
        (events.remove_targets, {"Rule": rule["Name"], "Ids": [rule["Name"]]}),
    ):
        assert refused(action, **given) == ("ManagedRuleException", text)
    events.delete_archive(ArchiveName=archive)
    assert events.list_rules()["Rules"] == []


def test_a_replay_brings_events_back(localbus: Localbus, events: Any, queue: tuple[Any, str], archive: str) -> None:
    """Those of its time, minute by minute, under its name, and not into the archive again."""
    for minute in range(3):
        put(events, minute=minute)
        localbus.advance(60)
    localbus.advance(600)
    put(events, minute="too late")
    first = received(queue)

    started = start(events)
    localbus.advance(30)
    again = received(queue)

    assert started["State"] == "STARTING"
    assert started["ReplayArn"] == "arn:aws:events:us-east-1:000000000000:replay/again"
    assert [one["detail"]["minute"] for one in again] == [0, 1, 2]
    assert [one.pop("replay-name") for one in again] == ["again"] * 3
    assert again == first[:3]
    described = events.describe_replay(ReplayName="again")
    assert described["State"] == "COMPLETED"
    assert described["EventLastReplayedTime"] == START + timedelta(minutes=2)
    assert described["Destination"] == {"Arn": BUS_ARN}
    assert described["ReplayEndTime"] > described["ReplayStartTime"]
    assert events.describe_archive(ArchiveName=archive)["EventCount"] == 4


def test_a_replay_can_be_for_some_rules_only(
    localbus: Localbus, events: Any, queue: tuple[Any, str], archive: str
) -> None:
    """FilterArns (API_ReplayDestination.html)."""
    put(events, "r")
    put(events, "s")
    received(queue)

    rule_arn = events.describe_rule(Name="s")["Arn"]
    start(events, Destination={"Arn": BUS_ARN, "FilterArns": [rule_arn]})
    localbus.advance(10)

    assert [one["source"] for one in received(queue)] == ["s"]


def test_a_replay_can_be_cancelled(localbus: Localbus, events: Any, queue: tuple[Any, str], archive: str) -> None:
    """What has been replayed stays so; afterwards there is nothing to cancel (API_CancelReplay.html)."""
    for minute in range(3):
        put(events, minute=minute)
        localbus.advance(60)
    received(queue)
    start(events)
    localbus.advance(1)

    cancelled = events.cancel_replay(ReplayName="again")
    localbus.advance(10)

    assert cancelled["State"] == "CANCELLING"
    assert [one["detail"]["minute"] for one in received(queue)] == [0]
    assert events.describe_replay(ReplayName="again")["State"] == "CANCELLED"
    assert refused(events.cancel_replay, ReplayName="again")[0] == "IllegalStatusException"


def test_an_archive_is_changed(events: Any, archive: str) -> None:
    """What it keeps from now on (API_UpdateArchive.html)."""
    events.update_archive(ArchiveName=archive, EventPattern='{"source": ["s"]}', RetentionDays=3)
    put(events, "r")
    put(events, "s")

    described = events.describe_archive(ArchiveName=archive)
    assert (described["EventCount"], described["RetentionDays"]) == (1, 3)
    assert described["EventPattern"] == '{"source": ["s"]}'
    assert refused(events.update_archive, ArchiveName=archive, EventPattern='{"a": 1}')[0] == (
        "InvalidEventPatternException"
    )


def test_lists(localbus: Localbus, events: Any, archive: str) -> None:
    """By prefix, source and state (API_ListArchives.html, API_ListReplays.html)."""
    bus_arn = events.create_event_bus(Name="bus")["EventBusArn"]
    events.create_archive(ArchiveName="other", EventSourceArn=bus_arn)
    start(events, "one")
    localbus.advance(10)
    start(events, "two")

    def archives(**given: Any) -> list[str]:
        return [one["ArchiveName"] for one in events.list_archives(**given)["Archives"]]

    def replays(**given: Any) -> list[str]:
        return [one["ReplayName"] for one in events.list_replays(**given)["Replays"]]

    assert archives() == ["kept", "other"]
    assert archives(NamePrefix="k") == archives(EventSourceArn=BUS_ARN) == ["kept"]
    assert archives(State="DISABLED") == []
    assert replays() == ["one", "two"]
    assert replays(State="STARTING") == ["two"]
    assert replays(EventSourceArn=ARCHIVE_ARN) == ["one", "two"]
    assert replays(NamePrefix="o") == ["one"]
    assert len(events.list_replays(Limit=1)["Replays"]) == 1


def test_what_is_wrong(events: Any, archive: str) -> None:
    """AWS's codes and words; "Filter parameters are exclusive" (API_ListArchives.html)."""
    bus_arn = events.create_event_bus(Name="bus")["EventBusArn"]
    start(events)

    assert refused(events.create_archive, ArchiveName=archive, EventSourceArn=BUS_ARN) == (
        "ResourceAlreadyExistsException",
        "Archive kept already exists.",
    )
    assert refused(events.create_archive, ArchiveName="x", EventSourceArn=BUS_ARN + "x") == (
        "ResourceNotFoundException",
        "Event bus defaultx does not exist.",
    )
    assert refused(events.describe_archive, ArchiveName="x") == (
        "ResourceNotFoundException",
        "Archive x does not exist.",
    )
    assert refused(events.delete_archive, ArchiveName="x")[0] == "ResourceNotFoundException"
    assert refused(events.list_archives, EventSourceArn=BUS_ARN + "x")[0] == "ResourceNotFoundException"
    assert refused(start, events=events) == ("ResourceAlreadyExistsException", "Replay again already exists.")
    assert refused(events.describe_replay, ReplayName="x") == (
        "ResourceNotFoundException",
        "Replay x does not exist.",
    )
    assert refused(start, events=events, name="x", EventSourceArn=ARCHIVE_ARN + "x") == (
        "ValidationException",
        "Parameter EventSourceArn is not valid. Reason: Archive keptx does not exist.",
    )
    assert refused(start, events=events, name="x", Destination={"Arn": bus_arn}) == (
        "ValidationException",
        "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
    )
    assert refused(start, events=events, name="x", Destination={"Arn": bus_arn + "x"}) == (
        "ResourceNotFoundException",
        "Event bus busx does not exist.",
    )
    assert refused(start, events=events, name="x", Destination={"Arn": ARCHIVE_ARN}) == (
        "ValidationException",
        "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.",
    )
    for action, name in ((events.list_archives, "ListArchives"), (events.list_replays, "ListReplays")):
        assert refused(action, NamePrefix="x", State="DISABLED" if name == "ListArchives" else "FAILED") == (
            "ValidationException",
            f"At most one filter is allowed for {name}. Use either : State, EventSourceArn, or NamePrefix.",
        )
    assert refused(start, events=events, name="x", EventEndTime=START) == (
        "ValidationException",
        "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
    )
