"""Visibility timeouts and receipt handles of standard queues."""

from __future__ import annotations

import time

from fidelity.aws import Aws, bodies
from fidelity.behaviour import Group
from fidelity.expect import refused, same, timed
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Visibility and receipt handles")
behaviour = GROUP.behaviour


@behaviour(sqs_guide("sqs-visibility-timeout"))
def hidden_and_back(aws: Aws) -> None:
    """A received message is hidden for the queue's visibility timeout, then visible again."""
    queue = aws.queue(VisibilityTimeout="2")
    queue.send()

    with timed("is back", least_s=1.7):
        queue.one()
        queue.one(10)


@behaviour(sqs_api("ReceiveMessage"))
def own_timeout(aws: Aws) -> None:
    """A receive's visibility timeout overrides the queue's."""
    queue = aws.queue(VisibilityTimeout="600")
    queue.received(VisibilityTimeout=1)

    same("gives", bodies(queue.receive(wait_s=8)), ["b"])


@behaviour(sqs_api("ChangeMessageVisibility"))
def given_back(aws: Aws) -> None:
    """A visibility timeout of 0 makes a message visible at once."""
    queue = aws.queue()

    queue.hide(queue.handle(), 0)

    same("gives", bodies(queue.receive(wait_s=2)), ["b"])


@behaviour(sqs_api("ChangeMessageVisibility"))
def extended(aws: Aws) -> None:
    """A changed visibility timeout counts from the change."""
    queue = aws.queue(VisibilityTimeout="600")
    handle = queue.handle()

    with timed("is back", least_s=1.7):
        queue.hide(handle, 2)
        queue.one(10)


@behaviour(sqs_api("ChangeMessageVisibility"))
def twelve_hours_in_all(aws: Aws) -> None:
    """The 12 hours count from the receive: 43,200 seconds more are rejected a second later."""
    queue = aws.queue()
    handle = queue.handle()
    time.sleep(1.5)

    refused("InvalidParameterValue", queue.hide, says="beyond the limit", handle=handle, timeout_s=43_200)


@behaviour(sqs_api("ChangeMessageVisibility"))
def change_out_of_range(aws: Aws) -> None:
    """A visibility timeout of more than 43,200 seconds is rejected."""
    queue = aws.queue()
    refused("InvalidParameterValue", queue.hide, handle=queue.handle(), timeout_s=43_201)


@behaviour(sqs_api("ChangeMessageVisibility", recorded=True))
def change_of_the_deleted(aws: Aws) -> None:
    """Changing the visibility of a deleted message is rejected."""
    queue = aws.queue()
    message = queue.received()
    queue.delete(message)

    refused("InvalidParameterValue", queue.hide, handle=message["ReceiptHandle"], timeout_s=5)


@behaviour(sqs_api("DeleteMessage"))
def deleted_twice(aws: Aws) -> None:
    """A deleted message can be deleted again without an error."""
    queue = aws.queue()
    message = queue.received()

    for _ in range(2):
        queue.delete(message)

    same("counts", queue.counts(), (0, 0, 0))


@behaviour(sqs_api("DeleteMessage"))
def older_handle(aws: Aws) -> None:
    """The handle of an earlier receive deletes the message too."""
    queue = aws.queue()
    older = queue.received(VisibilityTimeout=0)
    queue.one(VisibilityTimeout=600)

    queue.delete(older)

    same("counts", queue.counts(), (0, 0, 0))


@behaviour(sqs_guide("sqs-visibility-timeout"))
def late_delete(aws: Aws) -> None:
    """After its visibility timeout a message can still be deleted."""
    queue = aws.queue()
    message = queue.received(VisibilityTimeout=1)
    time.sleep(1.5)

    queue.delete(message)

    same("counts", queue.counts(), (0, 0, 0))


@behaviour(sqs_api("DeleteMessage"))
def no_handle(aws: Aws) -> None:
    """A text that is not a receipt handle is rejected (ReceiptHandleIsInvalid)."""
    refused("ReceiptHandleIsInvalid", aws.sqs.delete_message, QueueUrl=aws.queue().url, ReceiptHandle="no handle")


@behaviour(sqs_api("DeleteMessage"))
def handle_of_another_queue(aws: Aws) -> None:
    """A handle of another queue is rejected (ReceiptHandleIsInvalid)."""
    handle = aws.queue().handle()
    refused("ReceiptHandleIsInvalid", aws.sqs.delete_message, QueueUrl=aws.queue().url, ReceiptHandle=handle)


@behaviour(sqs_guide("sqs-visibility-timeout", recorded=True))
def back_before_later_ones(aws: Aws) -> None:
    """A message that becomes visible again is received before one that was sent meanwhile."""
    queue = aws.queue()
    handle = queue.received("first")["ReceiptHandle"]
    queue.send("second")

    queue.hide(handle, 0)

    same("gives", queue.bodies(2, within_s=2), ["first", "second"])
