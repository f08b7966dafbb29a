"""Random updates of stacks, compared with fresh stacks of the same final template.

A property that an update takes out of a template is taken off its resource, as if it had never been there.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from localbus.clock import ManualClock
from localbus.cloudformation import api as cloudformation_api
from localbus.engine import Engine, Options
from localbus.errors import AwsError
from localbus.events import api as events_api
from localbus.protocol.service import Caller
from localbus.sns import api as sns_api
from localbus.sqs import api as sqs_api

_ARN = "arn:aws:{}:us-east-1:000000000000:{}"
_BUS = _ARN.format("events", "event-bus/b")
_TAGS = [[{"Key": "a", "Value": "1"}], [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]]
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": _BUS}],
}
_PATTERNS = [{"source": ["s"]}, {"detail-type": ["t"]}]
_TARGETS = [
    [{"Id": "q", "Arn": _ARN.format("sqs", "dlq")}],
    [{"Id": "r", "Arn": _ARN.format("sqs", "dlq"), "RetryPolicy": {"MaximumRetryAttempts": 2}}],
]
# The resources: the type, the properties that stay, and the values of the others, each of which may be left out.
# MaximumMessageSize of queues is not here: CloudFormation resets it to a value that is not that of a new queue.
RESOURCES: dict[str, tuple[str, dict[str, Any], dict[str, list[Any]]]] = {
    "Queue": (
        "AWS::SQS::Queue",
        {"QueueName": "q"},
        {
            "DelaySeconds": [3, 4],
            "MessageRetentionPeriod": [60, 61],
            "ReceiveMessageWaitTimeSeconds": [5],
            "RedrivePolicy": [{"deadLetterTargetArn": _ARN.format("sqs", "dlq"), "maxReceiveCount": n} for n in (2, 3)],
            "RedriveAllowPolicy": [{"redrivePermission": "denyAll"}],
            "VisibilityTimeout": [7, 8],
            "Tags": _TAGS,
        },
    ),
    "Dlq": ("AWS::SQS::Queue", {"QueueName": "dlq"}, {}),
    "Topic": (
        "AWS::SNS::Topic",
        {"TopicName": "t"},
        {
            "DisplayName": ["x", "y"],
            "SignatureVersion": ["2"],
            "TracingConfig": ["Active"],
            "Subscription": [[{"Protocol": "sqs", "Endpoint": _ARN.format("sqs", "q")}]],
            "Tags": _TAGS,
        },
    ),
    "Subscription": (
        "AWS::SNS::Subscription",
        {"TopicArn": _ARN.format("sns", "t"), "Protocol": "sqs", "Endpoint": _ARN.format("sqs", "dlq")},
        {
            "FilterPolicy": [{"a": ["x"]}, {"b": ["y"]}],
            "FilterPolicyScope": ["MessageBody", "MessageAttributes"],
            "RawMessageDelivery": [True, False],
            "RedrivePolicy": [{"deadLetterTargetArn": _ARN.format("sqs", "dlq")}],
        },
    ),
    "Bus": (
        "AWS::Events::EventBus",
        {"Name": "b"},
        {
            "Description": ["x", "y"],
            "DeadLetterConfig": [{"Arn": _ARN.format("sqs", "dlq")}],
            "LogConfig": [{"Level": "INFO", "IncludeDetail": "NONE"}],
            "Policy": [_POLICY],
            "Tags": _TAGS,
        },
    ),
    "Rule": (
        "AWS::Events::Rule",
        {"Name": "r", "ScheduleExpression": "rate(5 minutes)"},
        {
            "Description": ["x", "y"],
            "EventPattern": _PATTERNS,
            "State": ["DISABLED"],
            "RoleArn": ["arn:aws:iam::000000000000:role/r"],
            "Targets": _TARGETS,
            "Tags": _TAGS,
        },
    ),
    "Archive": (
        "AWS::Events::Archive",
        {"ArchiveName": "a", "SourceArn": _BUS},
        {"Description": ["x", "y"], "EventPattern": _PATTERNS, "RetentionDays": [3, 4]},
    ),
    "Connection": (
        "AWS::Events::Connection",
        {
            "Name": "c",
            "AuthorizationType": "API_KEY",
            "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}},
        },
        {"Description": ["x", "y"]},
    ),
    "Destination": (
        "AWS::Events::ApiDestination",
        {
            "Name": "d",
            "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]},
            "HttpMethod": "POST",
            "InvocationEndpoint": "https://shop.example/",
        },
        {"Description": ["x", "y"], "InvocationRateLimitPerSecond": [5, 6]},
    ),
}
_NEEDS = {"Queue": "Dlq", "Topic": "Queue", "Subscription": "Topic", "Bus": "Dlq", "Rule": "Dlq", "Archive": "Bus"}
_SHOWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sqs", "GetQueueAttributes", {"QueueUrl": "http://localhost/000000000000/q", "AttributeNames": ["All"]}),
    ("sqs", "ListQueueTags", {"QueueUrl": "http://localhost/000000000000/q"}),
    ("sns", "GetTopicAttributes", {"TopicArn": _ARN.format("sns", "t")}),
    ("sns", "ListTagsForResource", {"ResourceArn": _ARN.format("sns", "t")}),
    ("sns", "ListSubscriptionsByTopic", {"TopicArn": _ARN.format("sns", "t")}),
    ("events", "DescribeEventBus", {"Name": "b"}),
    ("events", "ListTagsForResource", {"ResourceARN": _BUS}),
    ("events", "DescribeRule", {"Name": "r"}),
    ("events", "ListTargetsByRule", {"Rule": "r"}),
    ("events", "ListTagsForResource", {"ResourceARN": _ARN.format("events", "rule/r")}),
    ("events", "DescribeArchive", {"ArchiveName": "a"}),
    ("events", "DescribeConnection", {"Name": "c"}),
    ("events", "DescribeApiDestination", {"Name": "d"}),
)
# Times, and ids that each creation makes anew. SubscriptionsDeleted counts the history of a topic.
_OWN = (
    "Time",
    "Timestamp",
    "SubscriptionArn",
    "SubscriptionsDeleted",
    "ConnectionArn",
    "SecretArn",
    "ApiDestinationArn",
)
# The values to which CloudFormation resets attributes, which a new topic does not show.
_RESET = (("SignatureVersion", "1"), ("TracingConfig", "PassThrough"))


def _template(rng: random.Random) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for name, (kind, fixed, optional) in RESOURCES.items():
        given = {key: rng.choice(values) for key, values in optional.items() if rng.random() < 0.5}
        resources[name] = {"Type": kind, "Properties": fixed | given}
        if name in _NEEDS:
            resources[name]["DependsOn"] = _NEEDS[name]
    return {"Resources": resources}


class _World:
    """An engine with one stack."""

    def __init__(self) -> None:
        self.engine = Engine(Options(), ManualClock())
        services = (sqs_api.service(self.engine.sqs), sns_api.service(self.engine.sns))
        more = (events_api.service(self.engine.events), cloudformation_api.service(self.engine.stacks))
        self.services = {one.name: one for one in (*services, *more)}

    async def call(self, service: str, action: str, **given: Any) -> Any:
        found = self.services[service]
        answer = found.call(found.api.operation(action), given, Caller())
        return await answer if asyncio.iscoroutine(answer) else answer

    async def deploy(self, action: str, template: dict[str, Any]) -> str:
        """Create or update the stack; empty, or the reason for which it failed."""
        try:
            await self.call("cloudformation", action, StackName="s", TemplateBody=json.dumps(template))
        except AwsError as exc:
            return "" if "No updates" in exc.message else exc.message
        stack = self.engine.stacks.stacks.find("s", Caller())
        if stack.task is not None:
            await stack.task
        wanted = "CREATE_COMPLETE" if action == "CreateStack" else "UPDATE_COMPLETE"
        reasons = [
            event.get("ResourceStatusReason", "") for event in stack.events if "FAILED" in event["ResourceStatus"]
        ]
        return "" if stack.status == wanted else "; ".join(reasons) or stack.status

    async def shown(self) -> dict[str, Any]:
        """The state of every resource, without times and ids."""
        found = {f"{action} {given}": await self.call(service, action, **given) for service, action, given in _SHOWS}
        arns = [one["SubscriptionArn"] for one in found[_key("ListSubscriptionsByTopic")]["Subscriptions"]]
        for arn in arns:
            attributes = (await self.call("sns", "GetSubscriptionAttributes", SubscriptionArn=arn))["Attributes"]
            found[f"subscription of {attributes['Endpoint']}"] = attributes
        return {key: _stable(value) for key, value in found.items()}


def _key(action: str) -> str:
    return next(f"{name} {given}" for _, name, given in _SHOWS if name == action)


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if item and not str(key).endswith(_OWN)}
        return {key: _stable(item) for key, item in sorted(kept.items()) if (key, item) not in _RESET}
    if isinstance(value, list):
        return sorted(map(_stable, value), key=str)
    return value


async def _compare(rng: random.Random) -> list[str]:
    templates = [_template(rng) for _ in range(rng.choice([2, 3]))]
    updated, fresh = _World(), _World()
    try:
        for place, one in enumerate(templates):
            failed = await updated.deploy("UpdateStack" if place else "CreateStack", one)
            if failed:
                return [f"{json.dumps(one)} fails: {failed}"]
        failed = await fresh.deploy("CreateStack", templates[-1])
        if failed:
            return [f"{json.dumps(templates[-1])} fails: {failed}"]
        after, wanted = await updated.shown(), await fresh.shown()
    finally:
        await updated.engine.stop()
        await fresh.engine.stop()
    return [
        f"{key} is {json.dumps(after.get(key), default=str)}, and of a fresh stack {json.dumps(value, default=str)}"
        for key, value in wanted.items()
        if after.get(key) != value
    ]


def run(seed: int, count: int) -> list[str]:
    """Try `count` chains of updates; return a text for each difference."""
    rng = random.Random(seed)

    async def run_all() -> list[str]:
        return [fault for _ in range(count) for fault in await _compare(rng)]

    return asyncio.run(run_all())
