"""A topic: its settings, and for a FIFO topic its order, deduplication and archive.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
and https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property, partial

from localbus.metric_counts import MetricCounts
from localbus.resource_policy import Principal
from localbus.sns.notification import Notification
from localbus.sns.permissions import default_policy
from localbus.sqs.deduplication import WINDOW_S, Key, Window
from localbus.storage.documents import Document
from localbus.storage.storage import Record, Storage

# AWS's sequence numbers of topics have twenty digits, and are only promised to grow.
FIRST_SEQUENCE_NUMBER = 10_000_000_000_000_000_000
SEQUENCE_STEP = 1_000
DEFAULT_MAX_MESSAGE_BYTES = 262_144
DAY_S = 86_400
# Kinds of records, which belong to a topic by its ARN.
PUBLISHED, ARCHIVED, SEQUENCE = "sns.published", "sns.archived", "sns.sequence"


class Topic:
    """One topic. `attributes` are those that were set, in AWS's own form. Its subscriptions are in the registry.

    `sequence` is the next number of a FIFO topic.
    """

    def __init__(
        self, arn: str, attributes: dict[str, str], tags: dict[str, str], now: float, storage: Storage
    ) -> None:
        _, _, _, self.region, self.account, self.name = arn.split(":")
        self.arn = arn
        self.attributes = attributes
        self.tags = tags
        self.subscriptions_deleted = 0
        self.counts = MetricCounts()
        self.fifo = attributes.get("FifoTopic") == "true"
        self.archive = TopicArchive(arn, storage) if self.fifo else None
        self.sequence = FIRST_SEQUENCE_NUMBER
        self._storage = storage
        self._published: Window[tuple[str, str]] = Window(storage, PUBLISHED, arn, list)
        self.configure(now)

    def document(self) -> Document:
        """Return the topic for the storage, without its messages."""
        return {
            "attributes": self.attributes,
            "tags": self.tags,
            "subscriptions_deleted": self.subscriptions_deleted,
            "archive_began_at": self.archive.began_at if self.archive is not None else None,
        }

    def restore(self, document: Document, published: Iterable[Record], archived: Iterable[Record]) -> None:
        """Continue from the topic's document and the records of its messages, when the engine starts."""
        self.subscriptions_deleted = document["subscriptions_deleted"]
        records = list(published)
        if self.archive is not None:
            self.archive.restore(document["archive_began_at"], archived)
            records += [self._published_record(one) for one in self.archive.newest()]
        self._published.restore(records, tuple)

    def close(self) -> None:
        """Delete what belongs to the topic."""
        if self.fifo:
            self._published.clear()
            self._storage.delete(SEQUENCE, self.arn)
        if self.archive is not None:
            self.archive.clear()

    @cached_property
    def principal(self) -> Principal:
        """SNS on behalf of this topic, as the policy of a queue or a function sees it."""
        context = {"aws:SourceArn": self.arn, "aws:SourceAccount": self.account, "aws:SourceOwner": self.account}
        return Principal(service="sns.amazonaws.com", context=context)

    def configure(self, now: float) -> None:
        """Apply attributes that have changed."""
        if self.archive is not None:
            had_archive = self.archive.began_at is not None
            self.archive.configure(self.attributes.get("ArchivePolicy", ""), now)
            if had_archive and self.archive.began_at is None:
                self._published.save()

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
        key = self._deduplication_key(notification)
        first = self._published.get(key, notification.at)
        if first is not None:
            notification.message_id, notification.sequence_number = first
            return False
        notification.sequence_number = self._next_sequence_number()
        is_archived = self.archive is not None and self.archive.add(notification)
        value = notification.message_id, notification.sequence_number
        self._published.put(key, value, notification.at, has_record=not is_archived)
        return True

    def _deduplication_key(self, notification: Notification) -> Key:
        if self.attributes.get("FifoThroughputScope") == "MessageGroup":
            return notification.group_id, notification.deduplication_id
        return notification.deduplication_id

    def _published_record(self, archived: Notification) -> Record:
        """Return what the deduplication would have of a message, which is stored in the archive only."""
        value = [archived.message_id, archived.sequence_number]
        return Record(self.arn, json.dumps(self._deduplication_key(archived)), [archived.at, value])

    def _next_sequence_number(self) -> str:
        number = self.sequence
        self.sequence += SEQUENCE_STEP
        self._storage.save(SEQUENCE, self.arn, lambda: self.sequence)
        return str(number)


