"""A task that moves the messages of a dead-letter queue to their source queues or to another queue (redrive).

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Literal

from localbus.clock import Clock, TimerHandle
from localbus.ids import new_id
from localbus.protocol.service_model import Params
from localbus.sqs.message import Message
from localbus.sqs.registry import QueueRecord

_UNRATED_CHUNK = 500

Find = Callable[[str], QueueRecord | None]


class MoveTask:
    """A move task. With a rate, message n moves n/rate seconds after the start; without one, as fast as possible."""

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
        self._timer: TimerHandle | None = None

    def start(self, find: Find) -> None:
        """Start to move messages; `find` returns a queue by its ARN."""
        self._find = find
        self._schedule()

    def cancel(self) -> None:
        """Stop. Messages that have been moved are not moved back."""
        self.status = "CANCELLED"
        if self._timer is not None:
            self._timer.cancel()

    def handle(self) -> str:
        """Return the TaskHandle for CancelMessageMoveTask."""
        document = {"taskId": self.task_id, "sourceArn": self.source.queue.arn}
        return base64.b64encode(json.dumps(document).encode()).decode()

    def document(self) -> Params:
        """Return the task as ListMessageMoveTasks does. Only a running task has a handle."""
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

    def _schedule(self) -> None:
        if self.rate is None:
            self._timer = asyncio.get_running_loop().call_soon(self._move_some)
        else:
            self._timer = self._clock.call_at(self.started_at + (self.moved + 1) / self.rate, self._move_some)

    def _move_some(self) -> None:
        for _ in range(_UNRATED_CHUNK if self.rate is None else 1):
            if self.status == "RUNNING":
                self._move_one()
        if self.status == "RUNNING":
            self._schedule()

    def _move_one(self) -> None:
        message = self.source.queue.pop() if self.moved < self.to_move else None
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
        destination.queue.send(_as_new(message), 0)
        self.moved += 1


def _as_new(message: Message) -> Message:
    """Return a copy with a new id; it also gets a new enqueue time."""
    return Message(
        new_id(),
        message.body,
        sender_id=message.sender_id,
        attributes=message.attributes,
        trace_header=message.trace_header,
        group_id=message.group_id,
        deduplication_id=message.deduplication_id,
    )
