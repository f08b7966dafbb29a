"""Archives and replays: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html and its neighbours.

Errors are those of https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html,
API_StartReplay.html and the other actions' pages.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from localbus.pytest_plugin import Localbus
from support.events import Bench
from support.localbus import QueueOf, refused

BUS_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/default"
ARCHIVE_ARN = "arn:aws:events:us-east-1:000000000000:archive/kept"
START = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
INVALID, MISSING, EXISTS = "ValidationException", "ResourceNotFoundException", "ResourceAlreadyExistsException"


@pytest.fixture(autouse=True)
def rules(events: Any, queue: QueueOf) -> None:
    """The rules "r" and "s", which send events of the same source to the queue."""
    for name in ("r", "s"):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue.arn}])


@pytest.fixture
def archive(events: Any) -> str:
    """The name of an archive of all events."""
    events.create_archive(ArchiveName="kept", EventSourceArn=BUS_ARN)
    return "kept"


def put(events: Any, source: str = "r", **detail: Any) -> None:
    """Put an event."""
    events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}])


def replay(**changes: Any) -> dict[str, Any]:
    """Build the input of a StartReplay for the first ten minutes."""
    given = {"EventSourceArn": ARCHIVE_ARN, "EventStartTime": START, "EventEndTime": START + timedelta(minutes=10)}
    return {"ReplayName": "x", "Destination": {"Arn": BUS_ARN}} | given | changes


def test_an_archive_stores_matching_events(localbus: Localbus, events: Any) -> None:
    """It counts events and bytes, and deletes events after the retention period."""
    events.create_archive(
        ArchiveName="some",
        EventSourceArn=BUS_ARN,
        EventPattern='{"source": ["r"]}',
        RetentionDays=1,
        Description="d",
        KmsKeyIdentifier="alias/events",
    )
    for source in ("r", "s", "r"):
        put(events, source)

    described = events.describe_archive(ArchiveName="some")
    localbus.advance(86_400)
    later = events.describe_archive(ArchiveName="some")

    assert described["ArchiveArn"] == "arn:aws:events:us-east-1:000000000000:archive/some"
    assert (described["State"], described["RetentionDays"], described["Description"]) == ("ENABLED", 1, "d")
    assert described["KmsKeyIdentifier"] == "alias/events"
    assert described["EventCount"] == 2
    assert described["SizeBytes"] == 2 * len("14 bytes: time" + "000000000000" + "r" + "t" + "{}")
    assert (later["EventCount"], later["SizeBytes"]) == (0, 0)


def test_an_archive_is_fed_by_a_managed_rule(events: Any, archive: str) -> None:
    """ListRules returns it, and changes need Force (eb-archive-event.html, API_DeleteRule.html)."""
    [rule] = events.list_rules(NamePrefix="Events-Archive")["Rules"]

    assert (rule["Name"], rule["ManagedBy"]) == ("Events-Archive-kept", "prod.vhs.events.aws.internal")
    assert json.loads(rule["EventPattern"]) == {"replay-name": [{"exists": False}]}
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert "<aws.events.event.json>" in target["InputTransformer"]["InputTemplate"]
    text = "Events-Archive-kept is a managed rule. Set 'force' parameter to true to override."
    for action, given in (
        (events.delete_rule, {"Name": rule["Name"]}),
        (events.disable_rule, {"Name": rule["Name"]}),
        (events.put_rule, {"Name": rule["Name"], "EventPattern": '{"a": ["b"]}'}),
        (events.remove_targets, {"Rule": rule["Name"], "Ids": [rule["Name"]]}),
    ):
        assert refused(action, **given) == ("ManagedRuleException", text)
    events.delete_archive(ArchiveName=archive)
    assert events.list_rules(NamePrefix="Events-Archive")["Rules"] == []


def test_a_replay_publishes_events_again(localbus: Localbus, events: Any, queue: QueueOf, archive: str) -> None:
    """Those between its times, minute by minute, with its name; the archive does not store them again."""
    for minute in range(3):
        put(events, minute=minute)
        localbus.advance(60)
    localbus.advance(600)
    put(events, minute="too late")
    first = queue.drain()

    started = events.start_replay(**replay(ReplayName="again"))
    localbus.advance(30)
    again = queue.drain()

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


@pytest.mark.usefixtures("archive")
def test_a_replay_can_be_limited_to_rules(localbus: Localbus, events: Any, queue: QueueOf) -> None:
    """FilterArns (API_ReplayDestination.html)."""
    put(events, "r")
    put(events, "s")
    queue.drain()

    rule_arn = events.describe_rule(Name="s")["Arn"]
    events.start_replay(**replay(Destination={"Arn": BUS_ARN, "FilterArns": [rule_arn]}))
    localbus.advance(10)

    assert [one["source"] for one in queue.drain()] == ["s"]


@pytest.mark.usefixtures("archive")
def test_a_replay_can_be_cancelled(localbus: Localbus, events: Any, queue: QueueOf) -> None:
    """Replayed events stay published, and a second cancellation is an error (API_CancelReplay.html)."""
    for minute in range(3):
        put(events, minute=minute)
        localbus.advance(60)
    queue.drain()
    events.start_replay(**replay(ReplayName="again"))
    localbus.advance(1)

    cancelled = events.cancel_replay(ReplayName="again")
    localbus.advance(10)

    assert cancelled["State"] == "CANCELLING"
    assert [one["detail"]["minute"] for one in queue.drain()] == [0]
    assert events.describe_replay(ReplayName="again")["State"] == "CANCELLED"
    assert refused(events.cancel_replay, ReplayName="again")[0] == "IllegalStatusException"


async def test_a_replay_whose_step_raises_has_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not run for ever, and has a reason (API_DescribeReplay.html)."""
    bench.call("CreateArchive", ArchiveName="kept", EventSourceArn=BUS_ARN)
    bench.put()
    bench.call("StartReplay", **replay())
    monkeypatch.setattr("localbus.events.replay.read_events", Mock(side_effect=RuntimeError("a fault of the engine")))

    bench.clock.advance(10)

    described = bench.call("DescribeReplay", ReplayName="x")
    assert (described["State"], described["StateReason"]) == ("FAILED", "Internal error: see the log of localbus.")
    assert "ReplayEndTime" in described


