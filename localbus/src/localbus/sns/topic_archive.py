"""The archive of a FIFO topic: what was published, for as many days as the topic's owner says, to be replayed.

Source: https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from localbus.sns.errors import invalid
from localbus.sns.notification import Notification, timestamp

DAY_S = 86_400


class TopicArchive:
    """The archived messages of one topic, oldest first."""

    def __init__(self) -> None:
        self.retention_s = 0
        self.began_at: float | None = None
        self._kept: deque[Notification] = deque()

    def retain(self, policy: str, now: float) -> None:
        """Go by the topic's ArchivePolicy from now on; without one everything is forgotten."""
        document = json.loads(policy) if policy else {}
        if not document:
            self.retention_s, self.began_at = 0, None
            self._kept.clear()
            return
        self.retention_s = int(document["MessageRetentionPeriod"]) * DAY_S
        if self.began_at is None:
            self.began_at = now

    def add(self, notification: Notification) -> None:
        """Keep a message, where the topic has an archive, and forget what is too old."""
        if self.retention_s:
            self._kept.append(notification)
            while self._kept[0].at <= notification.at - self.retention_s:
                self._kept.popleft()

    def beginning(self) -> str:
        """The time from which on there is something."""
        return timestamp(self.began_at or 0)

    def between(self, span: Span, now: float) -> Iterator[Notification]:
        """The messages of a span of time that are still kept."""
        oldest = max(span.start, now - self.retention_s)
        for notification in list(self._kept):
            if oldest <= notification.at and (span.end is None or notification.at <= span.end):
                yield notification


@dataclass(frozen=True)
class Span:
    """What a ReplayPolicy asks for. Times are seconds since 1970."""

    start: float
    end: float | None


def read_replay_policy(text: str) -> Span:
    """The span of a subscription's ReplayPolicy.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-subscriber.html
    """
    try:
        document = json.loads(text)
        start, end = document["StartingPoint"], document.get("EndingPoint")
        span = Span(_seconds(start), _seconds(end) if end else None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise invalid("ReplayPolicy: StartingPoint must be an ISO 8601 timestamp") from exc
    if document.get("PointType") != "Timestamp":
        raise invalid("ReplayPolicy: PointType must be Timestamp")
    if span.end is not None and span.end < span.start:
        raise invalid("ReplayPolicy: EndingPoint must be after StartingPoint")
    return span


def _seconds(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
