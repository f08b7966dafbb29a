"""All queues of an engine, by account, region and name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from localbus.clock import Clock
from localbus.delivery_faults import QueueFaults
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.sqs import queue_attributes
from localbus.sqs.errors import does_not_exist, invalid, invalid_value
from localbus.sqs.fifo_queue import ATTEMPT, SENT, SEQUENCE, FifoQueue
from localbus.sqs.message import Message
from localbus.sqs.message_rows import NO_ROWS, MessageTable
from localbus.sqs.queue import Queue
from localbus.sqs.redrive_policy import check_allow_policy, parse_redrive_policy, permits
from localbus.sqs.unreliable_queue import UnreliableQueue
from localbus.storage.documents import Document
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Record, Storage

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
RECREATE_AFTER_S = 60
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo")
_URL_PATH = re.compile(r"(?:/queue/([a-z0-9-]+))?/([0-9]{12})/([A-Za-z0-9_.-]{1,80})/?\Z")
_URL_REGION = re.compile(r"^https?://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")

Key = tuple[str, str, str]

# Kinds of records: queues by ARN, and the times of deletion of those whose name cannot be used yet.
_QUEUE, _DELETED = "sqs.queue", "sqs.deleted"


@dataclass
class QueueRecord:
    """A queue with its attributes, tags and times. `number` is the owner of its messages in the storage."""

    queue: Queue
    account: str
    region: str
    attributes: dict[str, str]
    created_at: float
    modified_at: float
    tags: dict[str, str] = field(default_factory=dict)
    purged_at: float = 0.0
    number: int = 0

    @property
    def policy(self) -> str:
        """The resource policy as JSON; empty without one."""
        return self.attributes.get("Policy", "")

    def url(self, caller: Caller) -> str:
        """Return the queue's URL at the address by which the caller reached the engine."""
        return f"{caller.base_url}/{self.account}/{self.queue.name}"

    def document(self) -> Document:
        """Return the queue for the storage, without its messages."""
        return {
            "attributes": self.attributes,
            "tags": self.tags,
            "created_at": self.created_at,
            "modified_at": self.modified_at,
            "purged_at": self.purged_at,
            "number": self.number,
            "handle_tag": self.queue.handles.tag,
        }


