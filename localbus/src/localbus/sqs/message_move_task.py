"""A task that moves the messages of a dead-letter queue to their source queues or to another queue (redrive).

A move never loses or duplicates a message: it leaves its queue only once the other queue is known, and no queue takes a
moved message for a duplicate. Its size is not checked again, as SendMessage does it.

                 dead-lettering                    move task                        SNS, EventBridge
    message id   kept                              new                              new
    dedup. id    FIFO: the message id              kept                             kept
    group        kept                              kept                             kept (SNS)
    sent time    standard: kept, FIFO: new         new                              new
    receives     kept, maxReceiveCount from 0      0                                0
    order        as they come up                   the oldest first, among          as the deliveries end
                                                   what is sent meanwhile
    delay        none                              the queue's                      the queue's
    cannot go    stays in its queue, and is        stays; the task has FAILED       dropped; the journal says why
    (no queue)   received again

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Literal

from localbus.clock import Clock, TimerHandle
from localbus.ids import new_id
from localbus.protocol.service_model import Params
from localbus.sqs.message import Message
from localbus.sqs.queue import Queue
from localbus.sqs.registry import QueueRecord
from localbus.storage.documents import Document
from localbus.storage.storage import Storage

MOVE_TASK = "sqs.move_task"  # the kind of its record, which belongs to the source queue by its ARN
_UNRATED_CHUNK = 500
_NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
_INTERNAL = "InternalFailure"  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html

log = logging.getLogger("localbus")

Find = Callable[[str], QueueRecord | None]


class MoveTask:
    """A move task. With a rate, message n moves n/rate seconds after the start; without one, as fast as possible."""

    def __init__(
        self, source: QueueRecord, destination_arn: str | None, rate: int | None, clock: Clock, storage: Storage
    ) -> None:
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
        self._storage = storage
        self._timer: TimerHandle | None = None

    def start(self, find: Find) -> None:
        """Start to move messages, or go on after a restart; `find` returns a queue by its ARN."""
        self._find = find
        self.save()
        self._schedule()

    def save(self) -> None:
        """Store the task and its progress."""
        self._storage.save(MOVE_TASK, self.task_id, self._stored, self.source.queue.arn)

    def _stored(self) -> Document:
        """Return the task for the storage. Its source is a queue by number: another may have its name later."""
        return {
            "source": self.source.number,
            "destination_arn": self.destination_arn,
            "rate": self.rate,
            "status": self.status,
            "failure_reason": self.failure_reason,
            "started_at": self.started_at,
            "to_move": self.to_move,
            "moved": self.moved,
        }

    @classmethod
    def restored(cls, task_id: str, stored: Document, source: QueueRecord, clock: Clock, storage: Storage) -> MoveTask:
        """Return a task from the storage, which does not run yet."""
        task = cls(source, stored["destination_arn"], stored["rate"], clock, storage)
        task.task_id, task.status, task.failure_reason = task_id, stored["status"], stored["failure_reason"]
        task.started_at, task.to_move, task.moved = stored["started_at"], stored["to_move"], stored["moved"]
        return task

    def cancel(self) -> None:
        """Stop. Messages that have been moved are not moved back."""
        self.status = "CANCELLED"
        self.save()
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
        try:
            for _ in range(_UNRATED_CHUNK if self.rate is None else 1):
                if self.status == "RUNNING":
                    self._move_one()
        except Exception:  # the boundary of a task: whatever it is, it must not run for ever
            log.exception("move_task.failed", extra={"queue": self.source.queue.arn})
            self._fail(_INTERNAL)
        self.save()
        if self.status == "RUNNING":
            self._schedule()

    def _move_one(self) -> None:
        is_moved = self.moved < self.to_move and self.source.queue.move_next(self._destination_of)
        if is_moved:
            self.moved += 1
        elif self._find(self.source.queue.arn) is not self.source:
            self._fail(_NO_QUEUE)
        elif self.status == "RUNNING":
            self.status = "COMPLETED"

    def _destination_of(self, message: Message) -> Queue | None:
        arn = self.destination_arn or message.source_arn
        destination = self._find(arn) if arn else None
        if destination is None:
            self._fail(_NO_QUEUE if arn else "CouldNotDetermineMessageSource")
            return None
        return destination.queue

    def _fail(self, reason: str) -> None:
        self.status, self.failure_reason = "FAILED", reason
