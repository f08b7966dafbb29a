"""SQS actions on message move tasks: start, list and cancel.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import binascii
import json

from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs.errors import invalid, invalid_value
from localbus.sqs.message_move_task import MoveTask
from localbus.sqs.registry import QueueRecord
from localbus.sqs.state import MAX_MOVE_TASKS, Sqs

MAX_RATE = 500


def start_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """StartMessageMoveTask."""
    source = _find(sqs, params, "SourceArn", caller)
    destination_arn = params.get("DestinationArn")
    if destination_arn is not None:
        _check_destination(sqs, source, params, caller)
    rate = params.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= MAX_RATE:
        reason = f"Must be between 1 and {MAX_RATE}, if provided."
        raise invalid_value("MaxNumberOfMessagesPerSecond", str(rate), reason)
    if not sqs.queues.sources_of(source):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    tasks = _tasks(sqs, source)
    if tasks and tasks[-1].status == "RUNNING":
        text = (
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
        raise invalid(text)
    task = MoveTask(source, destination_arn, rate, sqs.clock, sqs.storage)
    sqs.add_move_task(task)
    task.start(sqs.queues.by_arn)
    return {"TaskHandle": task.handle()}


def list_message_move_tasks(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ListMessageMoveTasks."""
    source = _find(sqs, params, "SourceArn", caller)
    most = params.get("MaxResults", 1)
    if not 1 <= most <= MAX_MOVE_TASKS:
        raise invalid_value("MaxResults", str(most), f"Must be between 1 and {MAX_MOVE_TASKS}, if provided.")
    return {"Results": [task.document() for task in reversed(_tasks(sqs, source))][:most]}


def cancel_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """CancelMessageMoveTask."""
    try:
        document = json.loads(base64.b64decode(params["TaskHandle"], validate=True))
        task_id, source_arn = str(document["taskId"]), str(document["sourceArn"])
    except (binascii.Error, ValueError, KeyError, TypeError) as exc:
        raise invalid("Value for parameter TaskHandle is invalid.") from exc
    source = _find(sqs, {"SourceArn": source_arn}, "SourceArn", caller)
    for task in _tasks(sqs, source):
        if task.task_id == task_id and task.status == "RUNNING":
            task.cancel()
            return {"ApproximateNumberOfMessagesMoved": task.moved}
    raise AwsError("ResourceNotFoundException", "Task does not exist.")


def _find(sqs: Sqs, params: Params, name: str, caller: Caller) -> QueueRecord:
    """Return the queue of an ARN. It must be the caller's: no policy permits these actions to another account.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
    """
    arn: str = params[name]
    record = sqs.queues.by_arn(arn)
    if record is None or record.region != caller.region:
        text = f"The resource that you specified for the {name} parameter doesn't exist."
        raise AwsError("ResourceNotFoundException", text)
    sqs.check_own(record, arn, caller, "StartMessageMoveTask")
    return record


def _check_destination(sqs: Sqs, source: QueueRecord, params: Params, caller: Caller) -> None:
    """Raise AwsError unless messages of the source may move there.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    destination = _find(sqs, params, "DestinationArn", caller)
    if destination is source:
        raise invalid("Source queue arn and destination queue arn cannot be the same.")
    if destination.queue.is_fifo != source.queue.is_fifo:
        raise invalid("The source queue and destination queue must be of the same queue type.")


def _tasks(sqs: Sqs, source: QueueRecord) -> list[MoveTask]:
    """Return the queue's tasks, oldest first, without those of a deleted queue of its name."""
    return [task for task in sqs.move_tasks.get(source.queue.arn, ()) if task.source is source]
