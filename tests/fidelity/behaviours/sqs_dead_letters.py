"""Dead-letter queues: redrive policies, and the messages that move."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws, Queue, bodies
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Dead-letter queues")
behaviour = GROUP.behaviour
_GUIDE = sqs_guide("sqs-dead-letter-queues")


def scene(aws: Aws, receives: int = 1) -> tuple[Queue, Queue]:
    """A queue and its dead-letter queue."""
    dead = aws.queue()
    return aws.queue(**aws.dead_letters(dead, receives)), dead


def _refused(aws: Aws, policy: dict[str, Any]) -> None:
    given = {"QueueUrl": aws.queue().url, "Attributes": {"RedrivePolicy": json.dumps(policy)}}
    refused("InvalidParameterValue", aws.sqs.set_queue_attributes, **given)


@behaviour(_GUIDE)
def moves(aws: Aws) -> None:
    """A message that was received maxReceiveCount times moves to the dead-letter queue when it comes up again."""
    queue, dead = scene(aws, 2)
    queue.send()
    for _ in range(2):
        queue.one(VisibilityTimeout=0)

    same("gives", bodies(queue.receive()), [])
    same("moves", dead.bodies(1, within_s=3), ["b"])


@behaviour(_GUIDE)
def identity(aws: Aws) -> None:
    """A dead letter keeps its message id, body and attributes."""
    queue, dead = scene(aws)
    attributes = {"a": {"DataType": "String", "StringValue": "1"}}
    sent = queue.send("b", MessageAttributes=attributes)
    queue.one(VisibilityTimeout=0)
    queue.receive()

    letter = dead.one(3, MessageAttributeNames=["All"])

    same("gives", (letter["Body"], letter.get("MessageAttributes")), ("b", attributes))
    holds(letter["MessageId"] == sent["MessageId"], "gives another message id")


@behaviour(_GUIDE)
def age_of_standard(aws: Aws) -> None:
    """On a standard queue a dead letter keeps the time at which it was sent."""
    queue, dead = scene(aws)
    queue.send()
    sent = queue.one(VisibilityTimeout=1, AttributeNames=["All"])["Attributes"]["SentTimestamp"]
    queue.receive(wait_s=2)

    shown = dead.one(3, AttributeNames=["All"])["Attributes"]["SentTimestamp"]

    holds(shown == sent, "begins a new time")


@behaviour(_GUIDE)
def age_of_fifo(aws: Aws) -> None:
    """On a FIFO queue a dead letter gets a new sent time."""
    dead = aws.fifo()
    queue = aws.fifo(**aws.dead_letters(dead))
    queue.send("b", MessageGroupId="g", MessageDeduplicationId="d")
    sent = queue.one(VisibilityTimeout=1, AttributeNames=["All"])["Attributes"]["SentTimestamp"]
    queue.receive(wait_s=2)

    shown = dead.one(3, AttributeNames=["All"])["Attributes"]["SentTimestamp"]

    holds(int(shown) > int(sent), "keeps the time at which it was sent")


@behaviour(sqs_api("ReceiveMessage"))
def its_source(aws: Aws) -> None:
    """A dead letter names its source queue (DeadLetterQueueSourceArn)."""
    queue, dead = scene(aws)
    queue.send()
    queue.one(VisibilityTimeout=0)
    queue.receive()

    shown = dead.one(3, AttributeNames=["All"])["Attributes"]

    same("tells", shown.get("DeadLetterQueueSourceArn"), queue.arn)


@behaviour(_GUIDE)
def fifo_group_goes_on(aws: Aws) -> None:
    """After a message of a FIFO group has moved, the group's next message is received."""
    queue = aws.fifo(**aws.dead_letters(aws.fifo()))
    for body in ("a1", "a2"):
        queue.send(body, MessageGroupId="g", MessageDeduplicationId=body)
    queue.one(VisibilityTimeout=0)

    same("gives", bodies(queue.receive(wait_s=2)), ["a2"])


@behaviour(_GUIDE)
def missing_target(aws: Aws) -> None:
    """A dead-letter queue that does not exist is rejected."""
    _refused(aws, {"deadLetterTargetArn": f"{aws.queue().arn}-not", "maxReceiveCount": 1})


@behaviour(sqs_api("CreateQueue", recorded=True))
def target_that_is_no_arn(aws: Aws) -> None:
    """A target that is not an ARN is rejected, and the error names it."""
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": "dummy", "maxReceiveCount": 42})}
    given = {"QueueName": aws.name(), "Attributes": policy}

    refused("InvalidParameterValue", aws.sqs.create_queue, says="Invalid value for deadLetterTargetArn", **given)


@behaviour(_GUIDE)
def other_type(aws: Aws) -> None:
    """A FIFO queue is rejected as the dead-letter queue of a standard queue."""
    _refused(aws, {"deadLetterTargetArn": aws.fifo().arn, "maxReceiveCount": 1})


def _count(name: str, value: int) -> None:
    def check(aws: Aws) -> None:
        _refused(aws, {"deadLetterTargetArn": aws.queue().arn, "maxReceiveCount": value})

    GROUP.add(name, f"maxReceiveCount {value:,} is rejected", sqs_api("SetQueueAttributes"), check)


_count("count_of_zero", 0)
_count("count_too_large", 1001)


@behaviour(sqs_api("SetQueueAttributes"))
def no_count(aws: Aws) -> None:
    """A redrive policy without maxReceiveCount is rejected."""
    _refused(aws, {"deadLetterTargetArn": aws.queue().arn})


@behaviour(sqs_api("SetQueueAttributes"))
def unwilling(aws: Aws) -> None:
    """A queue whose RedriveAllowPolicy is denyAll is rejected as a dead-letter queue."""
    dead = aws.queue(RedriveAllowPolicy={"redrivePermission": "denyAll"})

    _refused(aws, {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})


@behaviour(sqs_api("SetQueueAttributes"))
def willing_for_another(aws: Aws) -> None:
    """With byQueue only the named queues may send their dead letters."""
    allowed = aws.queue()
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [allowed.arn]}
    dead = aws.queue(RedriveAllowPolicy=allow)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}

    _refused(aws, policy)
    aws.sqs.set_queue_attributes(QueueUrl=allowed.url, Attributes={"RedrivePolicy": json.dumps(policy)})


@behaviour(sqs_api("ListDeadLetterSourceQueues"))
def sources(aws: Aws) -> None:
    """ListDeadLetterSourceQueues lists the source queues of a dead-letter queue."""
    queue, dead = scene(aws)

    same("lists", aws.sqs.list_dead_letter_source_queues(QueueUrl=dead.url).get("queueUrls"), [queue.url])


@behaviour(sqs_api("GetQueueAttributes"))
def policy_shown(aws: Aws) -> None:
    """The redrive policy is shown as it was set."""
    queue, dead = scene(aws, 7)

    shown = json.loads(queue.attributes("RedrivePolicy")["RedrivePolicy"])

    same("shows", shown, {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 7})
