"""Topics: creation, lists, tags, and attributes."""

from __future__ import annotations

import json

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sns_api, sns_guide

GROUP = Group("SNS", "Topics")
behaviour = GROUP.behaviour
_INVALID = "InvalidParameter"


@behaviour(sns_api("CreateTopic"))
def created_again(aws: Aws) -> None:
    """Creating a topic again returns its ARN."""
    topic = aws.topic()

    same("gives", aws.sns.create_topic(Name=topic.rpartition(":")[2])["TopicArn"], topic)


@behaviour(sns_api("CreateTopic", recorded=True))
def created_with_other_attributes(aws: Aws) -> None:
    """Creating a topic again with another attribute is rejected."""
    given = {"Name": aws.topic().rpartition(":")[2], "Attributes": {"DisplayName": "other"}}

    refused(_INVALID, aws.sns.create_topic, says="already exists with different attributes", **given)


@behaviour(sns_api("CreateTopic", recorded=True))
def created_with_other_tags(aws: Aws) -> None:
    """Creating a topic again with other tags is rejected."""
    given = {"Name": aws.topic().rpartition(":")[2], "Tags": [{"Key": "k", "Value": "v"}]}

    refused(_INVALID, aws.sns.create_topic, says="already exists with different tags", **given)


def _name(key: str, statement: str, name: str) -> None:
    def check(aws: Aws) -> None:
        refused(_INVALID, aws.sns.create_topic, says="Topic Name", Name=name)

    GROUP.add(key, f"{statement} is rejected", sns_api("CreateTopic", recorded=True), check)


_name("name_with_a_colon", "A name with other characters than letters, digits, hyphens and underscores", "a:b")
_name("name_too_long", "A name of 257 characters", "a" * 257)
_name("fifo_name_without_attribute", "A name that ends with .fifo without the attribute FifoTopic", "t.fifo")


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def attributes_of_a_new_topic(aws: Aws) -> None:
    """A new topic shows its policy, its effective delivery policy, and counts of subscriptions."""
    shown = aws.sns.get_topic_attributes(TopicArn=aws.topic())["Attributes"]

    counts = {"SubscriptionsConfirmed", "SubscriptionsDeleted", "SubscriptionsPending"}
    names = counts | {"TopicArn", "Owner", "DisplayName", "Policy", "EffectiveDeliveryPolicy"}
    missing, more = sorted(names - set(shown)), sorted(set(shown) - names)
    holds(not missing and not more, f"lacks {missing}, adds {more}")


@behaviour(sns_api("GetTopicAttributes", recorded=True))
def default_policy(aws: Aws) -> None:
    """A new topic's policy allows its owner everything."""
    shown = aws.sns.get_topic_attributes(TopicArn=aws.topic())["Attributes"]

    [statement] = json.loads(shown["Policy"])["Statement"]
    same("has the condition", statement.get("Condition"), {"StringEquals": {"AWS:SourceOwner": ACCOUNT}})


@behaviour(sns_guide("sns-message-delivery-retries", recorded=True))
def default_retries(aws: Aws) -> None:
    """By default there are three retries for HTTP endpoints, 20 seconds apart."""
    shown = aws.sns.get_topic_attributes(TopicArn=aws.topic())["Attributes"]

    policy = json.loads(shown["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
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
    given = {"ResourceArn": aws.topic(), "Tags": [{"Key": "a", "Value": "1"}] * 2}

    refused(_INVALID, aws.sns.tag_resource, says="Duplicated keys", **given)


@behaviour(sns_api("ListTagsForResource", recorded=True))
def tags_of_nothing(aws: Aws) -> None:
    """Tags of a topic that does not exist are ResourceNotFound."""
    refused("ResourceNotFound", aws.sns.list_tags_for_resource, ResourceArn=f"{aws.topic()}-not")


def _attribute(key: str, statement: str, name: str, value: str) -> None:
    def check(aws: Aws) -> None:
        given = {"TopicArn": aws.topic(), "AttributeName": name, "AttributeValue": value}
        refused(_INVALID, aws.sns.set_topic_attributes, **given)

    GROUP.add(key, f"{statement} is rejected", sns_api("SetTopicAttributes"), check)


_attribute("unknown_attribute", "An unknown attribute", "NoSuch", "x")
_attribute("type_changed", "Turning a standard topic into a FIFO topic", "FifoTopic", "true")
_attribute("deduplication", "ContentBasedDeduplication on a standard topic", "ContentBasedDeduplication", "true")
_attribute("signature_version", "A SignatureVersion other than 1 and 2", "SignatureVersion", "3")
_attribute("delivery_policy", "A delivery policy that is not JSON", "DeliveryPolicy", "{")
_attribute("long_display_name", "A display name of 101 characters", "DisplayName", "x" * 101)


@behaviour(sns_api("SetTopicAttributes"))
def display_name(aws: Aws) -> None:
    """A display name is set and shown."""
    topic = aws.topic()
    aws.sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Orders")

    same("shows", aws.sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"], "Orders")


@behaviour(sns_guide("creating-delivery-policy", recorded=True))
def effective_delivery_policy(aws: Aws) -> None:
    """The effective delivery policy is the given one, completed by defaults."""
    topic = aws.topic()
    policy = json.dumps(
        {"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}}}
    )
    aws.sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=policy)

    shown = aws.sns.get_topic_attributes(TopicArn=topic)["Attributes"]["EffectiveDeliveryPolicy"]
    effective = json.loads(shown)["http"]["defaultHealthyRetryPolicy"]

    same("says", (effective["minDelayTarget"], effective.get("backoffFunction")), (5, "linear"))


@behaviour(sns_api("AddPermission"))
def permission(aws: Aws) -> None:
    """AddPermission adds a statement with the label, the account's root and the action."""
    topic = aws.topic()
    aws.sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish"])

    policy = json.loads(aws.sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])

    added = [one for one in policy["Statement"] if one.get("Sid") == "l"]
    wanted = {
        "Sid": "l",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "SNS:Publish",
        "Resource": topic,
    }
    same("adds", added, [wanted])
