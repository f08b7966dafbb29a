"""EventBridge's actions on archives and replays."""

from __future__ import annotations

import re

from localbus.events.archive import Archive
from localbus.events.bus import Bus, is_bus_arn
from localbus.events.errors import invalid, invalid_parameter, missing
from localbus.events.replay import Replay
from localbus.events.state import EventBridge
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_ARCHIVE_ARN = re.compile(r"arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:archive/(.+)")


def create_archive(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CreateArchive."""
    bus = _bus(events, params["EventSourceArn"], caller)
    return _summary(events.archives.create(params, bus, caller))


def update_archive(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UpdateArchive."""
    return _summary(events.archives.update(params, caller))


def describe_archive(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeArchive."""
    return events.archives.find(params["ArchiveName"], caller).details()


def list_archives(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListArchives."""
    _check_one_filter("ListArchives", params)
    found = events.archives.of(caller)
    if "EventSourceArn" in params:
        source = _bus(events, params["EventSourceArn"], caller)
        found = [archive for archive in found if archive.bus is source]
    if params.get("State", "ENABLED") != "ENABLED":
        found = []
    return list_page("Archives", found, params, key=lambda archive: archive.name, show=Archive.list_item)


def delete_archive(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteArchive."""
    events.archives.delete(params["ArchiveName"], caller)
    return {}


def _check_one_filter(action: str, params: Params) -> None:
    if sum(name in params for name in ("State", "EventSourceArn", "NamePrefix")) > 1:
        text = "Use either : State, EventSourceArn, or NamePrefix."
        raise invalid(f"At most one filter is allowed for {action}. {text}")


def _bus(events: EventBridge, arn: str, caller: Caller) -> Bus:
    bus = events.buses.look_up(arn, caller)
    if bus is None:
        raise missing(f"Event bus {arn.rpartition('/')[2]} does not exist.")
    return bus


def _summary(archive: Archive) -> Params:
    return {"ArchiveArn": archive.arn, "State": "ENABLED", "CreationTime": archive.created_at}


def start_replay(events: EventBridge, params: Params, caller: Caller) -> Params:
    """StartReplay."""
    if not is_bus_arn(params["Destination"]["Arn"]):
        raise invalid_parameter("Destination.Arn", "Must contain an event bus ARN.")
    found = _ARCHIVE_ARN.fullmatch(params["EventSourceArn"])
    archive = next((one for one in events.archives.of(caller) if found and one.name == found[1]), None)
    if archive is None:
        name = found[1] if found else params["EventSourceArn"]
        raise invalid_parameter("EventSourceArn", f"Archive {name} does not exist.")
    if params["EventStartTime"] >= params["EventEndTime"]:
        raise invalid_parameter("EventEndTime", "EventStartTime must be before EventEndTime.")
    bus = _bus(events, params["Destination"]["Arn"], caller)
    if bus is not archive.bus:
        raise invalid_parameter("Destination.Arn", "Cross event bus replay is not permitted.")
    replay = events.replays.start(params, archive, caller)
    return {"ReplayArn": replay.arn, "State": replay.state, "ReplayStartTime": replay.started_at}


def describe_replay(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeReplay."""
    return events.replays.find(params["ReplayName"], caller).details()


def list_replays(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListReplays."""
    _check_one_filter("ListReplays", params)
    state, source = params.get("State"), params.get("EventSourceArn")
    found = [
        replay
        for replay in events.replays.of(caller)
        if state in {None, replay.state} and source in {None, replay.archive_arn}
    ]
    return list_page("Replays", found, params, key=lambda replay: replay.name, show=Replay.list_item)


def cancel_replay(events: EventBridge, params: Params, caller: Caller) -> Params:
    """CancelReplay."""
    replay = events.replays.find(params["ReplayName"], caller)
    events.replays.cancel(replay)
    return {"ReplayArn": replay.arn, "State": replay.state}
