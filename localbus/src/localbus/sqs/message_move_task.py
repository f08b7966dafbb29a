"""Moving the messages of a dead-letter queue back to where they came from, or elsewhere, at a rate one may choose.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from localbus.clock import Clock, Wake
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs.errors import invalid, refusal
from localbus.sqs.message import Message
from localbus.sqs.registry import QueueRecord

if TYPE_CHECKING:
    from localbus.sqs.state import Sqs

MAX_RATE = 500
MAX_RESULTS = 10
_UNRATED_CHUNK = 500

Find = Callable[[str], QueueRecord | None]


class MoveTask:
    """One task. With a rate, message n moves n/rate seconds after the start; without, as fast as can be."""

    def __init__(self, source: QueueRecord, destination_arn: str | None, rate: int | None, clock: Clock) -> None:
        self.task_id = new_id()
        self.source = source
        self.destination_arn = destination_arn
        self.rate = rate
        self.status: Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"] = "RUNNING"
        self.failure_reason: str | None = None
        self.started_at = clock.now()
        self.to_move = source.queue.counts().visible
        self.moved = 0
        self._clock = clock
        self._wake: Wake | None = None

    def start(self, find: Find) -> None:
        """Begin to move."""
        self._find = find
        self._plan()

    def cancel(self) -> None:
        """Stop; what has been moved stays moved."""
        self.status = "CANCELLED"
        if self._wake is not None:
            self._wake.cancel()

    def handle(self) -> str:
        """The text by which the task is called off."""
        document = {"taskId": self.task_id, "sourceArn": self.source.queue.arn}
        return base64.b64encode(json.dumps(document).encode()).decode()

    def document(self) -> Params:
        """The task as ListMessageMoveTasks shows it; only one that runs has a handle."""
        known = {
            "TaskHandle": self.handle() if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source.queue.arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure_reason,
            "StartedTimestamp": int(self.started_at * 1000),
        }
        return {name: value for name, value in known.items() if value is not None}

    def _plan(self) -> None:
        if self.rate is None:
            self._wake = asyncio.get_running_loop().call_soon(self._move_some)
        else:
            self._wake = self._clock.call_at(self.started_at + (self.moved + 1) / self.rate, self._move_some)

    def _move_some(self) -> None:
        for _ in range(_UNRATED_CHUNK if self.rate is None else 1):
            if self.status == "RUNNING":
                self._move_one()
        if self.status == "RUNNING":
            self._plan()

    def _move_one(self) -> None:
        message = self.source.queue.take_out() if self.moved < self.to_move else None
        if message is None:
            self.status = "COMPLETED"
            return
        arn = self.destination_arn or message.source_arn
        destination = self._find(arn) if arn else None
        if destination is None:
            self.source.queue.put_dead_letter(message, message.source_arn or "")
            self.status = "FAILED"
            self.failure_reason = "AWS.SimpleQueueService.NonExistentQueue" if arn else "CouldNotDetermineMessageSource"
            return
        destination.queue.send(_anew(message), 0)
        self.moved += 1


def _anew(message: Message) -> Message:
    """A message that is moved back counts as a new one, with a new id and age."""
    return Message(
        new_id(),
        message.body,
        sender_id=message.sender_id,
        attributes=message.attributes,
        trace_header=message.trace_header,
        group_id=message.group_id,
        deduplication_id=message.deduplication_id,
    )


def start_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """StartMessageMoveTask."""
    source = _named(sqs, params, "SourceArn")
    destination_arn = params.get("DestinationArn")
    if destination_arn is not None:
        _named(sqs, params, "DestinationArn")
    rate = params.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= MAX_RATE:
        reason = f"Must be between 1 and {MAX_RATE}, if provided."
        raise refusal("MaxNumberOfMessagesPerSecond", str(rate), reason)
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
    source = _named(sqs, params, "SourceArn")
    most = params.get("MaxResults", 1)
    if not 1 <= most <= MAX_RESULTS:
        raise refusal("MaxResults", str(most), f"Must be between 1 and {MAX_RESULTS}, if provided.")
    tasks = sqs.move_tasks.get(source.queue.arn, [])
    return {"Results": [task.document() for task in reversed(tasks)][:most]}


def cancel_message_move_task(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """CancelMessageMoveTask."""
    try:
        document = json.loads(base64.b64decode(params["TaskHandle"], validate=True))
        task_id, source_arn = str(document["taskId"]), str(document["sourceArn"])
    except (binascii.Error, ValueError, KeyError, TypeError) as exc:
        raise invalid("Value for parameter TaskHandle is invalid.") from exc
    _named(sqs, {"SourceArn": source_arn}, "SourceArn")
    for task in sqs.move_tasks.get(source_arn, []):
        if task.task_id == task_id and task.status == "RUNNING":
            task.cancel()
            return {"ApproximateNumberOfMessagesMoved": task.moved}
    raise AwsError("ResourceNotFoundException", "Task does not exist.")


def _named(sqs: Sqs, params: Params, name: str) -> QueueRecord:
    record = sqs.queues.by_arn(params[name])
    if record is None:
        text = f"The resource that you specified for the {name} parameter doesn't exist."
        raise AwsError("ResourceNotFoundException", text)
    return record
