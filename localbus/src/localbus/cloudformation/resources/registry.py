"""Resource types by where they are created: by localbus, by the upstream, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from localbus.cloudformation.resources.base import ResourceType
from localbus.cloudformation.resources.cdk_metadata import CdkMetadataType
from localbus.cloudformation.resources.cloudwatch import AlarmType, DashboardType
from localbus.cloudformation.resources.dynamodb import TableType
from localbus.cloudformation.resources.events import EventBusPolicyType, EventBusType, RuleType
from localbus.cloudformation.resources.events_named import ApiDestinationType, ArchiveType, ConnectionType
from localbus.cloudformation.resources.global_table import GlobalTableType
from localbus.cloudformation.resources.lambda_ import MappingType
from localbus.cloudformation.resources.nested_stack import NestedStackType
from localbus.cloudformation.resources.policies import POLICY_TYPES
from localbus.cloudformation.resources.sns import SubscriptionType, TopicType
from localbus.cloudformation.resources.sqs import QueueType
from localbus.cloudformation.template.parser import format_error
from localbus.errors import AwsError

_LOCAL_PREFIXES = ("AWS::SQS::", "AWS::SNS::", "AWS::Events::", "AWS::DynamoDB::")
_NOT_BUILT = {
    "AWS::CloudWatch::AlarmMuteRule",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::InsightRule",
    "AWS::CloudWatch::MetricStream",
    "AWS::Events::Endpoint",
}

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    one.name: one
    for one in (
        *POLICY_TYPES,
        AlarmType(),
        ApiDestinationType(),
        ArchiveType(),
        CdkMetadataType(),
        ConnectionType(),
        DashboardType(),
        EventBusPolicyType(),
        EventBusType(),
        GlobalTableType(),
        MappingType(),
        NestedStackType(),
        QueueType(),
        RuleType(),
        SubscriptionType(),
        TableType(),
        TopicType(),
    )
}


def check_types(types: Mapping[str, str], *, with_upstream: bool) -> None:
    """Raise AwsError for a resource (logical id and type) that cannot be created."""
    known = {*RESOURCE_TYPES, *_NOT_BUILT}
    unknown = dict.fromkeys(one for one in types.values() if one.startswith(_LOCAL_PREFIXES) and one not in known)
    if unknown:
        raise format_error(f"Unrecognized resource types: [{', '.join(unknown)}]")
    for logical_id, type_name in types.items():
        if type_name in _NOT_BUILT:
            raise AwsError("NotImplemented", f"Resource {logical_id}: localbus does not implement {type_name}.")
        if type_name not in RESOURCE_TYPES and not with_upstream:
            text = f"{type_name} needs another engine; start localbus with --upstream URL."
            raise AwsError("ValidationError", f"Resource {logical_id}: {text}")
