"""The archive of a FIFO topic: published messages, kept for a number of days to be replayed.

Source: https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from localbus.sns.errors import invalid
from localbus.sns.notification import Notification

DAY_S = 86_400


class ReplayPeriod(NamedTuple):
    """The period of a ReplayPolicy, in seconds since 1970; without an end it is open."""

    start: float
    end: float | None


class TopicArchive:
    """The archived messages of one topic, oldest first. Without an ArchivePolicy it keeps none."""

    def __init__(self) -> None:
        self.retention_s = 0
        self.began_at: float | None = None
        self._messages: deque[Notification] = deque()

    def configure(self, policy: str, now: float) -> None:
        """Apply the topic's ArchivePolicy. Without one the archive is emptied."""
        document = json.loads(policy) if policy else {}
        if not document:
            self.retention_s, self.began_at = 0, None
            self._messages.clear()
            return
        self.retention_s = int(document["MessageRetentionPeriod"]) * DAY_S
        if self.began_at is None:
            self.began_at = now

    def add(self, notification: Notification) -> None:
        """Keep a message, and drop those that exceed the retention period."""
        if self.retention_s:
            self._messages.append(notification)
            while self._messages[0].at <= notification.at - self.retention_s:
                self._messages.popleft()

    def between(self, period: ReplayPeriod, now: float) -> Iterator[Notification]:
        """Yield the retained messages of a period."""
        oldest = max(period.start, now - self.retention_s)
        for notification in list(self._messages):
            if oldest <= notification.at and (period.end is None or notification.at <= period.end):
                yield notification


def read_replay_policy(text: str) -> ReplayPeriod:
    """Return the period of a subscription's ReplayPolicy; raises InvalidParameter.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-subscriber.html
    """
    try:
        document = json.loads(text)
        start, end = document["StartingPoint"], document.get("EndingPoint")
        period = ReplayPeriod(_seconds(start), _seconds(end) if end else None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise invalid("ReplayPolicy: StartingPoint must be an ISO 8601 timestamp") from exc
    if document.get("PointType") != "Timestamp":
        raise invalid("ReplayPolicy: PointType must be Timestamp")
    if period.end is not None and period.end < period.start:
        raise invalid("ReplayPolicy: EndingPoint must be after StartingPoint")
    return period


def _seconds(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