class TopicArchive:
    """The archived messages of one topic, oldest first, since `began_at`. Without an ArchivePolicy it keeps none."""

    def __init__(self, topic_arn: str, storage: Storage) -> None:
        self.retention_s = 0
        self.began_at: float | None = None
        self._topic_arn = topic_arn
        self._storage = storage
        self._messages: deque[Notification] = deque()

    def restore(self, began_at: float | None, records: Iterable[Record]) -> None:
        """Add the messages of these records, when the engine starts."""
        self.began_at = began_at
        self._messages.extend(_from_archive(*record) for record in records)

    def configure(self, policy: str, now: float) -> None:
        """Apply the topic's ArchivePolicy. Without one the archive is emptied."""
        document = json.loads(policy) if policy else {}
        if not document:
            self.retention_s, self.began_at = 0, None
            self.clear()
            return
        beginning = self.beginning(now)
        self.began_at = now if beginning is None else beginning  # a longer retention does not bring messages back
        self._drop_expired(now)
        self.retention_s = int(document["MessageRetentionPeriod"]) * DAY_S

    def beginning(self, now: float) -> float | None:
        """Return the earliest time from which messages can be replayed, or None without an ArchivePolicy."""
        return max(self.began_at, now - self.retention_s) if self.began_at is not None else None

    def add(self, notification: Notification) -> bool:
        """Keep a message, and drop those that exceed the retention period. Return whether it is kept."""
        if not self.retention_s:
            return False
        self._messages.append(notification)
        document = partial(_in_archive, notification)
        self._storage.save(ARCHIVED, str(notification.sequence_number), document, self._topic_arn)
        self._drop_expired(notification.at)
        return True

    def newest(self) -> Iterator[Notification]:
        """Yield the messages that the deduplication may still need."""
        for notification in reversed(self._messages):
            if notification.at <= self._messages[-1].at - WINDOW_S:
                return
            yield notification

    def clear(self) -> None:
        """Remove all messages."""
        if self._messages:
            self._messages.clear()
            self._storage.delete_owned(ARCHIVED, self._topic_arn)

    def _drop_expired(self, now: float) -> None:
        while self._messages and self._messages[0].at <= now - self.retention_s:
            expired = self._messages.popleft()
            self._storage.delete(ARCHIVED, str(expired.sequence_number), self._topic_arn)

    def between(self, start: float, end: float, now: float) -> Iterator[Notification]:
        """Yield the retained messages from one time to another."""
        oldest = max(start, now - self.retention_s)
        for notification in list(self._messages):
            if oldest <= notification.at <= end:
                yield notification


# The fields of an archived message in its record, which has the topic and the number besides. Most lack the last ones.
_IN_ARCHIVE = (
    *("message_id", "at", "texts", "group_id", "deduplication_id", "base_url", "attributes", "subject", "filterable"),
    *("signature_version", "trace_header"),
)


def _in_archive(notification: Notification) -> Document:
    """Return a message for the storage, without names: archives are large."""
    document = notification.document()
    values = [document.get(name) for name in _IN_ARCHIVE]
    while values[-1] is None:
        values.pop()
    return values


def _from_archive(topic_arn: str, number: str, stored: Document) -> Notification:
    named = stored if isinstance(stored, dict) else dict(zip(_IN_ARCHIVE, stored, strict=False))  # format 1 has names
    known = {name: value for name, value in named.items() if value is not None}
    return Notification.restored({"topic_arn": topic_arn, "sequence_number": number, **known})
