"""All queues of an engine, by account, region and name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from localbus.clock import Clock
from localbus.delivery_faults import QueueFaults
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.sqs import queue_attributes
from localbus.sqs.errors import does_not_exist, invalid, invalid_value
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.queue import Queue
from localbus.sqs.redrive_policy import check_allow_policy, parse_redrive_policy, permits
from localbus.sqs.unreliable_queue import UnreliableQueue

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
RECREATE_AFTER_S = 60
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo")
_URL_PATH = re.compile(r"(?:/queue/([a-z0-9-]+))?/([0-9]{12})/([A-Za-z0-9_.-]{1,80})/?\Z")
_URL_REGION = re.compile(r"^https?://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")

Key = tuple[str, str, str]


@dataclass
class QueueRecord:
    """A queue with its attributes, tags and times."""

    queue: Queue
    account: str
    region: str
    attributes: dict[str, str]
    created_at: float
    modified_at: float
    tags: dict[str, str] = field(default_factory=dict)
    purged_at: float = float("-inf")

    @property
    def policy(self) -> str:
        """The resource policy as JSON; empty without one."""
        return self.attributes.get("Policy", "")

    def url(self, caller: Caller) -> str:
        """Return the queue's URL at the address by which the caller reached the engine."""
        return f"{caller.base_url}/{self.account}/{self.queue.name}"


class Queues:
    """The queues of every account and region. `on_change` is called with the ARN of each new or deleted queue."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.clock = clock
        self.journal = journal
        self.faults = QueueFaults()
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
        queue = (
            FifoQueue(name, arn, self.clock, self.journal)
            if fifo
            else UnreliableQueue(name, arn, self.clock, self.journal, self.faults.of(name))
        )
        attributes = queue_attributes.merge(queue_attributes.defaults(fifo=fifo), given)
        record = QueueRecord(queue, caller.account, caller.region, attributes, now, now, dict(tags))
        self._apply_attributes(record)
        self._records[key] = record
        self._changed(arn)
        return record

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

    def delete(self, record: QueueRecord) -> None:
        """Delete a queue and its messages."""
        key = (record.account, record.region, record.queue.name)
        del self._records[key]
        self._deleted_at[key] = self.clock.now()
        record.queue.close()
        self._changed(record.queue.arn)

    def _changed(self, arn: str) -> None:
        for follow in self.on_change:
            follow(arn)

    def free_name(self, arn: str) -> None:
        """Allow the name of a deleted queue to be reused at once."""
        _, _, _, region, account, name = arn.split(":")
        self._deleted_at.pop((account, region, name), None)

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
