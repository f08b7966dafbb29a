"""Topics: creation, lists, tags, and attributes."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import ACCOUNT, REGION, Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import sns_api, sns_guide

GROUP = Group("SNS", "Topics")
behaviour = GROUP.behaviour
_INVALID = "InvalidParameter"


@behaviour(sns_api("CreateTopic"))
def created_again(aws: Aws) -> None:
    """Creating a topic again returns its ARN."""
    topic = aws.topic()

    same("gives", aws.sns.create_topic(Name=topic.rpartition(":")[2])["TopicArn"], topic)


_create = GROUP.refusals("sns.create_topic", _INVALID, sns_api("CreateTopic", recorded=True))


def _other(key: str, statement: str, says: str, **given: Any) -> None:
    _create(key, f"{statement} is rejected", says, Name=lambda aws: aws.topic().rpartition(":")[2], **given)


_other(
    "created_with_other_attributes",
    "Creating a topic again with another attribute",
    "already exists with different attributes",
    Attributes={"DisplayName": "other"},
)
_other(
    "created_with_other_tags",
    "Creating a topic again with other tags",
    "already exists with different tags",
    Tags=[{"Key": "k", "Value": "v"}],
)


def _name(key: str, statement: str, name: str) -> None:
    _create(key, f"{statement} is rejected", "Topic Name", Name=name)


_name("name_with_a_colon", "A name with other characters than letters, digits, hyphens and underscores", "a:b")
_name("name_too_long", "A name of 257 characters", "a" * 257)
_create("fifo_without_the_ending", "A FIFO topic whose name lacks .fifo is rejected", "Topic Name", Name="t",
        Attributes={"FifoTopic": "true"})  # fmt: skip
_name("fifo_name_without_attribute", "A name that ends with .fifo without the attribute FifoTopic", "t.fifo")


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def attributes_of_a_new_topic(aws: Aws) -> None:
    """A new topic shows its policy, its effective delivery policy, and counts of subscriptions."""
    shown = aws.topic_attributes(aws.topic())

    counts = {"SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending"}
    names = counts | {"TopicArn", "Owner", "DisplayName", "Policy", "EffectiveDeliveryPolicy"}
    missing, more = sorted(names - set(shown)), sorted(set(shown) - names)
    holds(not missing and not more, f"lacks {missing}, adds {more}")


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def default_policy(aws: Aws) -> None:
    """A new topic's policy allows its owner everything."""
    [statement] = json.loads(aws.topic_attributes(aws.topic())["Policy"])["Statement"]

    same("has the condition", statement.get("Condition"), {"StringEquals": {"AWS:SourceOwner": ACCOUNT}})


def _retries(aws: Aws, topic: str) -> dict[str, Any]:
    """Return a topic's effective policy of retries."""
    policy = json.loads(aws.topic_attributes(topic)["EffectiveDeliveryPolicy"])
    return dict(policy["http"]["defaultHealthyRetryPolicy"])


@behaviour(sns_guide("sns-message-delivery-retries", recorded=True))
def default_retries(aws: Aws) -> None:
    """By default there are three retries for HTTP endpoints, 20 seconds apart."""
    policy = _retries(aws, aws.topic())

    same("says", (policy["numRetries"], policy["minDelayTarget"], policy["maxDelayTarget"]), (3, 20, 20))


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def topic_that_is_not_there(aws: Aws) -> None:
    """A topic that does not exist is NotFound (404)."""
    refused("NotFound", aws.sns.get_topic_attributes, status=404, TopicArn=f"{aws.topic()}-not")


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def malformed_arn(aws: Aws) -> None:
    """A text that is not an ARN is rejected, with the number of its parts."""
    refused(_INVALID, aws.sns.get_topic_attributes, says="at least 6 elements, not 1", TopicArn="topic")


@behaviour(sns_api("DeleteTopic"))
def deleted_twice(aws: Aws) -> None:
    """Deleting a topic that does not exist succeeds."""
    topic = aws.topic()

    for _ in range(2):
        aws.sns.delete_topic(TopicArn=topic)


@behaviour(sns_guide("message-archiving-and-replay-topic-owner"))
def deleted_with_an_archive(aws: Aws) -> None:
    """A topic with an archive policy is not deleted (InvalidState)."""
    topic = aws.fifo_topic(ArchivePolicy='{"MessageRetentionPeriod": "30"}')
    refused("InvalidState", aws.sns.delete_topic, TopicArn=topic)


@behaviour(sns_api("ListTopics"))
def listed(aws: Aws) -> None:
    """ListTopics returns a hundred topics and a token for the next page."""
    for _ in range(101):
        aws.topic()

    page = aws.sns.list_topics()

    same("gives", len(page["Topics"]), 100)
    holds(page.get("NextToken"), "gives no token")


