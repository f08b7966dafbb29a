"""Archives and replays."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from fidelity.aws import ACCOUNT, Aws, Queue
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import events_api, events_guide

GROUP = Group("EventBridge", "Archives and replays")
behaviour = GROUP.behaviour
_MISSING = "ResourceNotFoundException"
_INVALID = "ValidationException"


def _archive(aws: Aws, bus: str, name: str = "", **given: Any) -> str:
    """Create an archive of a bus and return its name."""
    name = name or aws.name()
    aws.events.create_archive(ArchiveName=name, EventSourceArn=aws.bus_arn(bus), **given)
    return name


def _replay(aws: Aws, archive: str, bus: str, **given: Any) -> dict[str, Any]:
    """Start a replay of the last hour."""
    now = datetime.now(UTC)
    request = {
        "ReplayName": aws.name(),
        "EventSourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:archive/{archive}",
        "EventStartTime": now - timedelta(hours=1),
        "EventEndTime": now + timedelta(minutes=1),
        "Destination": {"Arn": aws.bus_arn(bus)},
    }
    answer: dict[str, Any] = aws.events.start_replay(**request | given)
    return answer


def _archived(aws: Aws) -> tuple[str, str, Queue]:
    """Create a bus, its archive with one event, and a queue that has received the event."""
    bus = aws.bus()
    archive, queue = _archive(aws, bus), aws.target(bus=bus)
    aws.put({"n": 1}, bus=bus)
    holds(queue.bodies(1), "delivers nothing")
    return bus, archive, queue


@behaviour(events_api("CreateArchive", recorded=True))
def archive_twice(aws: Aws) -> None:
    """An archive whose name is in use is rejected (ResourceAlreadyExistsException)."""
    bus = aws.bus()
    refused("ResourceAlreadyExistsException", _archive, aws=aws, bus=bus, name=_archive(aws, bus))


@behaviour(events_api("CreateArchive", recorded=True))
def archive_of_no_bus(aws: Aws) -> None:
    """An archive of a bus that does not exist is ResourceNotFoundException."""
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{aws.name()}"
    refused(_MISSING, aws.events.create_archive, ArchiveName=aws.name(), EventSourceArn=arn)


@behaviour(events_api("DescribeArchive", recorded=True))
def missing_archive(aws: Aws) -> None:
    """An archive that does not exist is ResourceNotFoundException."""
    refused(_MISSING, aws.events.describe_archive, says="does not exist", ArchiveName=aws.name())


@behaviour(events_api("DescribeArchive", recorded=True))
def archive_shown(aws: Aws) -> None:
    """An archive is ENABLED and shows its retention, pattern, event count and size."""
    name = _archive(aws, aws.bus(), RetentionDays=1, EventPattern='{"source": ["s"]}')

    shown = aws.events.describe_archive(ArchiveName=name)

    found = [shown.get(key) for key in ("State", "RetentionDays", "EventPattern", "EventCount", "SizeBytes")]
    same("shows", found, ["ENABLED", 1, '{"source": ["s"]}', 0, 0])


@behaviour(events_api("DescribeArchive"))
def archive_key(aws: Aws) -> None:
    """DescribeArchive shows the KMS key with which an archive was created."""
    name = _archive(aws, aws.bus(), KmsKeyIdentifier="alias/events")

    same("shows", aws.events.describe_archive(ArchiveName=name).get("KmsKeyIdentifier"), "alias/events")


@behaviour(events_guide("eb-archive-event", recorded=True))
def kept_by_pattern(aws: Aws) -> None:
    """An archive counts the events that its pattern matches."""
    bus = aws.bus()
    name = _archive(aws, bus, EventPattern='{"detail": {"n": [1]}}')
    for number in (1, 2, 1):
        aws.put({"n": number}, bus=bus)

    found = eventually(lambda: aws.events.describe_archive(ArchiveName=name)["EventCount"], "counts none")

    same("counts", found, 2)


@behaviour(events_guide("eb-archive-event", recorded=True))
def managed_rule(aws: Aws) -> None:
    """An archive has a rule of the bus, Events-Archive-..., that is managed by prod.vhs.events.aws.internal."""
    bus = aws.bus()
    name = _archive(aws, bus)

    rules = aws.events.list_rules(EventBusName=bus)["Rules"]

    wanted = (f"Events-Archive-{name}", "prod.vhs.events.aws.internal")
    same("lists", [(rule["Name"], rule.get("ManagedBy")) for rule in rules], [wanted])


@behaviour(events_api("DeleteRule"))
def managed_rule_stays(aws: Aws) -> None:
    """An archive's rule is deleted only with force (ManagedRuleException)."""
    bus = aws.bus()
    name = f"Events-Archive-{_archive(aws, bus)}"

    refused("ManagedRuleException", aws.events.delete_rule, Name=name, EventBusName=bus)


