"""SQS as a service: its actions and error codes."""

from __future__ import annotations

from functools import partial

from localbus.errors import AwsError
from localbus.protocol.constraints import Violation
from localbus.protocol.service import Service
from localbus.sqs import message_actions, move_task_actions, queue_actions
from localbus.sqs.errors import missing
from localbus.sqs.state import Sqs

XMLNS = "http://queue.amazonaws.com/doc/2012-11-05/"
_INVALID_TOKEN = ("InvalidParameterValueException", "Invalid or expired next token.")

ACTIONS = {
    "AddPermission": queue_actions.add_permission,
    "CancelMessageMoveTask": move_task_actions.cancel_message_move_task,
    "ChangeMessageVisibility": message_actions.change_message_visibility,
    "ChangeMessageVisibilityBatch": message_actions.change_message_visibility_batch,
    "CreateQueue": queue_actions.create_queue,
    "DeleteMessage": message_actions.delete_message,
    "DeleteMessageBatch": message_actions.delete_message_batch,
    "DeleteQueue": queue_actions.delete_queue,
    "GetQueueAttributes": queue_actions.get_queue_attributes,
    "GetQueueUrl": queue_actions.get_queue_url,
    "ListDeadLetterSourceQueues": queue_actions.list_dead_letter_source_queues,
    "ListMessageMoveTasks": move_task_actions.list_message_move_tasks,
    "ListQueues": queue_actions.list_queues,
    "ListQueueTags": queue_actions.list_queue_tags,
    "PurgeQueue": queue_actions.purge_queue,
    "ReceiveMessage": message_actions.receive_message,
    "RemovePermission": queue_actions.remove_permission,
    "SendMessage": message_actions.send_message,
    "SendMessageBatch": message_actions.send_message_batch,
    "SetQueueAttributes": queue_actions.set_queue_attributes,
    "StartMessageMoveTask": move_task_actions.start_message_move_task,
    "TagQueue": queue_actions.tag_queue,
    "UntagQueue": queue_actions.untag_queue,
}


def service(sqs: Sqs) -> Service:
    """Return SQS for the router."""
    actions = {name: partial(action, sqs) for name, action in ACTIONS.items()}
    return Service(sqs.api, actions, "1.0", XMLNS, "com.amazonaws.sqs#", _validation_error, _INVALID_TOKEN)


def _validation_error(violations: list[Violation]) -> AwsError:
    """Return the error for the first missing member, in a batch such as `SendMessageBatchRequestEntry.1.Id`.

    Required members are the only constraint of SQS's model.
    """
    path, structure = violations[0].path, str(violations[0].value)
    if path[0] == "Entries" and structure.endswith("Entry"):
        path = (structure, *path[1:])
    return missing(".".join(map(str, path)))
