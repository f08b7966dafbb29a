"""All queues there are, by account, region and name: how they come, are found, and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from localbus.clock import Clock
from localbus.delivery_faults import Disorder, DisorderlyQueue, Disorders
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.sqs import queue_attributes
from localbus.sqs.errors import does_not_exist, invalid, refusal
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.queue import Queue
from localbus.sqs.redrive_policy import check_allow_policy, parse_redrive_policy, permits

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
RECREATE_AFTER_S = 60
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo")
_URL_PATH = re.compile(r"(?:/queue/([a-z0-9-]+))?/([0-9]{12})/([A-Za-z0-9_.-]{1,80})/?$")
_URL_REGION = re.compile(r"^https?://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")

Key = tuple[str, str, str]


@dataclass
class QueueRecord:
    """A queue with what AWS keeps beside its messages."""

    queue: Queue
    account: str
    region: str
    attributes: dict[str, str]
    created_at: float
    modified_at: float
    tags: dict[str, str] = field(default_factory=dict)
    purged_at: float = float("-inf")

    def url(self, caller: Caller) -> str:
        """The queue's URL, from where the caller stands."""
        return f"{caller.base_url}/{self.account}/{self.queue.name}"


class Queues:
    """The queues of every account and region."""

    def __init__(self, clock: Clock, journal: Journal, disorder: Disorder | None = None) -> None:
        self.clock = clock
        self.journal = journal
        self.disorders = Disorders(disorder or Disorder())
        self._records: dict[Key, QueueRecord] = {}
        self._deleted_at: dict[Key, float] = {}
        self.on_create: Callable[[str], None] = lambda _arn: None

    def __iter__(self) -> Iterator[QueueRecord]:
        return iter(list(self._records.values()))

    def create(self, name: str, given: Mapping[str, str], tags: Mapping[str, str], caller: Caller) -> QueueRecord:
        """Make a queue; one that is there already is found again if nothing that is asked for differs."""
        fifo = given.get("FifoQueue", "").lower() == "true"
        _check_name(name, fifo=fifo)
        queue_attributes.check(given, fifo=fifo)
        given = self._normalised(given, name, caller, fifo=fifo)
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
        arn = f"arn:aws:sqs:{caller.region}:{caller.account}:{name}"
        queue = self._make(name, arn, fifo=fifo)
        attributes = queue_attributes.merge(queue_attributes.defaults(fifo=fifo), given)
        record = QueueRecord(queue, caller.account, caller.region, attributes, now, now, dict(tags))
        self._apply(record)
        self._records[key] = record
        self.on_create(arn)
        return record

    def _make(self, name: str, arn: str, *, fifo: bool) -> Queue:
        if fifo:
            return FifoQueue(name, arn, self.clock, self.journal)
        return DisorderlyQueue(name, arn, self.clock, self.journal, self.disorders.of(name))

    def disturb(self, disorders: Disorders) -> None:
        """Let all standard queues do this, those that are there and those to come."""
        self.disorders = disorders
        for record in self:
            if isinstance(record.queue, DisorderlyQueue):
                record.queue.disturb(disorders.of(record.queue.name))

    def change(self, record: QueueRecord, given: Mapping[str, str], caller: Caller) -> None:
        """Change attributes of a queue."""
        queue = record.queue
        if "FifoQueue" in given and queue.is_fifo and given["FifoQueue"].lower() != "true":
            text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
            raise AwsError("InvalidAttributeValue", text)
        queue_attributes.check(given, fifo=queue.is_fifo)
        given = self._normalised(given, queue.name, caller, fifo=queue.is_fifo)
        record.attributes = queue_attributes.merge(record.attributes, given)
        record.modified_at = self.clock.now()
        self._apply(record)

    def delete(self, record: QueueRecord) -> None:
        """Delete a queue with all that is in it."""
        key = (record.account, record.region, record.queue.name)
        del self._records[key]
        self._deleted_at[key] = self.clock.now()
        record.queue.close()

    def free_name(self, arn: str) -> None:
        """Let the name of a deleted queue be used again at once."""
        _, _, _, region, account, name = arn.split(":")
        self._deleted_at.pop((account, region, name), None)

    def by_name(self, name: str, account: str, region: str) -> QueueRecord:
        """The queue of that name; raises QueueDoesNotExist."""
        record = self._records.get((account, region, name))
        if record is None:
            raise does_not_exist()
        return record

    def by_arn(self, arn: str) -> QueueRecord | None:
        """The queue of that ARN, if there is one."""
        parts = arn.split(":")
        return self._records.get((parts[4], parts[3], parts[5])) if len(parts) == 6 else None

    def by_url(self, url: str, caller: Caller) -> QueueRecord:
        """The queue of that URL, whatever its host: the path says which, the credentials say where. A name will do."""
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
        if record is None and not caller.signed:
            record = self._only_one(account, name)
        if record is None:
            raise does_not_exist()
        return record

    def _only_one(self, account: str, name: str) -> QueueRecord | None:
        """The queue of that name, for who names no region, if there is one in one region only."""
        found = [record for key, record in self._records.items() if (key[0], key[2]) == (account, name)]
        return found[0] if len(found) == 1 else None

    def sources_of(self, record: QueueRecord) -> list[QueueRecord]:
        """The queues whose dead letters go to this one."""
        return [
            source
            for source in self
            if "RedrivePolicy" in source.attributes
            and parse_redrive_policy(source.attributes["RedrivePolicy"]).target_arn == record.queue.arn
        ]

    def _normalised(self, given: Mapping[str, str], name: str, caller: Caller, *, fifo: bool) -> dict[str, str]:
        """The attributes with policies in AWS's own spelling, once they are found good."""
        result = dict(given)
        if given.get("RedriveAllowPolicy"):
            check_allow_policy(given["RedriveAllowPolicy"])
        text = given.get("RedrivePolicy")
        if text:
            policy = parse_redrive_policy(text)
            target = self.by_arn(policy.target_arn)
            if target is None:
                raise refusal("RedrivePolicy", text, "Dead letter target does not exist.")
            if target.queue.is_fifo != fifo:
                raise refusal("RedrivePolicy", text, "Dead letter target must be same type of queue as the source.")
            if (target.account, target.region) != (caller.account, caller.region):
                raise refusal(
                    "RedrivePolicy", text, "Dead letter target must be in the account and region of the source."
                )
            source_arn = f"arn:aws:sqs:{caller.region}:{caller.account}:{name}"
            if not permits(target.attributes.get("RedriveAllowPolicy", ""), source_arn):
                raise refusal(
                    "RedrivePolicy", text, f"Queue {policy.target_arn} does not allow {source_arn} as a source."
                )
            result["RedrivePolicy"] = policy.text()
        return result

    def _apply(self, record: QueueRecord) -> None:
        queue_attributes.apply(record.queue, record.attributes)
        text = record.attributes.get("RedrivePolicy")
        target_arn = parse_redrive_policy(text).target_arn if text else ""

        def dead_letter_queue() -> Queue | None:
            target = self.by_arn(target_arn)
            return target.queue if target is not None else None

        record.queue.dead_letter_queue = dead_letter_queue


def _check_name(name: str, *, fifo: bool) -> None:
    if fifo:
        if not _FIFO_NAME.fullmatch(name):
            text = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"
            raise AwsError(
                "InvalidParameterValueException", f"{text} must end with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise invalid(text)