class Queues:
    """The queues of every account and region. `on_change` is called with the ARN of each new or deleted queue."""

    def __init__(self, clock: Clock, journal: Journal, storage: Storage) -> None:
        self.clock = clock
        self.journal = journal
        self.storage = storage
        self.faults = QueueFaults()
        self._table = MessageTable(storage) if isinstance(storage, DurableStorage) else None
        self._last_number = 0
        self._records: dict[Key, QueueRecord] = {}
        self._deleted_at: dict[Key, float] = {}
        self.on_change: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[QueueRecord]:
        return iter(list(self._records.values()))

    def create(self, name: str, given: Mapping[str, str], tags: Mapping[str, str], caller: Caller) -> QueueRecord:
        """Create a queue, or return the existing one if no given attribute differs. Raises AwsError."""
        fifo = given.get("FifoQueue", "").lower() == "true"
        _check_name(name, fifo=fifo)
        arn = f"arn:aws:sqs:{caller.region}:{caller.account}:{name}"
        given = self._checked(given, arn, fifo=fifo)
        key = (caller.account, caller.region, name)
        existing = self._records.get(key)
        if existing is not None:
            for attribute, value in queue_attributes.merge({}, given).items():
                if existing.attributes.get(attribute) != value:
                    text = "A queue already exists with the same name and a different value for attribute"
                    raise AwsError("QueueNameExists", f"{text} {attribute}")
            return existing
        now = self.clock.now()
        if now < self._deleted_at.get(key, float("-inf")) + RECREATE_AFTER_S:
            text = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
            raise AwsError("QueueDeletedRecently", text)
        self._last_number += 1
        queue = self._new_queue(name, arn, self._last_number, fifo=fifo)
        attributes = queue_attributes.merge(queue_attributes.defaults(fifo=fifo), given)
        record = QueueRecord(queue, *key[:2], attributes, now, now, dict(tags), number=self._last_number)
        self._apply_attributes(record)
        self._records[key] = record
        self.save(record)
        self._changed(arn)
        return record

    def _new_queue(self, name: str, arn: str, number: int, *, fifo: bool) -> Queue:
        rows = self._table.of(number) if self._table is not None else NO_ROWS
        if fifo:
            return FifoQueue(name, arn, self.clock, self.journal, rows=rows, storage=self.storage)
        return UnreliableQueue(name, arn, self.clock, self.journal, self.faults.of(name), rows=rows)

    def save(self, record: QueueRecord) -> None:
        """Store what has changed of a queue, except its messages."""
        self.storage.save(_QUEUE, record.queue.arn, record.document)

    def restore(self) -> None:
        """Read all queues with their messages from the storage, when the engine starts. Raises DataFolderError."""
        if self._table is None:
            return
        by_number: dict[int, QueueRecord] = {}
        for _, arn, document in self.storage.records(_QUEUE):
            _, _, _, region, account, name = arn.split(":")
            number, tag = document["number"], document.pop("handle_tag")
            queue = self._new_queue(name, arn, number, fifo=document["attributes"].get("FifoQueue") == "true")
            queue.handles.tag = tag
            by_number[number] = self._records[account, region, name] = QueueRecord(queue, account, region, **document)
        self._last_number = max(by_number, default=0)
        for record in self._records.values():
            self._apply_attributes(record)
        for _, key, deleted_at in self.storage.records(_DELETED):
            account, region, name = key.split(":")
            self._deleted_at[account, region, name] = deleted_at
        loaded = self._table.load()
        for number, messages in loaded.items():
            by_number[number].queue.restore(messages)
        self._restore_fifo(loaded)

    def _restore_fifo(self, loaded: Mapping[int, list[Message]]) -> None:
        """Read the sequence numbers and the deduplication of FIFO queues; `loaded` are the messages by their queue."""
        sequences = {arn: sequence for _, arn, sequence in self.storage.records(SEQUENCE)}
        windows = defaultdict[str, dict[str, list[Record]]](lambda: {SENT: [], ATTEMPT: []})
        for kind in (SENT, ATTEMPT):
            for stored in self.storage.records(kind):
                windows[stored.owner][kind].append(stored)
        for record in self:
            queue = record.queue
            if isinstance(queue, FifoQueue):
                queue.sequence = max(queue.sequence, sequences.get(queue.arn, 0))
                messages = {message.row: message for message in loaded.get(record.number, ())}
                queue.restore_windows(windows[queue.arn][SENT], windows[queue.arn][ATTEMPT], messages)

    def set_faults(self, faults: QueueFaults) -> None:
        """Set the delivery faults of all standard queues, existing and future."""
        self.faults = faults
        for record in self:
            if isinstance(record.queue, UnreliableQueue):
                record.queue.set_faults(faults.of(record.queue.name))

    def change(self, record: QueueRecord, given: Mapping[str, str]) -> None:
        """Change attributes of a queue. Raises AwsError."""
        queue = record.queue
        if "FifoQueue" in given and queue.is_fifo and given["FifoQueue"].lower() != "true":
            text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
            raise AwsError("InvalidAttributeValue", text)
        given = self._checked(given, queue.arn, fifo=queue.is_fifo)
        record.attributes = queue_attributes.merge(record.attributes, given)
        record.modified_at = self.clock.now()
        self._apply_attributes(record)
        self.save(record)

    def delete(self, record: QueueRecord) -> None:
        """Delete a queue and its messages."""
        key = (record.account, record.region, record.queue.name)
        del self._records[key]
        self._deleted_at[key] = deleted_at = self.clock.now()
        record.queue.close()
        self.storage.delete(_QUEUE, record.queue.arn)
        self.storage.save(_DELETED, ":".join(key), lambda: deleted_at)
        self._changed(record.queue.arn)

    def _changed(self, arn: str) -> None:
        for follow in self.on_change:
            follow(arn)

    def free_name(self, arn: str) -> None:
        """Allow the name of a deleted queue to be reused at once."""
        _, _, _, region, account, name = arn.split(":")
        self._deleted_at.pop((account, region, name), None)
        self.storage.delete(_DELETED, f"{account}:{region}:{name}")

    def by_name(self, name: str, account: str, region: str) -> QueueRecord:
        """Return the queue of that name. Raises AwsError (QueueDoesNotExist)."""
        record = self._records.get((account, region, name))
        if record is None:
            raise does_not_exist()
        return record

    def by_arn(self, arn: str) -> QueueRecord | None:
        """Return the queue of that ARN, if it exists."""
        parts = arn.split(":")
        return self._records.get((parts[4], parts[3], parts[5])) if len(parts) == 6 else None

    def by_url(self, url: str, caller: Caller) -> QueueRecord:
        """Return the queue of that URL or name. Raises AwsError (InvalidAddress, QueueDoesNotExist).

        The URL's host does not matter: account and name are in its path, the region in its host or the credentials.
        """
        found = _URL_PATH.search(url.partition("?")[0])
        if found is None and (_NAME.fullmatch(url) or _FIFO_NAME.fullmatch(url)):
            return self.by_name(url, caller.account, caller.region)
        if found is None:
            raise AwsError("InvalidAddress", f"The address {url} is not valid for this endpoint.")
        region, account, name = found.groups()
        if region is None:
            host = _URL_REGION.match(url)
            region = (host[1] or host[2]) if host else caller.region
        record = self._records.get((account, region, name)) or self._records.get((account, caller.region, name))
        if record is None and not caller.signed:  # without credentials no region is given: accept the only queue
            matches = [record for key, record in self._records.items() if (key[0], key[2]) == (account, name)]
            record = matches[0] if len(matches) == 1 else None
        if record is None:
            raise does_not_exist()
        return record

    def sources_of(self, record: QueueRecord) -> list[QueueRecord]:
        """Return the queues whose dead-letter queue this is."""
        return [source for source in self if _dead_letter_arn(source.attributes) == record.queue.arn]

    def _checked(self, given: Mapping[str, str], arn: str, *, fifo: bool) -> dict[str, str]:
        """Return the valid attributes, with the redrive policy in AWS's spelling. Raises AwsError."""
        queue_attributes.check(given, fifo=fifo)
        if given.get("RedriveAllowPolicy"):
            check_allow_policy(given["RedriveAllowPolicy"])
        text = given.get("RedrivePolicy")
        if not text:
            return dict(given)
        policy = parse_redrive_policy(text)
        target = self.by_arn(policy.target_arn)
        if target is None:
            reason = "Dead letter target does not exist."
        elif target.queue.is_fifo != fifo:
            reason = "Dead letter target must be same type of queue as the source."
        elif target.queue.arn.split(":")[:5] != arn.split(":")[:5]:
            reason = "Dead letter target must be in the account and region of the source."
        elif not permits(target.attributes.get("RedriveAllowPolicy", ""), arn):
            reason = f"Queue {policy.target_arn} does not allow {arn} as a source."
        else:
            return {**given, "RedrivePolicy": policy.text()}
        raise invalid_value("RedrivePolicy", text, reason)

    def _apply_attributes(self, record: QueueRecord) -> None:
        record.queue.settings = queue_attributes.settings_of(record.attributes)
        target_arn = _dead_letter_arn(record.attributes)

        def dead_letter_queue() -> Queue | None:
            target = self.by_arn(target_arn)
            return target.queue if target is not None else None

        record.queue.dead_letter_queue = dead_letter_queue


def _dead_letter_arn(attributes: Mapping[str, str]) -> str:
    text = attributes.get("RedrivePolicy")
    return parse_redrive_policy(text).target_arn if text else ""


def _check_name(name: str, *, fifo: bool) -> None:
    if fifo and not _FIFO_NAME.fullmatch(name):
        text = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"
        raise invalid(f"{text} must end with .fifo suffix and be 1 to 80 in length.")
    if not fifo and not _NAME.fullmatch(name):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
