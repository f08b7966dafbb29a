"""Topics as boto3 sees them, with AWS's errors.

Pages are those of https://docs.aws.amazon.com/sns/latest/api/ unless another is named; error messages were recorded of
AWS.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, refused

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
INVALID = "InvalidParameter"


def test_a_topic_and_its_attributes(sns: Any, topic: str, fifo_topic: str) -> None:
    """A new topic allows its owner everything, and retries HTTP endpoints three times (API_GetTopicAttributes)."""
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]

    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    assert set(attributes) == {
        *("TopicArn", "Owner", "DisplayName", "Policy", "EffectiveDeliveryPolicy"),
        *("SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending"),
    }
    [statement] = json.loads(attributes["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    assert json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3
    assert sns.get_topic_attributes(TopicArn=fifo_topic)["Attributes"]["FifoTopic"] == "true"
    plain = sns.create_topic(Name="plain.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=plain)["Attributes"]["ContentBasedDeduplication"] == "false"


def test_a_topic_is_created_once(sns: Any) -> None:
    """Creating it again returns it, unless something differs (API_CreateTopic)."""
    assert sns.create_topic(Name="a" * 256)["TopicArn"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    created = sns.create_topic(Name="t", Tags=tags, Attributes={"DisplayName": "T"})["TopicArn"]

    assert sns.create_topic(Name="t")["TopicArn"] == created
    assert sns.create_topic(Name="t", Tags=tags[:1], Attributes={"DisplayName": "T"})["TopicArn"] == created
    for given, reason in (
        ({"Tags": [{"Key": "a", "Value": "2"}]}, "Tags Reason: Topic already exists with different tags"),
        (
            {"Attributes": {"DisplayName": "U"}},
            "Attributes Reason: Topic already exists with different attributes",
        ),
    ):
        assert refused(sns.create_topic, Name="t", **given) == (INVALID, f"Invalid parameter: {reason}")


def test_a_topic_with_an_archive_is_not_deleted(sns: Any, fifo_topic: str) -> None:
    """Its archive policy must be removed first (message-archiving-and-replay-topic-owner); then it can, even twice."""
    given = {"TopicArn": fifo_topic, "AttributeName": "ArchivePolicy"}
    sns.set_topic_attributes(**given, AttributeValue='{"MessageRetentionPeriod": "30"}')
    error = ("InvalidState", "Invalid state: Cannot delete a topic with an ArchivePolicy")
    assert refused(sns.delete_topic, TopicArn=fifo_topic) == error

    sns.set_topic_attributes(**given, AttributeValue="{}")
    for _ in range(2):
        sns.delete_topic(TopicArn=fifo_topic)

    assert refused(sns.get_topic_attributes, TopicArn=fifo_topic)[0] == "NotFound"


def test_topics_are_listed_in_pages(sns: Any, localbus: Localbus) -> None:
    """A page has a hundred topics of the caller's account and region (API_ListTopics)."""
    for number in range(120):
        sns.create_topic(Name=f"t{number}")
    localbus.client("sns", region="eu-west-1").create_topic(Name="elsewhere")
    localbus.client("sns", account="111111111111").create_topic(Name="others")

    pages = [page["Topics"] for page in sns.get_paginator("list_topics").paginate()]

    assert [len(page) for page in pages] == [100, 20]
    assert len({one["TopicArn"] for page in pages for one in page}) == 120


def test_tags(sns: Any, topic: str) -> None:
    """Tags are set, listed and removed (API_TagResource)."""
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": "v2"}])
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k2", "Value": "v2b"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["k1"])

    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "k2", "Value": "v2b"}]
    many = [{"Key": str(number), "Value": "v"} for number in range(50)]
    assert refused(sns.tag_resource, ResourceArn=topic, Tags=many)[0] == "TagLimitExceeded"


def test_the_delivery_policy_of_a_topic(sns: Any, topic: str) -> None:
    """AWS stores what is given, completes it in the effective policy, and deletes it for an empty text."""

    def put(policy: Any) -> dict[str, Any]:
        text = json.dumps(policy) if policy else ""
        sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=text)
        attributes: dict[str, Any] = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        return attributes

    policy = {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}
    counts = {"numMaxDelayRetries": 0, "numNoDelayRetries": 0, "numMinDelayRetries": 0}

    attributes = put({"http": {"defaultHealthyRetryPolicy": policy}})

    stored = {"http": {"defaultHealthyRetryPolicy": policy, "disableSubscriptionOverrides": False}}
    assert json.loads(attributes["DeliveryPolicy"]) == stored
    effective = json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
    assert effective == policy | counts | {"backoffFunction": "linear"}
    attributes = put({"http": {"defaultHealthyRetryPolicy": None}})
    assert json.loads(attributes["DeliveryPolicy"]) == {"http": {"disableSubscriptionOverrides": False}}
    assert "DeliveryPolicy" not in put(None)


def test_another_account_needs_a_permission(localbus: Localbus, sns: Any, topic: str) -> None:
    """AddPermission allows it to publish, and RemovePermission ends that (API_AddPermission)."""
    other = localbus.client("sns", account="111111111111")
    code, message = refused(other.publish, TopicArn=topic, Message="m")
    assert code == "AuthorizationError"
    assert f"is not authorized to perform: SNS:Publish on resource: {topic}" in message

    sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish"])
    assert other.publish(TopicArn=topic, Message="m")["MessageId"]

    sns.remove_permission(TopicArn=topic, Label="l")
    assert refused(other.publish, TopicArn=topic, Message="m")[0] == "AuthorizationError"


def test_text_message_settings(sns: Any) -> None:
    """They are stored, and no number has opted out (API_SetSMSAttributes, API_CheckIfPhoneNumberIsOptedOut)."""
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional"})

    assert sns.get_sms_attributes()["attributes"] == {"DefaultSMSType": "Transactional", "MonthlySpendLimit": "1"}
    assert sns.get_sms_attributes(attributes=["MonthlySpendLimit"])["attributes"] == {"MonthlySpendLimit": "1"}
    sns.opt_in_phone_number(phoneNumber="+15551234567")
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+15551234567")["isOptedOut"] is False


@pytest.mark.parametrize("rate", ["101", "-1", "1.5", "x", "٣"])
def test_a_sample_rate_is_a_percentage(sns: Any, topic: str, rate: str) -> None:
    """Delivery logs have a whole number from 0 to 100 (dg/topics-attrib.html); localbus has no such logs."""
    given = {"TopicArn": topic, "AttributeName": "HTTPSuccessFeedbackSampleRate"}
    sns.set_topic_attributes(**given, AttributeValue="100")

    message = f"HTTPSuccessFeedbackSampleRate: Invalid value [{rate}]. Must be between 0 and 100."
    found = refused(sns.set_topic_attributes, **given, AttributeValue=rate)
    assert found == (INVALID, f"Invalid parameter: {message}")
