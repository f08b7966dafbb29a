"""Publishing as boto3 sees it: limits of messages, attributes and batches, with AWS's errors.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import new_queue, refused

INVALID = "InvalidParameter"
KIB = 1024
TEXT = {"DataType": "String", "StringValue": "v"}
NO_DEFAULT = "Message Structure - No default entry in JSON message body"
TOKEN = "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid"


EMPTY = "The message attribute 'a' must contain non-empty message attribute value for message attribute type"


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


@pytest.mark.parametrize("name", ["AWS.SNS.SMS.SMSType", "AWS.SNS.MOBILE.APNS.TTL", "AWS.MM.SMS.EntityId"])
def test_reserved_attributes(shared_sns: Any, shared_topic: str, name: str) -> None:
    """Of the names that start with AWS, those of push services and text messages are accepted (sms_publish)."""
    for target in ({"TopicArn": shared_topic}, {"PhoneNumber": "+15551234567"}):
        assert shared_sns.publish(**target, Message="m", MessageAttributes={name: TEXT})["MessageId"]


def test_a_topic_as_target(shared_sns: Any, shared_topic: str) -> None:
    """TargetArn accepts a topic as well (API_Publish)."""
    assert shared_sns.publish(TargetArn=shared_topic, Message="m")["MessageId"]


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
