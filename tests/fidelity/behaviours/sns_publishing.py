"""Publishing: limits of messages and batches."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws, attribute
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sns_api, sns_guide

GROUP = Group("SNS", "Publishing")
behaviour = GROUP.behaviour
_INVALID = "InvalidParameter"
_KIB = 1024


_PUBLISH = sns_api("Publish", recorded=True)
_publish = GROUP.refusals("sns.publish", _INVALID, _PUBLISH, TopicArn=Aws.topic, Message="m")


def _message(key: str, statement: str, says: str, **given: Any) -> None:
    _publish(key, f"{statement} is rejected", says, **given)


_message("empty_message", "An empty message", "Empty message", Message="")
_message("empty_subject", "An empty subject", "Subject", Subject="")
_message("long_subject", "A subject of 101 characters", "Subject", Subject="x" * 101)
_message("subject_with_a_break", "A subject with a line break", "Subject", Subject="a\nb")
_message("long_message", "A message of 256 KiB and a byte", "Message too long", Message="x" * (256 * _KIB + 1))
_message(
    "attributes_count",
    "A message that is too long with its attributes",
    "Message too long",
    Message="x" * (256 * _KIB - 8),
    MessageAttributes={"name": attribute("v")},
)
_message(
    "no_default",
    "MessageStructure json without a default text",
    "No default entry",
    MessageStructure="json",
    Message='{"sqs": "x"}',
)
_message(
    "structure_that_is_no_json",
    "MessageStructure json with a text that is not JSON",
    "failed to parse",
    MessageStructure="json",
    Message="{",
)
_message(
    "deduplication_on_standard",
    "A deduplication id on a standard topic",
    "MessageDeduplicationId",
    MessageDeduplicationId="x",
)
_message("bad_number", "An invalid phone number", "not valid to publish to", TopicArn=None, PhoneNumber="+1a234")


def _attribute(key: str, statement: str, name: str, **value: Any) -> None:
    source = sns_api("MessageAttributeValue", recorded=True)
    given = {"source": source, "MessageAttributes": {name: attribute("v") | value}}
    _publish(key, f"{statement} is rejected", code="ParameterValueInvalid", **given)


_attribute("empty_attribute", "An attribute with an empty text", "a", StringValue="")
for _key, _statement, _number in (
    ("number_with_a_sign", "A Number with an underscore", "1_000"),
    ("no_finite_number", "A Number that is NaN", "NaN"),
    ("number_too_large", "A Number of more than 10^126", "1E+400"),
):
    _attribute(_key, _statement, "n", DataType="Number", StringValue=_number)
_attribute("unknown_type", "An attribute of an unknown type", "a", DataType="string.prefix")
_attribute("name_with_a_sign", "An attribute's name with a special character", "a^b")
_attribute("name_with_a_dot", "An attribute's name that starts with a dot", ".a")
_attribute("name_too_long", "An attribute's name of 257 characters", "a" * 257)


@behaviour(_PUBLISH)
def topic_that_is_not_there(aws: Aws) -> None:
    """A topic that does not exist is NotFound (404)."""
    refused("NotFound", aws.sns.publish, status=404, TopicArn=f"{aws.topic()}-not", Message="m")


@behaviour(_PUBLISH)
def malformed_arn(aws: Aws) -> None:
    """A topic that is not an ARN is rejected, with the number of its parts."""
    refused(_INVALID, aws.publish, says="at least 6 elements, not 1", topic="topic")


@behaviour(_PUBLISH)
def topic_as_target(aws: Aws) -> None:
    """TargetArn accepts a topic as well."""
    topic, queue = aws.subscribed_topic()

    aws.sns.publish(TargetArn=topic, Message="m")

    same("delivers", queue.bodies(1), ["m"])


@behaviour(sns_guide("fifo-message-grouping", recorded=True))
def group_required(aws: Aws) -> None:
    """A FIFO topic rejects a message without a group."""
    refused(_INVALID, aws.publish, says="MessageGroupId", topic=aws.fifo_topic(), MessageDeduplicationId="d")


@behaviour(sns_guide("fifo-message-dedup", recorded=True))
def token_required(aws: Aws) -> None:
    """A FIFO topic rejects a message without a deduplication id, unless the content is the id."""
    refused(_INVALID, aws.publish, says="ContentBasedDeduplication", topic=aws.fifo_topic(), MessageGroupId="g")


def _batch(key: str, statement: str, ids: list[str], code: str, message: str = "m") -> None:
    entries = [{"Id": one, "Message": message} for one in ids]
    row = GROUP.refusals("sns.publish_batch", code, sns_api("PublishBatch", recorded=True), TopicArn=Aws.topic)
    row(key, f"{statement} is rejected ({code})", PublishBatchRequestEntries=entries)


_batch("empty_batch", "An empty batch", [], "EmptyBatchRequest")
_batch("eleven_entries", "A batch of eleven", [str(number) for number in range(11)], "TooManyEntriesInBatchRequest")
_batch("same_ids", "A batch with an id twice", ["a", "a"], "BatchEntryIdsNotDistinct")
_batch("bad_id", "A batch with a special character in an id", ["a b"], "InvalidBatchEntryId")
_batch(
    "batch_too_long", "A batch of more than 256 KiB in total", ["0", "1"], "BatchRequestTooLong", "x" * (128 * _KIB + 1)
)


@behaviour(sns_api("PublishBatch"))
def partial_failure(aws: Aws) -> None:
    """A bad entry of a batch is reported as the sender's fault; the others are published."""
    topic, queue = aws.subscribed_topic()
    entries = [{"Id": "good", "Message": "m"}, {"Id": "bad", "Message": ""}]

    answer = aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    same("publishes", [one["Id"] for one in answer.get("Successful", [])], ["good"])
    failed = [(one["Id"], one["Code"], one["SenderFault"]) for one in answer.get("Failed", [])]
    same("tells", failed, [("bad", _INVALID, True)])
    same("delivers", queue.bodies(1), ["m"])


@behaviour(sns_guide("large-message-payloads"))
def larger_topic(aws: Aws) -> None:
    """A topic with MaximumMessageSize 1048576 accepts a message of 1 MiB."""
    topic, queue = aws.subscribed_topic()
    aws.set_topic(topic, "MaximumMessageSize", "1048576")

    aws.publish(topic, "x" * (1024 * _KIB))

    holds([len(body) for body in queue.bodies(1)] == [1024 * _KIB], "does not deliver it")


@behaviour(sns_api("Publish"))
def sequence_number(aws: Aws) -> None:
    """A FIFO topic returns a sequence number of 20 digits."""
    given = {"Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}

    same("answers one of length", len(aws.sns.publish(TopicArn=aws.fifo_topic(), **given)["SequenceNumber"]), 20)
