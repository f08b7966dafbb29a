"""Replays, which publish the events of an archive on their bus again.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.events.archive import Archive, Archives
from localbus.events.archived_events.store import ArchivedEvent, read_events
from localbus.events.bus import Bus
from localbus.events.event import Event
from localbus.events.registry import Registry, pick
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.database import DataFolderError
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

# Events are replayed minute by minute of their time. AWS does not publish the pace; here each minute takes a second.
REPLAY_STEP_S = 1.0
_ACTIVE = {"STARTING", "RUNNING"}
_UNFINISHED = {*_ACTIVE, "CANCELLING"}
_TIMES = ("EventStartTime", "EventEndTime")
_INTERNAL = "Internal error: see the log of localbus."
_DELETED = "The archive was deleted before its events were replayed."

log = logging.getLogger("localbus")

Publish = Callable[[Event, Bus, frozenset[str] | None], None]


@dataclass(eq=False)
class Replay:
    """One replay of the events between two times.

    They are those which the archive had at its start: ingested after `ingested_after`. Of the minutes of their time the
    last that has been replayed is `replayed_minute`, since 1970.
    """

    name: str
    arn: str
    archive_arn: str
    given: Params
    started_at: float
    ingested_after: float
    state: str = "STARTING"
    reason: str | None = None
    replayed_minute: int | None = None
    ended_at: float | None = None
    last_replayed_at: float | None = None

    def list_item(self) -> Params:
        """Return the replay as ListReplays does."""
        known = {
            "ReplayName": self.name,
            "EventSourceArn": self.archive_arn,
            "State": self.state,
            "StateReason": self.reason,
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

    def document(self) -> Document:
        """Return the replay and its progress for the storage."""
        return {
            "archive_arn": self.archive_arn,
            "given": self.given | {name: self.given[name].isoformat() for name in _TIMES},
            "started_at": self.started_at,
            "ingested_after": self.ingested_after,
            "state": self.state,
            "reason": self.reason,
            "replayed_minute": self.replayed_minute,
            "ended_at": self.ended_at,
            "last_replayed_at": self.last_replayed_at,
        }

    def events_left(self, archive: Archive) -> deque[list[ArchivedEvent]]:
        """Return the events that have not been replayed, by the minute of their time."""
        start, end = (self.given[name].timestamp() for name in _TIMES)
        minutes: dict[int, list[ArchivedEvent]] = {}
        for one in archive.events.between(start, end, after=self.ingested_after, until=self.started_at):
            if self.replayed_minute is None or one.minute > self.replayed_minute:
                minutes.setdefault(one.minute, []).append(one)
        return deque(minutes[minute] for minute in sorted(minutes))


class Replays(Registry[Replay]):
    """The replays of all accounts."""

    kind = "events.replay"
    quota = 10  # that start or run
    in_use = "Replay {name} already exists."
    not_found = "Replay {name} does not exist."

    def __init__(self, clock: Clock, storage: Storage, tasks: BackgroundTasks, publish: Publish) -> None:
        super().__init__(clock, storage)
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
        replay = Replay(name, arn, archive.arn, given, self._clock.now(), archive.events.expired_until)
        self.add(replay, caller)
        self._run(replay, archive)
        return replay

    def cancel(self, replay: Replay) -> None:
        """Cancel a replay. Events that it has published stay published."""
        if replay.state not in _ACTIVE:
            text = f"Replay {replay.name} is not in a valid state for this operation."
            raise AwsError("IllegalStatusException", text)
        replay.state = "CANCELLING"
        self.save(replay)

    def resume(self, archives: Archives) -> None:
        """Go on with the replays that ran, after they and the archives have been restored."""
        for replay in self:
            if replay.state in _UNFINISHED:
                archive = archives.by_arn(replay.archive_arn)
                if archive is None or archive.created_at > replay.started_at:
                    self._end(replay, "FAILED", _DELETED)
                else:
                    self._run(replay, archive)

    def _restored(self, arn: str, stored: Document) -> Replay:
        given = stored.pop("given")
        given |= {name: datetime.fromisoformat(given[name]) for name in _TIMES}
        return Replay(given["ReplayName"], arn, given=given, **stored)

    def _run(self, replay: Replay, archive: Archive) -> None:
        archive.events.hold()
        self._schedule(replay, archive, replay.events_left(archive))

    def _schedule(self, replay: Replay, archive: Archive, minutes: deque[list[ArchivedEvent]]) -> None:
        self._tasks.schedule(REPLAY_STEP_S, lambda: self._step(replay, archive, minutes))

    def _step(self, replay: Replay, archive: Archive, minutes: deque[list[ArchivedEvent]]) -> None:
        """Replay the events of one minute and schedule the next one."""
        try:
            if replay.state == "CANCELLING":
                self._end(replay, "CANCELLED")
            elif archive.events.is_deleted:
                self._end(replay, "FAILED", _DELETED)
            elif minutes:
                self._publish_all(replay, archive.bus, minutes.popleft())
        except DataFolderError as exc:
            self._end(replay, "FAILED", str(exc))
        except Exception:  # the boundary of a step: whatever it is, the replay must not run for ever
            log.exception("replay.failed", extra={"replay": replay.arn})
            self._end(replay, "FAILED", _INTERNAL)
        if replay.state in _ACTIVE and minutes:
            self._schedule(replay, archive, minutes)
            return
        if replay.state in _ACTIVE:
            self._end(replay, "COMPLETED")
        archive.events.release()

    def _publish_all(self, replay: Replay, bus: Bus, archived: list[ArchivedEvent]) -> None:
        """Publish the events of one minute."""
        now, destination = self._clock.now(), replay.given["Destination"]
        only = frozenset(destination["FilterArns"]) if destination.get("FilterArns") else None
        for event in read_events(archived):
            self._publish(event.replayed(replay.name, now), bus, only)
        replay.state = "RUNNING"
        replay.replayed_minute, replay.last_replayed_at = archived[-1].minute, archived[-1].happened_at
        self.save(replay)

    def _end(self, replay: Replay, state: str, reason: str | None = None) -> None:
        replay.state, replay.reason, replay.ended_at = state, reason, self._clock.now()
        self.save(replay)
