"""Replays: the archive's events of a time window go through the rules of their bus again."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from orderboard.errors import RigError, UsageError
from orderboard.option_values import parse_duration
from orderboard.system.target import AWS_ERRORS, Target

if TYPE_CHECKING:
    from types_boto3_events.type_defs import ReplayDestinationTypeDef

ACTIVE: Final = ("STARTING", "RUNNING")
_POLL_S: Final = 0.2


@dataclass(frozen=True)
class Replayed:
    """A replay, and how it ended. begin, end: its window, in whole seconds of UTC."""

    name: str
    begin: str
    end: str
    rules: tuple[str, ...]
    state: str
    reason: str = ""

    def __str__(self) -> str:
        rules = f" for {', '.join(self.rules)}" if self.rules else ""
        return f"Replay {self.name} of {self.begin} to {self.end}{rules}: {self.state.lower()}. {self.reason}".rstrip()


def read_time(option: str, text: str, now: datetime) -> datetime:
    """Read a time with its time zone, or how long ago it was, such as 15m. Raises UsageError."""
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):  # not a duration, or before the first year
        pass
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    raise UsageError(f"{option} {text!r}: expected how long ago, such as 15m, or a time such as 2026-01-01T08:00:00Z.")


def start(target: Target, name: str, begin: datetime, end: datetime, rules: Sequence[str] = ()) -> None:
    """Start a replay of the archive's events from begin to end, for all rules of the bus or some of them."""
    if target.outputs.archive_name is None:
        raise RigError("The stack has no archive.")
    archive = target.events.describe_archive(ArchiveName=target.outputs.archive_name)
    destination: ReplayDestinationTypeDef = {"Arn": archive["EventSourceArn"]}
    if rules:
        bus = target.outputs.bus_name
        destination["FilterArns"] = [target.events.describe_rule(EventBusName=bus, Name=each)["Arn"] for each in rules]
    target.events.start_replay(
        ReplayName=name,
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=begin,
        EventEndTime=end,
        Destination=destination,
    )


def replay(
    target: Target,
    begin: datetime,
    end: datetime,
    rules: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Replay, and wait for the end."""
    name = f"orderboard-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    try:
        start(target, name, begin, end, rules)
        while (found := target.events.describe_replay(ReplayName=name))["State"] in ACTIVE:
            if "EventLastReplayedTime" in found:
                say(f"up to {found['EventLastReplayedTime'].astimezone(UTC):%H:%M:%SZ}")
            time.sleep(_POLL_S)
    except AWS_ERRORS as exc:
        raise RigError(f"EventBridge did not replay: {exc}") from exc
    first, last = (f"{each.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for each in (begin, end))
    return Replayed(name, first, last, tuple(rules), found["State"], found.get("StateReason", ""))
