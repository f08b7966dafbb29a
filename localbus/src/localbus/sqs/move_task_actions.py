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
from localbus.sqs.state import Sqs

MAX_RATE = 500
MAX_RESULTS = 10


def start_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """StartMessageMoveTask."""
    source = _find(sqs, params, "SourceArn")
    destination_arn = params.get("DestinationArn")
    if destination_arn is not None:
        _find(sqs, params, "DestinationArn")
    rate = params.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= MAX_RATE:
        reason = f"Must be between 1 and {MAX_RATE}, if provided."
        raise invalid_value("MaxNumberOfMessagesPerSecond", str(rate), reason)
    if not sqs.queues.sources_of(source):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    tasks = sqs.move_tasks.setdefault(source.queue.arn, [])
    if tasks and tasks[-1].status == "RUNNING":
        text = (
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
        raise invalid(text)
    task = MoveTask(source, destination_arn, rate, sqs.clock)
    tasks.append(task)
    del tasks[:-MAX_RESULTS]
    task.start(sqs.queues.by_arn)
    return {"TaskHandle": task.handle()}


def list_message_move_tasks(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ListMessageMoveTasks."""
    source = _find(sqs, params, "SourceArn")
    most = params.get("MaxResults", 1)
    if not 1 <= most <= MAX_RESULTS:
        raise invalid_value("MaxResults", str(most), f"Must be between 1 and {MAX_RESULTS}, if provided.")
    tasks = sqs.move_tasks.get(source.queue.arn, [])
    return {"Results": [task.document() for task in reversed(tasks)][:most]}


def cancel_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """CancelMessageMoveTask."""
    try:
        document = json.loads(base64.b64decode(params["TaskHandle"], validate=True))
        task_id, source_arn = str(document["taskId"]), str(document["sourceArn"])
    except (binascii.Error, ValueError, KeyError, TypeError) as exc:
        raise invalid("Value for parameter TaskHandle is invalid.") from exc
    _find(sqs, {"SourceArn": source_arn}, "SourceArn")
    for task in sqs.move_tasks.get(source_arn, []):
        if task.task_id == task_id and task.status == "RUNNING":
            task.cancel()
            return {"ApproximateNumberOfMessagesMoved": task.moved}
    raise AwsError("ResourceNotFoundException", "Task does not exist.")


def _find(sqs: Sqs, params: Params, name: str) -> QueueRecord:
    record = sqs.queues.by_arn(params[name])
    if record is None:
        text = f"The resource that you specified for the {name} parameter doesn't exist."
        raise AwsError("ResourceNotFoundException", text)
    return record