@behaviour(sns_guide("sns-tags"))
def tags(aws: Aws) -> None:
    """Tags are added, overwritten and removed."""
    topic = aws.topic()
    aws.sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    aws.sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "b", "Value": "3"}])
    aws.sns.untag_resource(ResourceArn=topic, TagKeys=["a"])

    same("keeps", aws.sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [{"Key": "b", "Value": "3"}])


@behaviour(sns_api("TagResource", recorded=True))
def same_tag_twice(aws: Aws) -> None:
    """A request that names a tag twice is rejected."""
    tags = [{"Key": "a", "Value": "1"}] * 2
    refused(_INVALID, aws.sns.tag_resource, says="Duplicated keys", ResourceArn=aws.topic(), Tags=tags)


@behaviour(sns_api("ListTagsForResource", recorded=True))
def tags_of_nothing(aws: Aws) -> None:
    """Tags of a topic that does not exist are ResourceNotFound."""
    refused("ResourceNotFound", aws.sns.list_tags_for_resource, ResourceArn=f"{aws.topic()}-not")


_set = GROUP.refusals("sns.set_topic_attributes", _INVALID, sns_api("SetTopicAttributes"), TopicArn=Aws.topic)


def _attribute(key: str, statement: str, name: str, value: str) -> None:
    _set(key, f"{statement} is rejected", AttributeName=name, AttributeValue=value)


_attribute("unknown_attribute", "An unknown attribute", "NoSuch", "x")
_attribute("type_changed", "Turning a standard topic into a FIFO topic", "FifoTopic", "true")
_attribute("deduplication", "ContentBasedDeduplication on a standard topic", "ContentBasedDeduplication", "true")
_attribute("signature_version", "A SignatureVersion other than 1 and 2", "SignatureVersion", "3")
_attribute("delivery_policy", "A delivery policy that is not JSON", "DeliveryPolicy", "{")
_attribute("sample_rate", "A sample rate of delivery logs of 101 percent", "SQSSuccessFeedbackSampleRate", "101")
_attribute("long_display_name", "A display name of 101 characters", "DisplayName", "x" * 101)


@behaviour(sns_api("SetTopicAttributes"))
def display_name(aws: Aws) -> None:
    """A display name is set and shown."""
    topic = aws.topic()
    aws.set_topic(topic, "DisplayName", "Orders")

    same("shows", aws.topic_attributes(topic)["DisplayName"], "Orders")


@behaviour(sns_guide("creating-delivery-policy", recorded=True))
def effective_delivery_policy(aws: Aws) -> None:
    """The effective delivery policy is the given one, completed by defaults."""
    topic = aws.topic()
    retries = {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}
    aws.set_topic(topic, "DeliveryPolicy", json.dumps({"http": {"defaultHealthyRetryPolicy": retries}}))

    effective = _retries(aws, topic)

    same("says", (effective["minDelayTarget"], effective.get("backoffFunction")), (5, "linear"))


@behaviour(sns_api("AddPermission"))
def permission(aws: Aws) -> None:
    """AddPermission adds a statement with the label, the account's root and the action."""
    topic = aws.topic()
    aws.sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish"])

    policy = json.loads(aws.topic_attributes(topic)["Policy"])

    added = [one for one in policy["Statement"] if one.get("Sid") == "l"]
    wanted = {
        "Sid": "l",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "SNS:Publish",
        "Resource": topic,
    }
    same("adds", added, [wanted])


@behaviour(
    sns_api("PutDataProtectionPolicy", recorded=True),
    differs="Data protection is not built; a policy that does nothing would let pass what it must stop",
)
def data_protection(aws: Aws) -> None:
    """A topic has a data protection policy."""
    topic = aws.topic()
    policy = json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": []})
    aws.sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy)

    same("shows", aws.sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"], policy)


@behaviour(
    sns_guide("sns-topic-attributes"),
    differs="The attributes for delivery logs and TracingConfig are stored and have no effect",
)
def delivery_logs(aws: Aws) -> None:
    """A topic with SQSSuccessFeedbackRoleArn logs its deliveries to queues."""
    topic = aws.topic(SQSSuccessFeedbackRoleArn=f"arn:aws:iam::{ACCOUNT}:role/any", SQSSuccessFeedbackSampleRate="100")
    aws.subscribed(topic)
    aws.publish(topic)

    name = f"sns/{REGION}/{ACCOUNT}/{topic.rpartition(':')[2]}"
    logs = aws.client("logs")
    eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"], "logs nothing")
