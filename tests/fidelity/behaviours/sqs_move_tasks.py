"""Message move tasks (redrive)."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws, Queue
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Message move tasks")
behaviour = GROUP.behaviour


def _with_letters(aws: Aws, number: int) -> tuple[Queue, Queue]:
    """Create a queue and its dead-letter queue with a number of dead letters."""
    queue, dead = aws.pair()
    for body in range(number):
        queue.send(str(body))
    for _ in range(2):
        queue.receive(10, VisibilityTimeout=0)
    eventually(lambda: dead.counts()[0] == number, "moves no dead letters", 3)
    return queue, dead


def _ends(aws: Aws, dead: Queue, status: str) -> dict[str, Any]:
    """Return the latest task once it has the status."""

    def task() -> dict[str, Any]:
        return dict(aws.sqs.list_message_move_tasks(SourceArn=dead.arn)["Results"][0])

    eventually(lambda: task()["Status"] == status, f"does not become {status}")
    return task()


@behaviour(sqs_api("StartMessageMoveTask"))
def back_to_the_source(aws: Aws) -> None:
    """Without a destination dead letters go back to their source queue."""
    queue, dead = _with_letters(aws, 3)

    aws.sqs.start_message_move_task(SourceArn=dead.arn)

    same("brings", sorted(queue.bodies(3)), ["0", "1", "2"])


@behaviour(sqs_api("StartMessageMoveTask"))
def to_a_destination(aws: Aws) -> None:
    """With a destination dead letters go there."""
    _, dead = _with_letters(aws, 2)
    other = aws.queue()

    aws.sqs.start_message_move_task(SourceArn=dead.arn, DestinationArn=other.arn)

    same("brings", sorted(other.bodies(2)), ["0", "1"])


@behaviour(sqs_guide("sqs-configure-dead-letter-queue-redrive"))
def as_new_messages(aws: Aws) -> None:
    """A moved message is a new one: its receive count starts again."""
    queue, dead = _with_letters(aws, 1)

    aws.sqs.start_message_move_task(SourceArn=dead.arn)

    same("counts", queue.one(AttributeNames=["All"])["Attributes"]["ApproximateReceiveCount"], "1")


@behaviour(sqs_guide("sqs-configure-dead-letter-queue-redrive"))
def within_five_minutes(aws: Aws) -> None:
    """A dead letter of a FIFO queue goes back within five minutes: its source does not take it for a duplicate."""
    queue, dead = aws.pair(fifo=True)
    queue.send(MessageGroupId="g", MessageDeduplicationId="same")
    queue.one(VisibilityTimeout=0)
    queue.receive()
    eventually(lambda: dead.counts()[0] == 1, "moves no dead letter", 3)

    aws.sqs.start_message_move_task(SourceArn=dead.arn)

    _ends(aws, dead, "COMPLETED")
    same("brings", queue.bodies(1, within_s=3), ["b"])


@behaviour(sqs_guide("sqs-configure-dead-letter-queue-redrive"))
def of_one_type(aws: Aws) -> None:
    """A move from a standard dead-letter queue to a FIFO queue is rejected, and nothing moves."""
    _, dead = _with_letters(aws, 1)
    given = {"SourceArn": dead.arn, "DestinationArn": aws.fifo().arn}

    refused("InvalidParameterValue", aws.sqs.start_message_move_task, **given)

    same("leaves", dead.counts()[0], 1)


@behaviour(sqs_api("ListMessageMoveTasks", recorded=True))
def ended_task(aws: Aws) -> None:
    """A finished task is COMPLETED, shows how many messages it moved, and has no handle."""
    _, dead = _with_letters(aws, 2)
    aws.sqs.start_message_move_task(SourceArn=dead.arn)

    task = _ends(aws, dead, "COMPLETED")

    same("tells", task.get("ApproximateNumberOfMessagesMoved"), 2)
    holds("TaskHandle" not in task, "shows a handle")


@behaviour(sqs_api("CancelMessageMoveTask"))
def cancelled(aws: Aws) -> None:
    """A task with a rate can be cancelled; the remaining messages stay."""
    _, dead = _with_letters(aws, 8)
    task = aws.sqs.start_message_move_task(SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=1)

    aws.sqs.cancel_message_move_task(TaskHandle=task["TaskHandle"])

    _ends(aws, dead, "CANCELLED")
    holds(dead.counts()[0] > 0, "has moved all")


@behaviour(sqs_api("StartMessageMoveTask", recorded=True))
def one_at_a_time(aws: Aws) -> None:
    """A second task while one runs is rejected."""
    _, dead = _with_letters(aws, 8)
    aws.sqs.start_message_move_task(SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=1)

    refused("InvalidParameterValue", aws.sqs.start_message_move_task, says="already a task running", SourceArn=dead.arn)


@behaviour(sqs_api("StartMessageMoveTask", recorded=True))
def no_dead_letter_queue(aws: Aws) -> None:
    """A source that is not a dead-letter queue is rejected."""
    arn = aws.queue().arn
    refused("InvalidParameterValue", aws.sqs.start_message_move_task, says="Dead Letter Queue", SourceArn=arn)


@behaviour(sqs_api("StartMessageMoveTask", recorded=True))
def no_destination(aws: Aws) -> None:
    """A destination that does not exist is rejected (ResourceNotFoundException)."""
    _, dead = aws.pair()
    given = {"SourceArn": dead.arn, "DestinationArn": f"{dead.arn}-not"}

    refused("ResourceNotFoundException", aws.sqs.start_message_move_task, **given)


@behaviour(sqs_api("CancelMessageMoveTask", recorded=True))
def handle_that_is_none(aws: Aws) -> None:
    """Cancelling with an invalid handle is rejected."""
    refused("InvalidParameterValue", aws.sqs.cancel_message_move_task, says="TaskHandle", TaskHandle="foobar")
