"""Queue attributes: defaults, ranges, and GetQueueAttributes."""

from __future__ import annotations

import time

from fidelity.aws import Aws, new_url
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Attributes of a queue")
behaviour = GROUP.behaviour
_SET = sqs_api("SetQueueAttributes")


def _default(name: str, value: str, what: str) -> None:
    def check(aws: Aws) -> None:
        same("shows", aws.queue().attributes(name).get(name), value)

    GROUP.add(f"default_{name}", f"By default {what} ({name})", _SET, check)


_default("VisibilityTimeout", "30", "a message is hidden for 30 seconds")
_default("MessageRetentionPeriod", "345600", "a message is retained for four days")
_default("MaximumMessageSize", "1048576", "a message has at most 1 MiB")
_default("SqsManagedSseEnabled", "true", "SQS encrypts with its own keys")


def _range(name: str, value: str, what: str) -> None:
    def check(aws: Aws) -> None:
        refused("InvalidAttributeValue", aws.queue().set, says=name, **{name: value})

    GROUP.add(f"range_{name}", f"{name} {what} is rejected", _SET, check)


_range("DelaySeconds", "901", "of more than 900")
_range("VisibilityTimeout", "43201", "of more than 43,200 (12 hours)")
_range("MessageRetentionPeriod", "59", "of less than 60")
_range("MaximumMessageSize", "1023", "of less than 1,024")
_range("ReceiveMessageWaitTimeSeconds", "21", "of more than 20")


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def unknown_attribute(aws: Aws) -> None:
    """Setting an attribute that does not exist is rejected with InvalidAttributeName."""
    refused("InvalidAttributeName", aws.queue().set, says="Unknown Attribute Nonsense", Nonsense="1")


@behaviour(sqs_api("GetQueueAttributes"))
def unknown_attribute_asked_for(aws: Aws) -> None:
    """A request for an attribute that does not exist is rejected with InvalidAttributeName."""
    refused("InvalidAttributeName", aws.sqs.get_queue_attributes, QueueUrl=new_url(aws), AttributeNames=["Nonsense"])


@behaviour(sqs_api("GetQueueAttributes"))
def only_what_is_asked(aws: Aws) -> None:
    """Only the requested attributes are shown."""
    shown = aws.queue().attributes("VisibilityTimeout", "DelaySeconds")

    same("shows", shown, {"VisibilityTimeout": "30", "DelaySeconds": "0"})


@behaviour(_SET)
def read_only_attribute(aws: Aws) -> None:
    """An attribute that cannot be set, such as QueueArn, is rejected."""
    refused("InvalidAttributeName", aws.queue().set, QueueArn="arn")


@behaviour(sqs_api("GetQueueAttributes"))
def last_modified(aws: Aws) -> None:
    """LastModifiedTimestamp is the time of the last change."""
    queue = aws.queue()
    time.sleep(2)
    queue.set(DelaySeconds="1")

    shown = queue.attributes("CreatedTimestamp", "LastModifiedTimestamp")

    holds(int(shown["LastModifiedTimestamp"]) > int(shown["CreatedTimestamp"]), "stays at the creation")


@behaviour(_SET)
def empty_text_removes(aws: Aws) -> None:
    """An empty text removes a redrive policy."""
    queue, _ = aws.pair()

    queue.set(RedrivePolicy="")

    holds("RedrivePolicy" not in queue.attributes(), "keeps it")


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def two_encryptions(aws: Aws) -> None:
    """KMS and SQS's own encryption at the same time are rejected."""
    given = {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}
    refused("InvalidAttributeName", aws.queue, says="one type of server-side encryption", **given)


@behaviour(_SET)
def key_instead(aws: Aws) -> None:
    """A KMS key turns SQS's own encryption off, and without it its reuse period is not shown."""
    names = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled")
    queue = aws.queue(KmsMasterKeyId="alias/aws/sqs", KmsDataKeyReusePeriodSeconds="60")
    same("shows", queue.attributes(*names), dict(zip(names, ("alias/aws/sqs", "60", "false"), strict=True)))

    queue.set(SqsManagedSseEnabled="true")

    same("then shows", queue.attributes(*names), {"SqsManagedSseEnabled": "true"})


@behaviour(_SET)
def reuse_period(aws: Aws) -> None:
    """A queue with a KMS key shows a reuse period of 300 seconds by default."""
    name = "KmsDataKeyReusePeriodSeconds"
    same("shows", aws.queue(KmsMasterKeyId="alias/aws/sqs").attributes(name), {name: "300"})


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def high_throughput_on_standard(aws: Aws) -> None:
    """DeduplicationScope is rejected on a standard queue, as one for FIFO queues only."""
    says = "only when FifoQueue is set to true"
    refused("InvalidAttributeName", aws.queue().set, says=says, DeduplicationScope="queue")


@behaviour(_SET)
def fifo_attribute_on_standard(aws: Aws) -> None:
    """ContentBasedDeduplication is rejected on a standard queue."""
    refused("InvalidAttributeName", aws.queue().set, ContentBasedDeduplication="true")


@behaviour(sqs_api("SetQueueAttributes", recorded=True))
def queue_type_stays(aws: Aws) -> None:
    """A FIFO queue cannot become a standard one."""
    says = "Modifying queue type is not supported"
    refused("InvalidAttributeValue", aws.fifo().set, says=says, FifoQueue="false")


@behaviour(sqs_api("GetQueueAttributes"))
def counts(aws: Aws) -> None:
    """The approximate numbers count visible, hidden and delayed messages separately."""
    queue = aws.queue()
    queue.received("in flight")
    queue.send("visible")
    queue.send("delayed", DelaySeconds=60)

    same("counts", queue.counts(), (1, 1, 1))


@behaviour(sqs_guide("sqs-delay-queues"))
def standard_delay_is_not_retroactive(aws: Aws) -> None:
    """A changed delay of a standard queue does not apply to the messages in it."""
    queue = aws.queue(DelaySeconds="60")
    queue.send("delayed")

    queue.set(DelaySeconds="0")

    same("counts", queue.counts(), (0, 0, 1))


@behaviour(sqs_guide("sqs-delay-queues"))
def fifo_delay_is_retroactive(aws: Aws) -> None:
    """A changed delay of a FIFO queue also applies to the messages in it."""
    queue = aws.fifo(DelaySeconds="60", ContentBasedDeduplication="true")
    queue.send("delayed", MessageGroupId="g")

    queue.set(DelaySeconds="0")

    same("gives", queue.bodies(1, within_s=2), ["delayed"])
