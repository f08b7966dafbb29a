"""Which types of resources are made here, which go upstream, and which are known to AWS and built nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from localbus.cloudformation.resources.base import ResourceType
from localbus.cloudformation.resources.events_buses import ArchiveType, EventBusPolicyType, EventBusType
from localbus.cloudformation.resources.events_destinations import ApiDestinationType, ConnectionType
from localbus.cloudformation.resources.events_rules import RuleType
from localbus.cloudformation.resources.lambda_ import MappingType
from localbus.cloudformation.resources.sns_subscriptions import SubscriptionType
from localbus.cloudformation.resources.sns_topics import TopicInlinePolicyType, TopicPolicyType, TopicType
from localbus.cloudformation.resources.sqs import QueueInlinePolicyType, QueuePolicyType, QueueType
from localbus.cloudformation.template.parser import format_error
from localbus.errors import AwsError

_OURS = ("AWS::SQS::", "AWS::SNS::", "AWS::Events::")
# A stack in a stack would be made upstream whole, with its queues.
_NOT_BUILT = {"AWS::CloudFormation::Stack", "AWS::Events::Endpoint"}

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    one.name: one
    for one in (
        ApiDestinationType(),
        ArchiveType(),
        ConnectionType(),
        EventBusPolicyType(),
        EventBusType(),
        MappingType(),
        QueueInlinePolicyType(),
        QueuePolicyType(),
        QueueType(),
        RuleType(),
        SubscriptionType(),
        TopicInlinePolicyType(),
        TopicPolicyType(),
        TopicType(),
    )
}


def check_types(types: Mapping[str, str], *, with_upstream: bool) -> None:
    """Raise AwsError where a resource (its logical id and its type) can be made nowhere."""
    known = {*RESOURCE_TYPES, *_NOT_BUILT}
    unknown = [one for one in types.values() if one.startswith(_OURS) and one not in known]
    if unknown:
        raise format_error(f"Unrecognized resource types: [{', '.join(dict.fromkeys(unknown))}]")
    for logical_id, type_name in types.items():
        if type_name in _NOT_BUILT:
            text = f"Resource {logical_id}: {type_name} is known to AWS and not built in localbus."
            raise AwsError("NotImplemented", text)
        if type_name not in RESOURCE_TYPES and not with_upstream:
            text = f"{type_name} is made by another engine, and localbus was started with no --upstream."
            raise AwsError("ValidationError", f"Resource {logical_id}: {text}")
