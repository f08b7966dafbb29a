"""The actions of SNS on topics: create, find, change, list, tag, permit and delete."""

from __future__ import annotations

from localbus.errors import AwsError, not_implemented
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns import permissions, topic_attributes
from localbus.sns.errors import check_arn, invalid
from localbus.sns.state import Sns
from localbus.sns.topic import Topic

# https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html
MAX_TAGS = 50


def create_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """CreateTopic."""
    if params.get("DataProtectionPolicy"):
        raise not_implemented("sns", "CreateTopic with a DataProtectionPolicy")
    tags = _read_tags({}, params.get("Tags", []))
    return {"TopicArn": sns.topics.create(params["Name"], params.get("Attributes", {}), tags, caller).arn}


def delete_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """DeleteTopic. A missing topic counts as deleted; one with an archive is not deleted.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html
    """
    try:
        topic = sns.find(params["TopicArn"], caller, "DeleteTopic")
    except AwsError as exc:
        if exc.code != "NotFoundException":
            raise
    else:
        if topic.archive is not None and topic.archive.retention_s:
            raise AwsError("InvalidStateException", "Invalid state: Cannot delete a topic with an ArchivePolicy")
        sns.topics.delete(topic)
    return {}


def list_topics(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListTopics."""
    arns = [topic.arn for topic in sns.topics if (topic.account, topic.region) == (caller.account, caller.region)]
    return list_page("Topics", arns, params, key=str, show=lambda arn: {"TopicArn": arn})


def get_topic_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetTopicAttributes."""
    return {"Attributes": describe(sns, sns.find(params["TopicArn"], caller, "GetTopicAttributes"))}


def describe(sns: Sns, topic: Topic) -> dict[str, str]:
    """Return the attributes of a topic, with the numbers of its subscriptions."""
    confirmed = [one.confirmed for one in sns.topics.subscriptions_of(topic)]
    counts = {
        "SubscriptionsConfirmed": str(confirmed.count(True)),
        "SubscriptionsPending": str(confirmed.count(False)),
        "SubscriptionsDeleted": str(topic.subscriptions_deleted),
    }
    return counts | topic_attributes.describe(topic, sns.clock.now())


def set_topic_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetTopicAttributes."""
    topic = sns.find(params["TopicArn"], caller, "SetTopicAttributes")
    name, value = params["AttributeName"], params.get("AttributeValue", "")
    if name == "FifoTopic":
        raise invalid("AttributeName")
    topic.attributes |= topic_attributes.validated({name: value}, fifo=topic.fifo)
    if value == "":
        del topic.attributes[name]
    topic.configure(sns.clock.now())
    sns.topics.save(topic)
    return {}


def add_permission(sns: Sns, params: Params, caller: Caller) -> Params:
    """AddPermission."""
    topic = sns.find(params["TopicArn"], caller, "AddPermission")
    label, accounts, actions = params["Label"], params["AWSAccountId"], params["ActionName"]
    topic.attributes["Policy"] = permissions.add_permission(topic.policy, topic.arn, label, accounts, actions)
    sns.topics.save(topic)
    return {}


def remove_permission(sns: Sns, params: Params, caller: Caller) -> Params:
    """RemovePermission."""
    topic = sns.find(params["TopicArn"], caller, "RemovePermission")
    topic.attributes["Policy"] = permissions.remove_permission(topic.policy, params["Label"])
    sns.topics.save(topic)
    return {}


def list_tags_for_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListTagsForResource."""
    tags = _tagged(sns, params, caller).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """TagResource."""
    topic = _tagged(sns, params, caller)
    topic.tags = _read_tags(topic.tags, params["Tags"])
    sns.topics.save(topic)
    return {}


def untag_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """UntagResource."""
    topic = _tagged(sns, params, caller)
    for key in params["TagKeys"]:
        topic.tags.pop(key, None)
    sns.topics.save(topic)
    return {}


def _tagged(sns: Sns, params: Params, caller: Caller) -> Topic:
    arn = params["ResourceArn"]
    check_arn(arn, "ResourceArn")
    topic = sns.topics.look_up(arn)
    if topic is None or (topic.account, topic.region) != (caller.account, caller.region):
        raise AwsError("ResourceNotFoundException", "Resource does not exist")
    return topic


def _read_tags(current: dict[str, str], given: list[Params]) -> dict[str, str]:
    """Return the current tags with those given."""
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) < len(given):
        raise invalid("Duplicated keys are not allowed.")
    for key, value in tags.items():
        if key.lower().startswith("aws:") or len(value) > 256:
            raise invalid("Tags Reason: keys do not start with aws:, and values have at most 256 characters")
    if len(current | tags) > MAX_TAGS:
        raise AwsError("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded")
    return current | tags
