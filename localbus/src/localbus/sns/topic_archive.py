"""The archive of a FIFO topic: published messages, retained for a number of days for replays.

Source: https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from localbus.input_values import read_json, timestamp
from localbus.sns.errors import invalid
from localbus.sns.notification import Notification

DAY_S = 86_400


class TopicArchive:
    """The archived messages of one topic, oldest first. Without an ArchivePolicy it keeps none."""

    def __init__(self) -> None:
        self.retention_s = 0
        self._began_at: float | None = None
        self._messages: deque[Notification] = deque()

    def configure(self, policy: str, now: float) -> None:
        """Apply the topic's ArchivePolicy. Without one the archive is emptied."""
        document = json.loads(policy) if policy else {}
        if not document:
            self.retention_s, self._began_at = 0, None
            self._messages.clear()
            return
        beginning = self.beginning(now)
        self._began_at = now if beginning is None else beginning  # a longer retention does not bring messages back
        self._drop_expired(now)
        self.retention_s = int(document["MessageRetentionPeriod"]) * DAY_S

    def beginning(self, now: float) -> float | None:
        """Return the earliest time from which messages can be replayed, or None without an ArchivePolicy."""
        return max(self._began_at, now - self.retention_s) if self._began_at is not None else None

    def add(self, notification: Notification) -> None:
        """Keep a message, and drop those that exceed the retention period."""
        if self.retention_s:
            self._messages.append(notification)
            self._drop_expired(notification.at)

    def _drop_expired(self, now: float) -> None:
        while self._messages and self._messages[0].at <= now - self.retention_s:
            self._messages.popleft()

    def between(self, start: float, end: float, now: float) -> Iterator[Notification]:
        """Yield the retained messages from one time to another."""
        oldest = max(start, now - self.retention_s)
        for notification in list(self._messages):
            if oldest <= notification.at <= end:
                yield notification


@dataclass(frozen=True)
class ReplayPolicy:
    """The messages that a subscription replays, by their time in seconds since 1970. `end` may be infinite."""

    start: float
    end: float

    def status(self, now: float) -> str:
        """Return the ReplayStatus. A replay takes no time here, so it is in progress only until a later end."""
        return "In progress" if now < self.end < inf else "Completed"


def read_replay_policy(text: str) -> ReplayPolicy:
    """Return a subscription's ReplayPolicy; raises InvalidParameter.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-subscriber.html
    """
    try:
        document = read_json(text)
        start = timestamp(document["StartingPoint"]).timestamp()
        end = timestamp(document["EndingPoint"]).timestamp() if document.get("EndingPoint") else inf
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise invalid("ReplayPolicy: StartingPoint must be an ISO 8601 timestamp") from exc
    if document.get("PointType") != "Timestamp":
        raise invalid("ReplayPolicy: PointType must be Timestamp")
    if end < start:
        raise invalid("ReplayPolicy: EndingPoint must be after StartingPoint")
    return ReplayPolicy(start, end)
