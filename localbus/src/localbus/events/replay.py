"""Replays, which publish the events of an archive on their bus again.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.events.archive import Archive
from localbus.events.archive_store import ArchivedEvent, read_events
from localbus.events.bus import Bus
from localbus.events.event import Event
from localbus.events.registry import Registry, pick
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

# Events are replayed minute by minute of their time. AWS does not publish the pace; here each minute takes a second.
REPLAY_STEP_S = 1.0
_ACTIVE = {"STARTING", "RUNNING"}

Publish = Callable[[Event, Bus, frozenset[str] | None], None]


@dataclass(eq=False)
class Replay:
    """One replay of the events between two times."""

    name: str
    arn: str
    archive: Archive
    given: Params
    started_at: float
    state: str = "STARTING"
    ended_at: float | None = None
    last_replayed_at: float | None = None

    def list_item(self) -> Params:
        """Return the replay as ListReplays does."""
        known = {
            "ReplayName": self.name,
            "EventSourceArn": self.archive.arn,
            "State": self.state,
            "EventStartTime": self.given["EventStartTime"],
            "EventEndTime": self.given["EventEndTime"],
            "EventLastReplayedTime": self.last_replayed_at,
            "ReplayStartTime": self.started_at,
            "ReplayEndTime": self.ended_at,
        }
        return {name: value for name, value in known.items() if value is not None}

    def details(self) -> Params:
        """Return the replay as DescribeReplay does."""
        return self.list_item() | {"ReplayArn": self.arn} | pick(self.given, "Destination", "Description")


class Replays(Registry[Replay]):
    """The replays of all accounts."""

    quota = 10  # that start or run
    in_use = "Replay {name} already exists."
    not_found = "Replay {name} does not exist."

    def __init__(self, clock: Clock, tasks: BackgroundTasks, publish: Publish) -> None:
        super().__init__(clock)
        self._tasks = tasks
        self._publish = publish

    def counted(self, caller: Caller) -> int:
        """Return the number of the caller's replays that start or run."""
        return sum(replay.state in _ACTIVE for replay in self.of(caller))

    def start(self, given: Params, archive: Archive, caller: Caller) -> Replay:
        """Start a replay."""
        name = given["ReplayName"]
        self.require_new(name, caller)
        arn = f"arn:aws:events:{caller.region}:{caller.account}:replay/{name}"
        replay = self.add(Replay(name, arn, archive, given, self._clock.now()), caller)
        minutes = self._by_minute(archive, given["EventStartTime"], given["EventEndTime"])
        self._schedule(replay, minutes)
        return replay

    def cancel(self, replay: Replay) -> None:
        """Cancel a replay. Events that it has published stay published."""
        if replay.state not in _ACTIVE:
            text = f"Replay {replay.name} is not in a valid state for this operation."
            raise AwsError("IllegalStatusException", text)
        replay.state = "CANCELLING"

    @staticmethod
    def _by_minute(archive: Archive, start: datetime, end: datetime) -> deque[list[ArchivedEvent]]:
        minutes: dict[int, list[ArchivedEvent]] = {}
        for archived in archive.events.between(start.timestamp(), end.timestamp()):
            minutes.setdefault(int(archived.happened_at) // 60, []).append(archived)
        return deque(minutes[minute] for minute in sorted(minutes))

    def _schedule(self, replay: Replay, minutes: deque[list[ArchivedEvent]]) -> None:
        self._tasks.schedule(REPLAY_STEP_S, lambda: self._step(replay, minutes))

    def _step(self, replay: Replay, minutes: deque[list[ArchivedEvent]]) -> None:
        """Replay the events of one minute and schedule the next one."""
        now = self._clock.now()
        if replay.state == "CANCELLING":
            replay.state, replay.ended_at = "CANCELLED", now
            return
        replay.state = "RUNNING"
        if minutes:
            destination = replay.given["Destination"]
            only = frozenset(destination["FilterArns"]) if destination.get("FilterArns") else None
            for event in read_events(minutes.popleft()):
                self._publish(event.replayed(replay.name, now), replay.archive.bus, only)
                replay.last_replayed_at = datetime.fromisoformat(event.document["time"]).timestamp()
        if minutes:
            self._schedule(replay, minutes)
        else:
            replay.state, replay.ended_at = "COMPLETED", now
