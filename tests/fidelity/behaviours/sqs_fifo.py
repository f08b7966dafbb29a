"""FIFO queues: groups, order, deduplication."""

from __future__ import annotations

import time

from fidelity.aws import Aws, attribute, bodies
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same, timed
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "FIFO queues")
behaviour = GROUP.behaviour
_IDS = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
_LOGIC = sqs_guide("FIFO-queues-understanding-logic")


@behaviour(sqs_api("SendMessage", recorded=True))
def group_required(aws: Aws) -> None:
    """A message without a group is rejected (MissingParameter)."""
    refused("MissingParameter", aws.fifo().send, says="MessageGroupId", MessageDeduplicationId="d")


@behaviour(sqs_api("SendMessage", recorded=True))
def token_required(aws: Aws) -> None:
    """A message without a deduplication id is rejected, unless the queue has ContentBasedDeduplication."""
    refused("InvalidParameterValue", aws.fifo().send, says="ContentBasedDeduplication", MessageGroupId="g")


@behaviour(sqs_guide("sqs-message-timers", recorded=True))
def no_own_delay(aws: Aws) -> None:
    """A delay of a single message is rejected."""
    refused("InvalidParameterValue", aws.fifo().send, DelaySeconds=2, **_IDS)


@behaviour(sqs_api("SendMessage"))
def long_group(aws: Aws) -> None:
    """A group id of 129 characters is rejected."""
    refused("InvalidParameterValue", aws.fifo().send, **_IDS | {"MessageGroupId": "g" * 129})


@behaviour(sqs_api("SendMessage", recorded=True))
def empty_deduplication_id(aws: Aws) -> None:
    """An empty deduplication id is rejected for its length, not as a missing one."""
    refused("InvalidParameterValue", aws.fifo().send, says="1 to 128", **_IDS | {"MessageDeduplicationId": ""})


@behaviour(sqs_api("ReceiveMessage", recorded=True))
def fifo_attributes(aws: Aws) -> None:
    """Group, deduplication id and sequence number are shown; the sequence number is the sender's."""
    queue = aws.fifo()
    sent = queue.send("b", **_IDS)

    shown = queue.one(MessageSystemAttributeNames=["All"])["Attributes"]

    same("shows", (shown["MessageGroupId"], shown["MessageDeduplicationId"]), ("g", "d"))
    same("shows", shown["SequenceNumber"], sent["SequenceNumber"])


@behaviour(_LOGIC)
def order_in_a_group(aws: Aws) -> None:
    """The messages of a group are received in the order of sending."""
    queue = aws.filled("a1", "a2", "a3", "a4")

    same("gives", queue.bodies(4), ["a1", "a2", "a3", "a4"])


@behaviour(_LOGIC)
def batch_from_one_group(aws: Aws) -> None:
    """A receive takes as many messages of one group as it can before it goes to another."""
    queue = aws.filled("a1", "b1", "a2", "b2")

    same("gives", bodies(queue.receive(3)), ["a1", "a2", "b1"])


@behaviour(_LOGIC)
def group_blocked(aws: Aws) -> None:
    """While a message of a group is in flight, later ones of the group wait; other groups do not."""
    queue = aws.filled("a1", "a2", "b1")
    queue.one()

    same("gives", bodies(queue.receive(10)), ["b1"])


@behaviour(_LOGIC)
def group_freed(aws: Aws) -> None:
    """A delete of the message in flight releases the rest of its group."""
    queue = aws.filled("a1", "a2")
    queue.delete(queue.one())

    same("gives", bodies(queue.receive(10)), ["a2"])


@behaviour(_LOGIC)
def order_through_a_timeout(aws: Aws) -> None:
    """A message that becomes visible again is the first of its group."""
    queue = aws.filled("a1", "a2", "a3")
    queue.receive(2, VisibilityTimeout=1)
    time.sleep(1.5)

    same("gives", bodies(queue.receive(10, wait_s=3)), ["a1", "a2", "a3"])


@behaviour(sqs_api("ChangeMessageVisibility", recorded=True))
def kept_longer(aws: Aws) -> None:
    """Of three messages of a group of which the second is still in flight, only the first is received again."""
    queue = aws.filled("g1", "g2", "g3", ContentBasedDeduplication="true", VisibilityTimeout="1")

    queue.hide(queue.receive()[1]["ReceiptHandle"], 30)
    time.sleep(1.5)

    same("gives", bodies(queue.receive(wait_s=2)), ["g1"])


@behaviour(sqs_guide("FIFO-queues-exactly-once-processing"))
def sent_twice(aws: Aws) -> None:
    """The same deduplication id within five minutes is sent once; the second answer equals the first."""
    queue = aws.fifo()
    first, second = queue.send("first", **_IDS), queue.send("second", **_IDS)

    same("gives", queue.bodies(1), ["first"])
    holds(first["MessageId"] == second["MessageId"], "answers another message id")
    holds(first["SequenceNumber"] == second["SequenceNumber"], "answers another sequence number")


@behaviour(sqs_guide("using-messagededuplicationid-property", recorded=True))
def sent_again_after_delete(aws: Aws) -> None:
    """A deduplication id applies for five minutes even if its message was deleted."""
    queue = aws.filled("a1")
    queue.delete(queue.one())

    queue.fill("a1")

    same("gives", bodies(queue.receive(10)), [])