async def test_a_replay_ends_with_the_engine(bench: Bench) -> None:
    """It is cancelled with the other background tasks."""
    bench.call("CreateArchive", ArchiveName="kept", EventSourceArn=BUS_ARN)
    bench.put()
    bench.call("StartReplay", **replay())

    await bench.tasks.cancel_all()
    bench.clock.advance(10)

    assert bench.call("DescribeReplay", ReplayName="x")["State"] == "STARTING"


def test_an_archive_is_updated(events: Any, archive: str) -> None:
    """The new settings apply from now on (API_UpdateArchive.html)."""
    events.update_archive(ArchiveName=archive, EventPattern='{"source": ["s"]}', RetentionDays=3)
    put(events, "r")
    put(events, "s")

    described = events.describe_archive(ArchiveName=archive)
    assert (described["EventCount"], described["RetentionDays"]) == (1, 3)
    assert described["EventPattern"] == '{"source": ["s"]}'
    found = refused(events.update_archive, ArchiveName=archive, EventPattern='{"a": 1}')
    assert found[0] == "InvalidEventPatternException"


@pytest.mark.usefixtures("archive")
def test_ten_replays_run_at_once(localbus: Localbus, events: Any) -> None:
    """Until one ends (eb-quota.html: concurrent replays)."""
    for number in range(10):
        events.start_replay(**replay(ReplayName=f"r{number}"))
    assert refused(events.start_replay, **replay(ReplayName="more"))[0] == "LimitExceededException"
    localbus.advance(10)

    assert events.start_replay(**replay(ReplayName="more"))["State"] == "STARTING"


@pytest.mark.usefixtures("archive")
def test_lists_are_filtered(localbus: Localbus, events: Any) -> None:
    """By prefix, source and state (API_ListArchives.html, API_ListReplays.html)."""
    bus_arn = events.create_event_bus(Name="bus")["EventBusArn"]
    events.create_archive(ArchiveName="other", EventSourceArn=bus_arn)
    events.start_replay(**replay(ReplayName="one"))
    localbus.advance(10)
    events.start_replay(**replay(ReplayName="two"))

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


OTHER_BUS_ARN = BUS_ARN.replace("default", "bus")
NO_BUS = "Event bus defaultx does not exist."


@pytest.mark.parametrize(
    ("action", "params", "code", "message"),
    [
        ("create_archive", {"ArchiveName": "kept", "EventSourceArn": BUS_ARN}, EXISTS, "Archive kept already exists."),
        ("create_archive", {"ArchiveName": "x", "EventSourceArn": BUS_ARN + "x"}, MISSING, NO_BUS),
        ("describe_archive", {"ArchiveName": "x"}, MISSING, "Archive x does not exist."),
        ("delete_archive", {"ArchiveName": "x"}, MISSING, "Archive x does not exist."),
        ("list_archives", {"EventSourceArn": BUS_ARN + "x"}, MISSING, NO_BUS),
        ("list_archives", {"NamePrefix": "x", "State": "DISABLED"}, INVALID, "filter is allowed for ListArchives. Use"),
        ("list_replays", {"NamePrefix": "x", "State": "FAILED"}, INVALID,
         "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix."),
        ("describe_replay", {"ReplayName": "x"}, MISSING, "Replay x does not exist."),
        ("start_replay", replay(ReplayName="again"), EXISTS, "Replay again already exists."),
        ("start_replay", replay(EventSourceArn=ARCHIVE_ARN + "x"), INVALID,
         "Parameter EventSourceArn is not valid. Reason: Archive keptx does not exist."),
        ("start_replay", replay(Destination={"Arn": OTHER_BUS_ARN}), INVALID,
         "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."),
        ("start_replay", replay(Destination={"Arn": BUS_ARN + "x"}), MISSING, NO_BUS),
        ("start_replay", replay(Destination={"Arn": ARCHIVE_ARN}), INVALID,
         "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN."),
        ("start_replay", replay(EventEndTime=START), INVALID,
         "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("archive")
def test_an_invalid_request_is_rejected(
    events: Any, action: str, params: dict[str, Any], code: str, message: str
) -> None:
    """With AWS's codes and words; "Filter parameters are exclusive" (API_ListArchives.html)."""
    events.create_event_bus(Name="bus")
    events.start_replay(**replay(ReplayName="again"))

    found = refused(getattr(events, action), **params)

    assert found[0] == code
    assert message in found[1]
