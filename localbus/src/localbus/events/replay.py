"""Replays, which bring an archive's events back on the bus that they came from.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from localbus.clock import Clock, TimerHandle
from localbus.errors import AwsError
from localbus.events.archive import Archive
from localbus.events.archive_store import Kept, read
from localbus.events.bus import Bus
from localbus.events.event import Event
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

# Events are replayed by the minute in which they happened; AWS does not say how fast. Here each minute takes a second.
REPLAY_STEP_S = 1.0

Publish = Callable[[Event, Bus, frozenset[str] | None], None]


@dataclass(eq=False)
class Replay:
    """One replay: the events of a time, minute by minute, on the bus that they came from."""

    name: str
    arn: str
    archive: Archive
    given: Params
    started_at: float
    state: str = "STARTING"
    ended_at: float | None = None
    last_replayed_at: float | None = None
    wake: TimerHandle | None = None

    def listed(self) -> Params:
        """The replay in a list."""
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

    def described(self) -> Params:
        """The whole replay."""
        shown = self.listed() | {"ReplayArn": self.arn, "Destination": self.given["Destination"]}
        return shown | {name: self.given[name] for name in ("Description",) if name in self.given}


class Replays:
    """The replays of every account and region."""

    def __init__(self, clock: Clock, publish: Publish) -> None:
        self._clock = clock
        self._publish = publish
        self._replays: dict[tuple[str, str, str], Replay] = {}

    def find(self, name: str, caller: Caller) -> Replay:
        """The replay of that name; raises ResourceNotFoundException."""
        replay = self._replays.get((caller.account, caller.region, name))
        if replay is None:
            raise AwsError("ResourceNotFoundException", f"Replay {name} does not exist.")
        return replay

    def of(self, caller: Caller) -> list[Replay]:
        """The caller's replays by name."""
        scope = (caller.account, caller.region)
        return [self._replays[key] for key in sorted(self._replays) if key[:2] == scope]

    def start(self, given: Params, archive: Archive, caller: Caller) -> Replay:
        """Begin a replay."""
        name = given["ReplayName"]
        key = (caller.account, caller.region, name)
        if key in self._replays:
            raise AwsError("ResourceAlreadyExistsException", f"Replay {name} already exists.")
        arn = f"arn:aws:events:{caller.region}:{caller.account}:replay/{name}"
        replay = self._replays[key] = Replay(name, arn, archive, given, self._clock.now())
        minutes = self._by_minute(archive, given["EventStartTime"], given["EventEndTime"])
        self._plan(replay, minutes)
        return replay

    def cancel(self, replay: Replay) -> None:
        """Stop a replay; what has been replayed stays so."""
        if replay.state not in {"STARTING", "RUNNING"}:
            raise AwsError(
                "IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation."
            )
        replay.state = "CANCELLING"

    @staticmethod
    def _by_minute(archive: Archive, start: datetime, end: datetime) -> deque[list[Kept]]:
        minutes: dict[int, list[Kept]] = {}
        for kept in archive.events.between(start.timestamp(), end.timestamp()):
            minutes.setdefault(int(kept.happened_at) // 60, []).append(kept)
        return deque(minutes[minute] for minute in sorted(minutes))

    def _plan(self, replay: Replay, minutes: deque[list[Kept]]) -> None:
        when = self._clock.now() + REPLAY_STEP_S
        replay.wake = self._clock.call_at(when, lambda: self._step(replay, minutes))

    def _step(self, replay: Replay, minutes: deque[list[Kept]]) -> None:
        """Replay the events of one minute, and go on with the next one later."""
        now = self._clock.now()
        if replay.state == "CANCELLING":
            replay.state, replay.ended_at = "CANCELLED", now
            return
        replay.state = "RUNNING"
        if minutes:
            destination = replay.given["Destination"]
            only = frozenset(destination["FilterArns"]) if destination.get("FilterArns") else None
            for event in read(minutes.popleft()):
                self._publish(event.replayed(replay.name, now), replay.archive.bus, only)
                replay.last_replayed_at = datetime.fromisoformat(event.document["time"]).timestamp()
        if minutes:
            self._plan(replay, minutes)
        else:
            replay.state, replay.ended_at = "COMPLETED", now