@behaviour(sqs_guide("FIFO-queues-exactly-once-processing"))
def content_based(aws: Aws) -> None:
    """ContentBasedDeduplication uses the body, not the attributes."""
    queue = aws.fifo(ContentBasedDeduplication="true")
    for number in ("1", "2"):
        queue.send("same", MessageGroupId="g", MessageAttributes={"n": attribute(number, "Number")})

    same("gives", queue.bodies(1), ["same"])


@behaviour(sqs_guide("FIFO-queues-exactly-once-processing"))
def own_token_first(aws: Aws) -> None:
    """An explicit deduplication id overrides the content's."""
    queue = aws.fifo(ContentBasedDeduplication="true")
    for token in ("1", "2"):
        queue.send("same", MessageGroupId="g", MessageDeduplicationId=token)

    same("gives", queue.bodies(2), ["same", "same"])


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def token_counts_for_the_queue(aws: Aws) -> None:
    """A deduplication id applies to the whole queue by default."""
    queue = aws.fifo()
    for group in ("a", "b"):
        queue.send(group, MessageGroupId=group, MessageDeduplicationId="d")

    same("gives", queue.bodies(1), ["a"])


@behaviour(sqs_api("SetQueueAttributes"))
def token_counts_for_the_group(aws: Aws) -> None:
    """With DeduplicationScope messageGroup a deduplication id applies to each group."""
    queue = aws.fifo(DeduplicationScope="messageGroup")
    for group in ("a", "b"):
        queue.send(group, MessageGroupId=group, MessageDeduplicationId="d")

    same("gives", sorted(queue.bodies(2)), ["a", "b"])


@behaviour(sqs_api("SetQueueAttributes"))
def throughput_needs_its_scope(aws: Aws) -> None:
    """FifoThroughputLimit perMessageGroupId is rejected while the deduplication scope is the queue."""
    refused("InvalidAttributeValue", aws.fifo().set, FifoThroughputLimit="perMessageGroupId")


@behaviour(sqs_api("SendMessage"))
def sequence_numbers(aws: Aws) -> None:
    """Sequence numbers have 20 digits and grow."""
    queue = aws.fifo()
    numbers = [queue.send(one, MessageGroupId="g", MessageDeduplicationId=one)["SequenceNumber"] for one in "abc"]

    holds(all(len(number) == 20 for number in numbers), f"gives {numbers[0]}")
    same("gives", [int(number) for number in numbers], sorted({int(number) for number in numbers}))


@behaviour(sqs_api("DeleteMessage", recorded=True))
def expired_handle(aws: Aws) -> None:
    """After the visibility timeout a handle does not delete; the error says that it has expired."""
    queue = aws.filled("a1")
    message = queue.one(VisibilityTimeout=1)
    time.sleep(1.5)

    refused("InvalidParameterValue", queue.delete, says="has expired", message=message)


@behaviour(sqs_api("ReceiveMessage"))
def retried_receive(aws: Aws) -> None:
    """A receive with the same attempt id returns the same messages and handles again."""
    queue = aws.filled("a1", "a2")

    first, again = (queue.receive(1, ReceiveRequestAttemptId="attempt") for _ in range(2))

    same("gives", bodies(again), ["a1"])
    holds(first[0]["ReceiptHandle"] == again[0]["ReceiptHandle"], "gives another handle")


@behaviour(sqs_api("ReceiveMessage"))
def spent_attempt(aws: Aws) -> None:
    """An attempt id is rejected once a message of its receive was deleted."""
    queue = aws.filled("a1")
    queue.delete(queue.one(ReceiveRequestAttemptId="attempt"))

    refused("InvalidParameterValue", queue.receive, says="not retryable", ReceiveRequestAttemptId="attempt")


@behaviour(sqs_api("ReceiveMessage"))
def long_attempt_id(aws: Aws) -> None:
    """An attempt id of 129 characters is rejected."""
    refused("InvalidParameterValue", aws.fifo().receive, ReceiveRequestAttemptId="x" * 129)


@behaviour(sqs_guide("sqs-delay-queues"))
def delay_of_the_queue(aws: Aws) -> None:
    """A FIFO queue's delay applies to each message."""
    queue = aws.fifo(DelaySeconds="2")

    with timed("comes", least_s=1.7):
        queue.fill("a1")
        queue.one(10)


@behaviour(sqs_api("PurgeQueue", recorded=True))
def purge_forgets(aws: Aws) -> None:
    """After a purge the same deduplication id is accepted again."""
    queue = aws.filled("a1")
    aws.sqs.purge_queue(QueueUrl=queue.url)

    queue.fill("a1")

    same("gives", queue.bodies(1, within_s=2), ["a1"])


@behaviour(_LOGIC)
def delete_out_of_order(aws: Aws) -> None:
    """Deleting the second of two messages in flight does not let a third pass the first."""
    queue = aws.filled("a1", "a2", "a3")

    queue.delete(queue.receive(2)[1])

    same("gives", bodies(queue.receive(10)), [])
