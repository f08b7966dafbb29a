"""Moves the messages of a dead-letter queue back to the queue that they came from."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import ClientError
from orderboard_contracts.alert import NotAnAlert, parse_alert
from orderboard_contracts.events import CancellationRequested, NotAnEvent, OrderPlaced, parse_event
from orderboard_contracts.routing import priority_of
from orderboard_stack.outputs import StackOutputs

from orderboard.errors import RigError, UsageError
from orderboard.orders.queues import BATCH, depth, make_visible

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import (
        ListMessageMoveTasksResultEntryTypeDef,
        MessageSystemAttributeValueTypeDef,
        MessageTypeDef,
    )

Progress = Callable[[int, int], None]
Way = Literal["message move task", "receive, send, delete"]

_POLL_S: Final = 0.5
_HIDDEN_WHILE_MOVING_S: Final = 60
# Error codes of backends that do not have the operation.
_UNKNOWN_OPERATION: Final = frozenset(
    ("InvalidAction", "UnknownOperationException", "NotImplemented", "InternalFailure")
)


@dataclass(frozen=True)
class Redrive:
    """A dead-letter queue, and the queue that its messages came from; None: each message has its own."""

    source: str
    destination: str | None


@dataclass(frozen=True)
class Redriven:
    """The result: messages moved, by which way, and those left because they do not name their queue."""

    source: str
    destination: str | None
    moved: int
    left: int
    way: Way

    def __str__(self) -> str:
        destination = self.destination or "the queues that they were sent to"
        return f"Moved {self.moved:,} {_messages(self.moved)} from {self.source} to {destination} ({self.way})."


def plan(queue: str, outputs: StackOutputs) -> Redrive:
    """Resolve `work`, `work-dlq` or the full name of either; raise UsageError for anything else."""
    pairs = outputs.queue_pairs
    for name, (of_role, dlq) in pairs.items():
        source, destination = (of_role, None) if dlq is None else (dlq, of_role)
        if queue in (name, f"{name}-dlq", source, destination):
            return Redrive(source, destination)
    raise UsageError(f"Unknown queue {queue!r}. Expected one of {', '.join(pairs)}, or a full name.")


def redrive(sqs: "SQSClient", planned: Redrive, outputs: StackOutputs, progress: Progress) -> Redriven:
    """Move every message that is there now. Each is deleted only after its copy was sent, so none can be lost."""
    source_url = sqs.get_queue_url(QueueName=planned.source)["QueueUrl"]
    if planned.destination is not None:
        moved = _by_move_task(sqs, source_url, planned.destination, progress)
        if moved is not None:
            return Redriven(planned.source, planned.destination, moved, 0, "message move task")
    moved, left = _by_copying(sqs, source_url, planned, outputs, progress)
    return Redriven(planned.source, planned.destination, moved, left, "receive, send, delete")


def destination_of(message: "MessageTypeDef", outputs: StackOutputs) -> str | None:
    """The queue that an undelivered message was sent to; None when it does not say so.

    EventBridge records the target. What SNS could not deliver is an alert, or a command whose priority names the queue.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    target = message.get("MessageAttributes", {}).get("TARGET_ARN")
    if target is not None:
        name = target.get("StringValue", "").rpartition(":")[2]
        return name if name in outputs.queues else None
    return _inbox(message["Body"], outputs) or _queue_of_a_command(message["Body"], outputs)


def _inbox(body: str, outputs: StackOutputs) -> str | None:
    """Only the inbox gets alerts as such: e-mail, webhooks and phones get them in an SNS envelope."""
    try:
        parse_alert(body)
    except NotAnAlert:
        return None
    return outputs.inbox_queue


def _queue_of_a_command(body: str, outputs: StackOutputs) -> str | None:
    try:
        event = parse_event(body)
    except NotAnEvent:
        return None
    if not isinstance(event, OrderPlaced | CancellationRequested):
        return None
    return outputs.express_queue if priority_of(event) == "express" else outputs.work_queue


def _by_move_task(sqs: "SQSClient", source_url: str, destination: str, progress: Progress) -> int | None:
    """Have SQS move the messages; return how many, or None if the backend cannot."""
    source_arn = _arn(sqs, source_url)
    destination_arn = _arn(sqs, sqs.get_queue_url(QueueName=destination)["QueueUrl"])
    try:
        sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=destination_arn)
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _UNKNOWN_OPERATION:
            return None
        raise
    while True:
        listed = sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=1)["Results"]
        task: ListMessageMoveTasksResultEntryTypeDef = listed[0] if listed else {}
        moved = task.get("ApproximateNumberOfMessagesMoved", 0)
        progress(moved, task.get("ApproximateNumberOfMessagesToMove", moved))
        match task.get("Status"):
            case "COMPLETED":
                return moved
            case "FAILED" | "CANCELLED":
                raise RigError(
                    f"SQS stopped the move after {moved} {_messages(moved)}: {task.get('FailureReason', 'cancelled')}"
                )
        time.sleep(_POLL_S)


def _by_copying(
    sqs: "SQSClient", source_url: str, planned: Redrive, outputs: StackOutputs, progress: Progress
) -> tuple[int, int]:
    # Only as many as are there now: a message that fails again comes back here, and would be moved forever.
    total = depth(sqs, source_url).visible
    urls: dict[str, str] = {}
    moved, left = 0, list[str]()
    progress(0, total)
    while moved + len(left) < total:
        messages = sqs.receive_message(
            QueueUrl=source_url,
            MaxNumberOfMessages=min(BATCH, total - moved - len(left)),
            VisibilityTimeout=_HIDDEN_WHILE_MOVING_S,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["AWSTraceHeader"],
        ).get("Messages", [])
        if not messages:
            break
        for message in messages:
            name = planned.destination or destination_of(message, outputs)
            if name is None:
                left.append(message["ReceiptHandle"])
                continue
            if name not in urls:
                urls[name] = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            sqs.send_message(
                QueueUrl=urls[name],
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
                MessageSystemAttributes=_trace_header(message),
            )
            sqs.delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
            progress(moved, total)
    make_visible(sqs, source_url, left)
    return moved, len(left)


def _trace_header(message: "MessageTypeDef") -> "dict[Literal['AWSTraceHeader'], MessageSystemAttributeValueTypeDef]":
    """The X-Ray header of a message as the input of SendMessage; without it the trace would end here."""
    text = message.get("Attributes", {}).get("AWSTraceHeader")
    return {"AWSTraceHeader": {"DataType": "String", "StringValue": text}} if text else {}


def _messages(count: int) -> str:
    return "message" if count == 1 else "messages"


def _arn(sqs: "SQSClient", queue_url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
