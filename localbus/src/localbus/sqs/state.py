"""SQS as a service: its table of actions, its error forms, and the door by which SNS and EventBridge deliver.

What a queue does is said in `queue` and `fifo_queue`; what is checked before, in the modules of the actions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from localbus.clock import Clock
from localbus.delivery_faults import Disorder
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, ErrorForm, Params, Violation
from localbus.resource_policy import AccessControl, Principal
from localbus.sqs import message_actions, message_move_task, queue_actions
from localbus.sqs.errors import does_not_exist, missing
from localbus.sqs.message_attributes import Content
from localbus.sqs.message_builder import build
from localbus.sqs.message_move_task import MoveTask
from localbus.sqs.registry import QueueRecord, Queues

XMLNS = "http://queue.amazonaws.com/doc/2012-11-05/"
_LEGACY = "AWS.SimpleQueueService."
_INVALID_TOKEN = ("InvalidParameterValueException", "Invalid or expired next token.")
# The codes of the older Query protocol, which JSON answers carry too, and statuses other than 400.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and each action's page
ERROR_FORMS = {
    "AccessDeniedException": ErrorForm(403, "AccessDenied"),
    "BatchEntryIdsNotDistinct": ErrorForm(400, f"{_LEGACY}BatchEntryIdsNotDistinct"),
    "BatchRequestTooLong": ErrorForm(400, f"{_LEGACY}BatchRequestTooLong"),
    "EmptyBatchRequest": ErrorForm(400, f"{_LEGACY}EmptyBatchRequest"),
    "InvalidAddress": ErrorForm(404),
    "InvalidBatchEntryId": ErrorForm(400, f"{_LEGACY}InvalidBatchEntryId"),
    "InvalidParameterValueException": ErrorForm(400, "InvalidParameterValue"),
    "MessageNotInflight": ErrorForm(400, f"{_LEGACY}MessageNotInflight"),
    "MissingRequiredParameterException": ErrorForm(400, "MissingParameter"),
    "OverLimit": ErrorForm(403),
    "PurgeQueueInProgress": ErrorForm(403, f"{_LEGACY}PurgeQueueInProgress"),
    "QueueDeletedRecently": ErrorForm(400, f"{_LEGACY}QueueDeletedRecently"),
    "QueueDoesNotExist": ErrorForm(400, f"{_LEGACY}NonExistentQueue"),
    "QueueNameExists": ErrorForm(400, "QueueAlreadyExists"),
    "ResourceNotFoundException": ErrorForm(404),
    "TooManyEntriesInBatchRequest": ErrorForm(400, f"{_LEGACY}TooManyEntriesInBatchRequest"),
    "UnsupportedOperation": ErrorForm(400, f"{_LEGACY}UnsupportedOperation"),
}

ACTIONS: dict[str, Callable[[Sqs, Params, Caller], Params | Awaitable[Params]]] = {
    "AddPermission": queue_actions.add_permission,
    "CancelMessageMoveTask": message_move_task.cancel_message_move_task,
    "ChangeMessageVisibility": message_actions.change_message_visibility,
    "ChangeMessageVisibilityBatch": message_actions.change_message_visibility_batch,
    "CreateQueue": queue_actions.create_queue,
    "DeleteMessage": message_actions.delete_message,
    "DeleteMessageBatch": message_actions.delete_message_batch,
    "DeleteQueue": queue_actions.delete_queue,
    "GetQueueAttributes": queue_actions.get_queue_attributes,
    "GetQueueUrl": queue_actions.get_queue_url,
    "ListDeadLetterSourceQueues": queue_actions.list_dead_letter_source_queues,
    "ListMessageMoveTasks": message_move_task.list_message_move_tasks,
    "ListQueues": queue_actions.list_queues,
    "ListQueueTags": queue_actions.list_queue_tags,
    "PurgeQueue": queue_actions.purge_queue,
    "ReceiveMessage": message_actions.receive_message,
    "RemovePermission": queue_actions.remove_permission,
    "SendMessage": message_actions.send_message,
    "SendMessageBatch": message_actions.send_message_batch,
    "SetQueueAttributes": queue_actions.set_queue_attributes,
    "StartMessageMoveTask": message_move_task.start_message_move_task,
    "TagQueue": queue_actions.tag_queue,
    "UntagQueue": queue_actions.untag_queue,
}


class Sqs:
    """All queues, and who may do what with them."""

    def __init__(
        self, clock: Clock, journal: Journal, *, enforce_policies: bool = True, disorder: Disorder | None = None
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.queues = Queues(clock, journal, disorder)
        self.move_tasks: dict[str, list[MoveTask]] = {}
        self._access = AccessControl(clock, journal, enforce=enforce_policies)
        self._api = Api("sqs", ERROR_FORMS, with_enums=False)
        self.error_form = self._api.error_form

    def service(self) -> Service:
        """SQS for the router."""
        actions = {name: partial(action, self) for name, action in ACTIONS.items()}
        return Service(self._api, actions, "1.0", XMLNS, "com.amazonaws.sqs#", _refuse, _INVALID_TOKEN)

    def find(self, url: str, caller: Caller, action: str) -> QueueRecord:
        """The queue of that URL, if the caller may: its own account unless denied by the policy, others if let."""
        record = self.queues.by_url(url, caller)
        policy = record.attributes.get("Policy", "")
        if not policy and record.account == caller.account:
            return record
        if not self._access.allows_account(policy, caller.account, record.account, f"sqs:{action}", record.queue.arn):
            raise AwsError("AccessDeniedException", f"Access to the resource {url} is denied.")
        return record

    def find_own(self, url: str, caller: Caller, action: str) -> QueueRecord:
        """The queue of that URL for an action that AWS never lets another account do."""
        record = self.queues.by_url(url, caller)
        if record.account != caller.account:
            self._access.note_denied(record.queue.arn, f"{action} by {caller.account}")
            raise AwsError("AccessDeniedException", f"Access to the resource {url} is denied.")
        return record

    def deliver(self, queue_arn: str, entry: Params, principal: Principal, content: Content | None = None) -> str:
        """Send for a service (the entry is SendMessage's input without the URL) and say under which message id.

        `content` is the entry's body and attributes, where the caller sends the same to many queues.

        Raises AwsError: QueueDoesNotExist, AccessDeniedException where the queue's policy does not let the service,
        or what SendMessage itself refuses. Which of these a sender tries again is its own matter.
        """
        record = self.queues.by_arn(queue_arn)
        if record is None:
            raise does_not_exist()
        policy, key = record.attributes.get("Policy", ""), record.attributes.get("KmsMasterKeyId", "")
        codes = ("AccessDeniedException", "KmsAccessDenied")
        self._access.check_delivery(policy, principal, "sqs:SendMessage", queue_arn, kms_key=key, codes=codes)
        message, delay_s = build(entry, record.queue, principal.service or record.account, content)
        record.queue.send(message, delay_s)
        return message.message_id


def _refuse(violations: list[Violation]) -> AwsError:
    """SQS's model asks for nothing but required members, and names the first that is missing as a form would."""
    path = violations[0].path
    if len(path) > 1 and path[0] == "Entries":
        return missing(".".join(("Entry", *map(str, path[1:]))))
    return missing(".".join(map(str, path)))
