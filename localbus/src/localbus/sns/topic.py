"""A topic: its settings, and for a FIFO topic its order, deduplication and archive.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
and https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Iterator
from functools import cached_property

from localbus.resource_policy import Principal
from localbus.sns.notification import Notification
from localbus.sns.permissions import default_policy
from localbus.sqs.deduplication import Key, Window
from localbus.storage.storage import Storage

# AWS's sequence numbers of topics have twenty digits, and are only promised to grow.
FIRST_SEQUENCE_NUMBER = 10_000_000_000_000_000_000
SEQUENCE_STEP = 1_000
DEFAULT_MAX_MESSAGE_BYTES = 262_144
DAY_S = 86_400


class Topic:
    """One topic. `attributes` are those that were set, in AWS's own form. Its subscriptions are in the registry."""

    def __init__(self, arn: str, attributes: dict[str, str], tags: dict[str, str], now: float) -> None:
        _, _, _, self.region, self.account, self.name = arn.split(":")
        self.arn = arn
        self.attributes = attributes
        self.tags = tags
        self.subscriptions_deleted = 0
        self.fifo = attributes.get("FifoTopic") == "true"
        self.archive = TopicArchive() if self.fifo else None
        self._sequence_numbers = itertools.count(FIRST_SEQUENCE_NUMBER, SEQUENCE_STEP)
        self._published: Window[tuple[str, str]] = Window(Storage(), "sns.published", arn, list)
        self.configure(now)

    @cached_property
    def principal(self) -> Principal:
        """SNS on behalf of this topic, as the policy of a queue or a function sees it."""
        context = {"aws:SourceArn": self.arn, "aws:SourceAccount": self.account, "aws:SourceOwner": self.account}
        return Principal(service="sns.amazonaws.com", context=context)

    def configure(self, now: float) -> None:
        """Apply attributes that have changed."""
        if self.archive is not None:
            self.archive.configure(self.attributes.get("ArchivePolicy", ""), now)

    @property
    def policy(self) -> str:
        """The access policy as JSON."""
        return self.attributes.get("Policy") or self.default_policy

    @cached_property
    def default_policy(self) -> str:
        """The policy of a topic without another: it allows its owner everything."""
        return default_policy(self.arn, self.account)

    @property
    def max_message_bytes(self) -> int:
        """The size limit of a message, and of a whole batch."""
        return int(self.attributes.get("MaximumMessageSize") or DEFAULT_MAX_MESSAGE_BYTES)

    @property
    def signature_version(self) -> str:
        """1 for signatures of a SHA-1 digest, 2 for SHA-256."""
        return self.attributes.get("SignatureVersion") or "1"

    def accept(self, notification: Notification) -> bool:
        """Number and archive a message of a FIFO topic. Return False for a duplicate, published within five minutes.

        A duplicate gets the id and the number of the first message.
        Source: https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
        """
        if not self.fifo:
            return True
        key: Key = notification.deduplication_id
        if self.attributes.get("FifoThroughputScope") == "MessageGroup":
            key = (notification.group_id, notification.deduplication_id)
        first = self._published.get(key, notification.at)
        if first is not None:
            notification.message_id, notification.sequence_number = first
            return False
        notification.sequence_number = str(next(self._sequence_numbers))
        self._published.put(key, (notification.message_id, notification.sequence_number), notification.at)
        if self.archive is not None:
            self.archive.add(notification)
        return True


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