@behaviour(events_guide("eb-replay-archived-event"))
def replayed(aws: Aws) -> None:
    """A replay publishes archived events again, with the same id and the replay's name."""
    bus, archive, queue = _archived(aws)

    name = _replay(aws, archive, bus)["ReplayArn"].rpartition("/")[2]
    event = queue.document("sends nothing", within_s=10)

    same("sends", event["detail"], {"n": 1})
    holds(event.get("replay-name") == name, "has not the replay's name")


@behaviour(events_api("DescribeReplay"))
def replay_ends(aws: Aws) -> None:
    """A replay starts as STARTING and becomes COMPLETED."""
    bus, archive, _ = _archived(aws)

    answer = _replay(aws, archive, bus)
    name = answer["ReplayArn"].rpartition("/")[2]

    same("begins as", answer["State"], "STARTING")
    eventually(lambda: aws.events.describe_replay(ReplayName=name)["State"] == "COMPLETED", "does not become COMPLETED")


@behaviour(events_api("StartReplay", recorded=True))
def replay_to_another_bus(aws: Aws) -> None:
    """A replay to a bus other than the archive's is rejected."""
    refused(_INVALID, _replay, aws=aws, archive=_archive(aws, aws.bus()), bus=aws.bus())


@behaviour(events_api("StartReplay", recorded=True))
def replay_of_nothing(aws: Aws) -> None:
    """A replay of an archive that does not exist is rejected."""
    refused(_INVALID, _replay, says="does not exist", aws=aws, archive=aws.name(), bus=aws.bus())


@behaviour(events_api("StartReplay", recorded=True))
def replay_backwards(aws: Aws) -> None:
    """A replay whose end is not after its start is rejected."""
    bus = aws.bus()
    given = {"archive": _archive(aws, bus), "bus": bus, "EventEndTime": datetime(2026, 1, 1, tzinfo=UTC)}

    refused(_INVALID, _replay, aws=aws, **given, EventStartTime=datetime(2026, 1, 2, tzinfo=UTC))


@behaviour(events_api("DescribeReplay", recorded=True))
def missing_replay(aws: Aws) -> None:
    """A replay that does not exist is ResourceNotFoundException."""
    refused(_MISSING, aws.events.describe_replay, ReplayName=aws.name())


@behaviour(events_api("ListArchives"))
def one_filter_of_archives(aws: Aws) -> None:
    """Archives are listed by one filter at most."""
    refused(_INVALID, aws.events.list_archives, says="At most one filter", NamePrefix="x", State="ENABLED")


@behaviour(events_api("ListReplays"))
def one_filter_of_replays(aws: Aws) -> None:
    """Replays are listed by one filter at most."""
    refused(_INVALID, aws.events.list_replays, says="At most one filter", NamePrefix="x", State="COMPLETED")


@behaviour(events_api("DescribeArchive", recorded=True))
def archived_bytes(aws: Aws) -> None:
    """Ten events with 54 bytes of source and detail type and 79 of detail make 1,590 bytes in an archive."""
    bus = aws.bus()
    name = _archive(aws, bus)
    detail = {"command": "update-account", "payload": {"acc_id": "0a787ecb-4015", "sf_id": "baz"}}
    entry = {"Source": "s" * 27, "DetailType": "t" * 27, "Detail": json.dumps(detail), "EventBusName": bus}
    aws.events.put_events(Entries=[entry] * 10)

    shown = eventually(lambda: aws.events.describe_archive(ArchiveName=name), "shows nothing")

    same("counts", (shown["EventCount"], shown["SizeBytes"]), (10, 1_590))


@behaviour(events_guide("eb-quota"))
def eleven_replays(aws: Aws) -> None:
    """An eleventh replay at one time is LimitExceededException."""
    events, now = aws.client("events", account="222222222222"), datetime.now(UTC)
    bus = events.create_event_bus(Name=aws.name())["EventBusArn"]
    archive = events.create_archive(ArchiveName=aws.name(), EventSourceArn=bus)["ArchiveArn"]
    given = {"EventSourceArn": archive, "EventStartTime": now - timedelta(hours=1), "EventEndTime": now}
    given["Destination"] = {"Arn": bus}

    def start(name: str) -> str:
        try:
            events.start_replay(ReplayName=name, **given)
        except events.exceptions.LimitExceededException:
            return "LimitExceededException"
        return "starts"

    with ThreadPoolExecutor(11) as pool:  # at once, as a replay of nothing ends in a moment
        found = sorted(pool.map(start, [aws.name() for _ in range(11)]))
    same("gives", found, ["LimitExceededException", *["starts"] * 10])
