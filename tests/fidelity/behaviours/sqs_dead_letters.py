"""Dead-letter queues: redrive policies, and the messages that move."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fidelity.aws import Aws, Queue, attribute, bodies
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import Source, sqs_api, sqs_guide

GROUP = Group("SQS", "Dead-letter queues")
behaviour = GROUP.behaviour
_SET = sqs_api("SetQueueAttributes")
_GUIDE = sqs_guide("sqs-dead-letter-queues")


def _dead_letter(queue: Queue, dead: Queue) -> dict[str, Any]:
    """Receive the queue's message once; return it when it has moved to the dead-letter queue."""
    queue.one(VisibilityTimeout=0)
    queue.receive()
    return dead.one(3, MessageAttributeNames=["All"], AttributeNames=["All"])


def _sent_times(queue: Queue, dead: Queue) -> tuple[str, str]:
    """Return the sent time of the queue's message, and of the dead letter that it becomes a second later."""
    sent = queue.one(VisibilityTimeout=1, AttributeNames=["All"])["Attributes"]["SentTimestamp"]
    queue.receive(wait_s=2)
    return sent, dead.one(3, AttributeNames=["All"])["Attributes"]["SentTimestamp"]


def _policy(target: str, count: int = 1) -> dict[str, Any]:
    return {"deadLetterTargetArn": target, "maxReceiveCount": count}


@behaviour(_GUIDE)
def moves(aws: Aws) -> None:
    """A message that was received maxReceiveCount times moves to the dead-letter queue when it comes up again."""
    queue, dead = aws.pair(2)
    queue.send()
    for _ in range(2):
        queue.one(VisibilityTimeout=0)

    same("gives", bodies(queue.receive()), [])
    same("moves", dead.bodies(1, within_s=3), ["b"])


@behaviour(_GUIDE)
def identity(aws: Aws) -> None:
    """A dead letter keeps its message id, body and attributes."""
    queue, dead = aws.pair()
    attributes = {"a": attribute("1")}
    sent = queue.send(MessageAttributes=attributes)

    letter = _dead_letter(queue, dead)

    same("gives", (letter["Body"], letter.get("MessageAttributes")), ("b", attributes))
    holds(letter["MessageId"] == sent["MessageId"], "gives another message id")


@behaviour(_GUIDE)
def age_of_standard(aws: Aws) -> None:
    """On a standard queue a dead letter keeps the time at which it was sent."""
    queue, dead = aws.pair()
    queue.send()

    sent, shown = _sent_times(queue, dead)

    holds(shown == sent, "begins a new time")


@behaviour(_GUIDE)
def age_of_fifo(aws: Aws) -> None:
    """On a FIFO queue a dead letter gets a new sent time."""
    queue, dead = aws.pair(fifo=True)
    queue.send("b", MessageGroupId="g", MessageDeduplicationId="d")

    sent, shown = _sent_times(queue, dead)

    holds(int(shown) > int(sent), "keeps the time at which it was sent")


@behaviour(sqs_guide("sqs-configure-dead-letter-queue-redrive"))
def fifo_deduplication(aws: Aws) -> None:
    """On a FIFO queue a dead letter's deduplication id is its message id."""
    queue, dead = aws.pair(fifo=True)
    sent = queue.send("b", MessageGroupId="g", MessageDeduplicationId="d")

    letter = _dead_letter(queue, dead)

    holds(letter["Attributes"]["MessageDeduplicationId"] == sent["MessageId"], "keeps the sender's id")


@behaviour(sqs_api("ReceiveMessage"))
def its_source(aws: Aws) -> None:
    """A dead letter names its source queue (DeadLetterQueueSourceArn)."""
    queue, dead = aws.pair()
    queue.send()

    same("tells", _dead_letter(queue, dead)["Attributes"].get("DeadLetterQueueSourceArn"), queue.arn)


@behaviour(_GUIDE)
def fifo_group_goes_on(aws: Aws) -> None:
    """After a message of a FIFO group has moved, the group's next message is received."""
    queue, _ = aws.pair(fifo=True)
    queue.fill("a1", "a2")
    queue.one(VisibilityTimeout=0)

    same("gives", bodies(queue.receive(wait_s=2)), ["a2"])


def _refused(key: str, statement: str, source: Source, policy: Callable[[Aws], dict[str, Any]]) -> None:
    """Add a row: a queue refuses a redrive policy."""

    def check(aws: Aws) -> None:
        refused("InvalidParameterValue", aws.queue().set, RedrivePolicy=policy(aws))

    GROUP.add(key, f"{statement} is rejected", source, check)


_refused(
    "missing_target", "A dead-letter queue that does not exist", _GUIDE, lambda aws: _policy(f"{aws.queue().arn}-not")
)


@behaviour(sqs_api("CreateQueue", recorded=True))
def target_that_is_no_arn(aws: Aws) -> None:
    """A target that is not an ARN is rejected, and the error names it."""
    says = "Invalid value for deadLetterTargetArn"
    refused("InvalidParameterValue", aws.queue, says=says, RedrivePolicy=_policy("dummy", 42))


@behaviour(_GUIDE)
def other_type(aws: Aws) -> None:
    """A FIFO queue is rejected as the dead-letter queue of a standard queue."""
    refused("InvalidParameterValue", aws.queue().set, RedrivePolicy=_policy(aws.fifo().arn))


_refused("count_of_zero", "maxReceiveCount 0", _SET, lambda aws: _policy(aws.queue().arn, 0))
_refused("count_too_large", "maxReceiveCount 1,001", _SET, lambda aws: _policy(aws.queue().arn, 1001))
_refused(
    "no_count", "A redrive policy without maxReceiveCount", _SET, lambda aws: {"deadLetterTargetArn": aws.queue().arn}
)


@behaviour(_SET)
def unwilling(aws: Aws) -> None:
    """A queue whose RedriveAllowPolicy is denyAll is rejected as a dead-letter queue."""
    dead = aws.queue(RedriveAllowPolicy={"redrivePermission": "denyAll"})
    refused("InvalidParameterValue", aws.queue().set, RedrivePolicy=_policy(dead.arn))


@behaviour(_SET)
def willing_for_another(aws: Aws) -> None:
    """With byQueue only the named queues may send their dead letters."""
    allowed = aws.queue()
    dead = aws.queue(RedriveAllowPolicy={"redrivePermission": "byQueue", "sourceQueueArns": [allowed.arn]})

    refused("InvalidParameterValue", aws.queue().set, RedrivePolicy=_policy(dead.arn))
    allowed.set(RedrivePolicy=_policy(dead.arn))


@behaviour(sqs_api("ListDeadLetterSourceQueues"))
def sources(aws: Aws) -> None:
    """ListDeadLetterSourceQueues lists the source queues of a dead-letter queue."""
    queue, dead = aws.pair()

    same("lists", aws.sqs.list_dead_letter_source_queues(QueueUrl=dead.url).get("queueUrls"), [queue.url])


@behaviour(sqs_api("GetQueueAttributes"))
def policy_shown(aws: Aws) -> None:
    """The redrive policy is shown as it was set."""
    queue, dead = aws.pair(7)

    shown = json.loads(queue.attributes("RedrivePolicy")["RedrivePolicy"])

    same("shows", shown, {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 7})
