"""Publishing as boto3 sees it: limits of messages, attributes and batches, with AWS's errors.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from localbus_support import ACCOUNT, new_queue, refused

INVALID = "InvalidParameter"
KIB = 1024
TEXT = {"DataType": "String", "StringValue": "v"}
NO_DEFAULT = "Message Structure - No default entry in JSON message body"
TOKEN = "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Message": ""}, "Empty message"),
        ({"Subject": ""}, "Subject"),
        ({"Subject": "x" * 101}, "Subject"),
        ({"Subject": "a\nb"}, "Subject"),
        ({"Message": "x" * (256 * KIB + 1)}, "Message too long"),
        ({"Message": "x" * (256 * KIB - 8), "MessageAttributes": {"name": TEXT}}, "Message too long"),
        ({"MessageStructure": "json", "Message": '{"sqs": "x"}'}, NO_DEFAULT),
        ({"MessageStructure": "json", "Message": '{"default": {"a": 1}}'}, NO_DEFAULT),
        ({"MessageStructure": "json", "Message": "{"}, "Message Structure - JSON message body failed to parse"),
        ({"MessageDeduplicationId": "x"}, f"{TOKEN} for this topic type"),
    ],
)
def test_invalid_messages(shared_sns: Any, shared_topic: str, given: Any, reason: str) -> None:
    """Each limit has AWS's message (API_Publish)."""
    error = refused(shared_sns.publish, **({"TopicArn": shared_topic, "Message": "m"} | given))

    assert error == (INVALID, f"Invalid parameter: {reason}")


def test_required_parameters_of_a_fifo_topic(sns: Any) -> None:
    """A message needs a group, and an id unless the content is one (fifo-message-dedup, in the guide)."""
    group = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    identity = (
        "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly"
    )
    topic = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    given: dict[str, Any] = {"TopicArn": topic, "Message": "m"}
    assert refused(sns.publish, **given) == (INVALID, group)
    assert refused(sns.publish, **given, MessageGroupId="g") == (INVALID, identity)
    entries = [{"Id": "1", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}]
    entries.append({"Id": "2", "Message": "m", "MessageGroupId": "g"})
    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == (INVALID, identity)

    assert sns.publish(**given, MessageGroupId="g", MessageDeduplicationId="d")["SequenceNumber"]


EMPTY = "The message attribute 'a' must contain non-empty message attribute value for message attribute type"


@pytest.mark.parametrize(
    ("name", "attribute", "message"),
    [
        ("a", {"DataType": "String", "StringValue": ""}, f"{EMPTY} 'String'."),
        ("a", {"DataType": "String"}, f"{EMPTY} 'String'."),
        ("a", {"DataType": "Binary", "BinaryValue": b""}, f"{EMPTY} 'Binary'."),
        (
            "a",
            {"DataType": "Number", "BinaryValue": b"1"},
            "The message attribute 'a' with type 'Number' must use field 'String'.",
        ),
        (
            "a",
            {"DataType": "Binary", "StringValue": "x"},
            "The message attribute 'a' with type 'Binary' must use field 'Binary'.",
        ),
        (
            "a",
            {"DataType": "string.prefix", "StringValue": "x"},
            "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String.",
        ),
        ("a" * 257, TEXT, "Length of message attribute name must be less than 256 bytes."),
        (
            "a^b",
            TEXT,
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
            "alphanumeric characters, hyphens, underscores, or dots.",
        ),
        (".a", TEXT, "Invalid message attribute name starting with character '.' was found."),
        ("a.", TEXT, "Invalid message attribute name ending with character '.' was found."),
        ("a..b", TEXT, "Message attribute name can not have successive '.' character."),
    ],
)
def test_invalid_attributes(shared_sns: Any, shared_topic: str, name: str, attribute: Any, message: str) -> None:
    """Publish and the whole of a PublishBatch fail alike (recorded of AWS)."""
    entry, error = {"Message": "m", "MessageAttributes": {name: attribute}}, ("ParameterValueInvalid", message)

    assert refused(shared_sns.publish, TopicArn=shared_topic, **entry) == error
    batch = {"TopicArn": shared_topic, "PublishBatchRequestEntries": [{"Id": "1", **entry}]}
    assert refused(shared_sns.publish_batch, **batch) == error


