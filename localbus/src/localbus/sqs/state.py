"""The state of SQS: its queues and move tasks, access checks, and delivery for SNS and EventBridge.

See `queue` and `fifo_queue` for the queues, the `_actions` modules for the actions, and `api` for their table.
"""

from __future__ import annotations

from collections import defaultdict, deque

from localbus.clock import Clock
from localbus.delivery_faults import DeliveryFaults, QueueFaults
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api, ErrorSpec, Params
from localbus.resource_policy import AccessControl, Principal, resource_tag_keys
from localbus.sqs.errors import does_not_exist
from localbus.sqs.message_attributes import Content
from localbus.sqs.message_builder import build
from localbus.sqs.message_move_task import MOVE_TASK, MoveTask
from localbus.sqs.registry import QueueRecord, Queues
from localbus.storage.storage import Storage

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
MAX_MOVE_TASKS = 10

_LEGACY = "AWS.SimpleQueueService."
# The codes of the older Query protocol, which JSON answers carry too, and statuses other than 400.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and each action's page
ERROR_SPECS = {
    "AccessDeniedException": ErrorSpec(403, "AccessDenied"),
    "BatchEntryIdsNotDistinct": ErrorSpec(400, f"{_LEGACY}BatchEntryIdsNotDistinct"),
    "BatchRequestTooLong": ErrorSpec(400, f"{_LEGACY}BatchRequestTooLong"),
    "EmptyBatchRequest": ErrorSpec(400, f"{_LEGACY}EmptyBatchRequest"),
    "InvalidAddress": ErrorSpec(404),
    "InvalidBatchEntryId": ErrorSpec(400, f"{_LEGACY}InvalidBatchEntryId"),
    "InvalidParameterValueException": ErrorSpec(400, "InvalidParameterValue"),
    "MissingRequiredParameterException": ErrorSpec(400, "MissingParameter"),
    "OverLimit": ErrorSpec(403),
    "PurgeQueueInProgress": ErrorSpec(403, f"{_LEGACY}PurgeQueueInProgress"),
    "QueueDeletedRecently": ErrorSpec(400, f"{_LEGACY}QueueDeletedRecently"),
    "QueueDoesNotExist": ErrorSpec(400, f"{_LEGACY}NonExistentQueue"),
    "QueueNameExists": ErrorSpec(400, "QueueAlreadyExists"),
    "ResourceNotFoundException": ErrorSpec(404),
    "UnsupportedOperation": ErrorSpec(400, f"{_LEGACY}UnsupportedOperation"),
    "TooManyEntriesInBatchRequest": ErrorSpec(400, f"{_LEGACY}TooManyEntriesInBatchRequest"),
}


class Sqs:
    """All queues, the access to them, and their move tasks by the source queue's ARN."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        storage: Storage,
        *,
        enforce_policies: bool = True,
        faults: DeliveryFaults | None = None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.storage = storage
        self.api = Api("sqs", ERROR_SPECS, with_enums=False)
        self.system_attributes = self.api.enum("MessageSystemAttributeName")
        self.queues = Queues(clock, journal, storage)
        self.queues.set_faults(QueueFaults(faults or DeliveryFaults()))
        self.move_tasks: defaultdict[str, deque[MoveTask]] = defaultdict(lambda: deque(maxlen=MAX_MOVE_TASKS))
        self._access = AccessControl(clock, journal, enforce=enforce_policies)

    def restore(self) -> None:
        """Read everything from the storage, when the engine starts, and go on with what ran. Raises DataFolderError."""
        self.queues.restore()
        by_number = {record.number: record for record in self.queues}
        for owner, task_id, document in list(self.storage.records(MOVE_TASK)):
            source = by_number.get(document["source"])
            if source is None:
                self.storage.delete(MOVE_TASK, task_id, owner)
                continue
            task = MoveTask.restored(task_id, document, source, self.clock, self.storage)
            self.add_move_task(task)
            if task.status == "RUNNING":
                task.start(self.queues.by_arn)

    def add_move_task(self, task: MoveTask) -> None:
        """Add a move task, and forget the oldest of its source queue if they are too many."""
        tasks = self.move_tasks[task.source.queue.arn]
        if len(tasks) == MAX_MOVE_TASKS:
            self.storage.delete(MOVE_TASK, tasks[0].task_id, task.source.queue.arn)
        tasks.append(task)

    def find(self, url: str, caller: Caller, action: str) -> QueueRecord:
        """Return the queue of that URL. Raises AwsError if it does not exist or its policy denies the action."""
        record = self.queues.by_url(url, caller)
        record.queue.counters.is_touched = True
        if not record.policy and record.account == caller.account:
            return record
        arn, full_action = record.queue.arn, f"sqs:{action}"
        if not self._access.allows_account(
            record.policy, caller, full_action, arn, keys=lambda: resource_tag_keys(record.tags)
        ):
            raise AwsError("AccessDeniedException", f"Access to the resource {url} is denied.")
        return record

    def find_own(self, url: str, caller: Caller, action: str) -> QueueRecord:
        """Return the caller's queue of that URL, for an action that AWS never allows another account."""
        record = self.queues.by_url(url, caller)
        self.check_own(record, url, caller, action)
        return record

    def check_own(self, record: QueueRecord, address: str, caller: Caller, action: str) -> None:
        """Raise AwsError if the queue, which the caller named by this URL or ARN, is another account's."""
        if record.account != caller.account:
            self._access.note_denied(record.queue.arn, f"{action} by {caller.account}")
            raise AwsError("AccessDeniedException", f"Access to the resource {address} is denied.")

    def deliver(
        self,
        queue_arn: str,
        entry: Params,
        principal: Principal,
        content: Content | None = None,
        *,
        is_dead_letter: bool = False,
        message_id: str | None = None,
    ) -> str:
        """Send a message for a service and return its id. `entry` is SendMessage's input without the URL.

        A dead letter is never a duplicate of another. `content` is the entry's body and attributes, for a service that
        sends the same to several queues; `message_id` is the id that the service has returned already. Raises AwsError:
        QueueDoesNotExist, AccessDeniedException or KmsAccessDenied if the service may not send, or any error of
        SendMessage. The service decides which of these it retries.
        """
        record = self.check_delivery(queue_arn, principal)
        message, delay_s = build(entry, record.queue, principal.service or record.account, content)
        message.message_id = message_id or message.message_id
        if is_dead_letter:
            record.queue.put_moved(message)
        else:
            record.queue.send(message, delay_s)
        return message.message_id

    def check_delivery(self, queue_arn: str, principal: Principal) -> QueueRecord:
        """Return the queue. Raises AwsError as `deliver` does if it does not exist or the service may not send."""
        record = self.queues.by_arn(queue_arn)
        if record is None:
            raise does_not_exist()
        key, codes = record.attributes.get("KmsMasterKeyId", ""), ("AccessDeniedException", "KmsAccessDenied")
        self._access.check_delivery(record.policy, principal, "sqs:SendMessage", queue_arn, kms_key=key, codes=codes)
        return record
