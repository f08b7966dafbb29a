"""The actions of SNS that are about topics: create, find, change, list, tag, permit and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns import topic_attributes
from localbus.sns.errors import check_arn, invalid
from localbus.sns.permissions import add_permission as with_permission
from localbus.sns.permissions import remove_permission as without_permission
from localbus.sns.topic import Topic

if TYPE_CHECKING:
    from localbus.sns.state import Sns

# https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html
MAX_TAGS = 50


def create_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """CreateTopic."""
    tags = _read_tags(params.get("Tags", []))
    _check_count(tags)
    return {"TopicArn": sns.topics.create(params["Name"], params.get("Attributes", {}), tags, caller).arn}


def delete_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """DeleteTopic; one that is not there is deleted already, and one that has an archive is not deleted.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html
    """
    try:
        topic = sns.find(params["TopicArn"], caller, "DeleteTopic")
    except AwsError as exc:
        if exc.code != "NotFoundException":
            raise
    else:
        if topic.is_archiving:
            raise AwsError("InvalidStateException", "Invalid state: Cannot delete a topic with an ArchivePolicy")
        sns.topics.delete(topic)
    return {}


def list_topics(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListTopics."""
    arns = [topic.arn for topic in sns.topics if (topic.account, topic.region) == (caller.account, caller.region)]
    return list_page("Topics", arns, params, key=str, show=lambda arn: {"TopicArn": arn})


def get_topic_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetTopicAttributes."""
    return {"Attributes": topic_attributes.show(sns.find(params["TopicArn"], caller, "GetTopicAttributes"))}


def set_topic_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetTopicAttributes."""
    topic = sns.find(params["TopicArn"], caller, "SetTopicAttributes")
    name, value = params["AttributeName"], params.get("AttributeValue", "")
    if name == "FifoTopic":
        raise invalid("AttributeName")
    topic.attributes |= topic_attributes.checked({name: value}, fifo=topic.fifo)
    if value == "":
        del topic.attributes[name]
    topic.changed(sns.clock.now())
    return {}


def add_permission(sns: Sns, params: Params, caller: Caller) -> Params:
    """AddPermission."""
    topic = sns.find(params["TopicArn"], caller, "AddPermission")
    accounts, actions = params["AWSAccountId"], params["ActionName"]
    topic.attributes["Policy"] = with_permission(topic.policy, topic.arn, params["Label"], accounts, actions)
    return {}


def remove_permission(sns: Sns, params: Params, caller: Caller) -> Params:
    """RemovePermission."""
    topic = sns.find(params["TopicArn"], caller, "RemovePermission")
    topic.attributes["Policy"] = without_permission(topic.policy, params["Label"])
    return {}


def list_tags_for_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListTagsForResource."""
    tags = _tagged(sns, params, caller).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """TagResource."""
    topic = _tagged(sns, params, caller)
    tags = topic.tags | _read_tags(params["Tags"])
    _check_count(tags)
    topic.tags = tags
    return {}


def untag_resource(sns: Sns, params: Params, caller: Caller) -> Params:
    """UntagResource."""
    tags = _tagged(sns, params, caller).tags
    for key in params["TagKeys"]:
        tags.pop(key, None)
    return {}


def _tagged(sns: Sns, params: Params, caller: Caller) -> Topic:
    arn = params["ResourceArn"]
    check_arn(arn, "ResourceArn")
    topic = sns.topics.look_up(arn)
    if topic is None or (topic.account, topic.region) != (caller.account, caller.region):
        raise AwsError("ResourceNotFoundException", "Resource does not exist")
    return topic


def _read_tags(given: list[Params]) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags) < len(given):
        raise invalid("Duplicated keys are not allowed.")
    for key, value in tags.items():
        if key.lower().startswith("aws:") or len(value) > 256:
            raise invalid("Tags Reason: keys do not start with aws:, and values have at most 256 characters")
    return tags


def _check_count(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise AwsError("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded")