def test_a_missing_member_is_named_by_its_path(localbus: Localbus, topic: str) -> None:
    """The path has `member` after a number and after a name in a map (recorded of AWS)."""
    entry = "PublishBatchRequestEntries.member.1"
    form = {
        "Action": "PublishBatch",
        "Version": "2010-03-31",
        "TopicArn": topic,
        f"{entry}.Id": "1",
        f"{entry}.Message": "m",
        f"{entry}.MessageAttributes.entry.1.Name": "attr1",
        f"{entry}.MessageAttributes.entry.1.Value.StringValue": "x",
    }

    answer = httpx.post(localbus.url, data=form)

    assert answer.status_code == 400
    assert "<Code>ValidationError</Code>" in answer.text
    path = "publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType"
    constraint = "failed to satisfy constraint: Member must not be null"
    assert f"1 validation error detected: Value null at '{path}' {constraint}" in answer.text


BAD_ID = "The Id of a batch entry in the batch request"


@pytest.mark.parametrize(
    ("ids", "code", "message"),
    [
        ([], "EmptyBatchRequest", "The batch request doesn't contain any entries."),
        (range(11), "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."),
        ([1, 1], "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."),
        (["a b"], "InvalidBatchEntryId", f"{BAD_ID} contains an impermissible character: a b"),
        (["a" * 81], "InvalidBatchEntryId", f"{BAD_ID} is too long: {'a' * 81}"),
    ],
)
def test_invalid_batches(shared_sns: Any, shared_topic: str, ids: Any, code: str, message: str) -> None:
    """A batch has one to ten entries with different ids (API_PublishBatch)."""
    entries = [{"Id": str(one), "Message": "m"} for one in ids]

    error = refused(shared_sns.publish_batch, TopicArn=shared_topic, PublishBatchRequestEntries=entries)

    assert error == (code, message)


def test_a_batch_has_at_most_256_kib(sns: Any, topic: str) -> None:
    """Its attributes count (API_PublishBatch)."""
    entries: list[dict[str, Any]] = [{"Id": str(n), "Message": "x" * (128 * KIB)} for n in range(2)]
    assert len(sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)["Successful"]) == 2
    entries[0]["MessageAttributes"] = {"a": TEXT}

    error = refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)

    text = "The length of all the messages put together is more than the limit."
    assert error == ("BatchRequestTooLong", text)


def test_a_topic_for_large_messages(localbus: Localbus, sns: Any, topic: str) -> None:
    """It accepts up to a mebibyte for queues and functions (large-message-payloads, in the guide)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="MaximumMessageSize", AttributeValue="1048576")

    sns.publish(TopicArn=topic, Message="x" * (1024 * KIB))

    assert len(queue.bodies()[0]) == 1024 * KIB
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    assert refused(sns.subscribe, **given)[0] == INVALID


def test_an_entry_fails_alone(localbus: Localbus, sns: Any, topic: str) -> None:
    """An invalid message does not stop the others (API_PublishBatch)."""
    queue = new_queue(localbus, "q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    entries = [{"Id": "good", "Message": "m"}, {"Id": "bad", "Message": ""}]

    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    failed = {"Id": "bad", "Code": INVALID, "Message": "Invalid parameter: Empty message", "SenderFault": True}
    assert answer["Failed"] == [failed]
    assert queue.bodies() == ["m"]


@pytest.mark.parametrize("name", ["AWS.SNS.SMS.SMSType", "AWS.SNS.MOBILE.APNS.TTL", "AWS.MM.SMS.EntityId"])
def test_reserved_attributes(shared_sns: Any, shared_topic: str, name: str) -> None:
    """Of the names that start with AWS, those of push services and text messages are accepted (sms_publish)."""
    for target in ({"TopicArn": shared_topic}, {"PhoneNumber": "+15551234567"}):
        assert shared_sns.publish(**target, Message="m", MessageAttributes={name: TEXT})["MessageId"]
    wrong = {"TopicArn": shared_topic, "Message": "m", "MessageAttributes": {"AWS.other": TEXT}}
    assert refused(shared_sns.publish, **wrong)[0] == "ParameterValueInvalid"


@pytest.mark.parametrize("number", ["+1a234", "NAA+15551234567"])
def test_invalid_phone_numbers(shared_sns: Any, number: str) -> None:
    """A number must have the form of E.164 (API_Publish)."""
    message = f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"

    assert refused(shared_sns.publish, PhoneNumber=number, Message="m") == (INVALID, message)


def test_targets(shared_sns: Any, shared_topic: str) -> None:
    """TargetArn accepts a topic as well, and requires a device to exist (API_Publish)."""
    assert shared_sns.publish(TargetArn=shared_topic, Message="m")["MessageId"]
    endpoint = f"arn:aws:sns:us-east-1:{ACCOUNT}:endpoint/GCM/app/0"
    message = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"
    assert refused(shared_sns.publish, TargetArn=endpoint, Message="m") == (INVALID, message)
    assert refused(shared_sns.publish, Message="m")[0] == INVALID
