"""Resources as a service shows them: a refused request must not change it. Stacks and connections change alone."""

from __future__ import annotations

import re
from typing import Any

from fuzz.dynamodb_examples import SPARE, TABLE
from fuzz.examples import QUEUE_URL, arn
from fuzz.wire import request_of
from fuzz.world import World

_SETTINGS = [
    "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "Policy", "RedrivePolicy", "VisibilityTimeout",
    "KmsMasterKeyId", "LastModifiedTimestamp",
]  # fmt: skip
_OF_TABLE = ["DescribeTable", "Scan", "DescribeTimeToLive", "DescribeContinuousBackups"]
_READS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "sqs": [
        ("ListQueues", {}),
        ("GetQueueAttributes", {"QueueUrl": QUEUE_URL, "AttributeNames": _SETTINGS}),
        ("ListQueueTags", {"QueueUrl": QUEUE_URL}),
    ],
    "sns": [
        ("ListTopics", {}),
        ("ListSubscriptions", {}),
        ("GetTopicAttributes", {"TopicArn": arn("sns", "t")}),
        ("GetSubscriptionAttributes", {"SubscriptionArn": "$subscription"}),
        ("ListTagsForResource", {"ResourceArn": arn("sns", "t")}),
        ("ListPlatformApplications", {}),
        ("ListEndpointsByPlatformApplication", {"PlatformApplicationArn": "$application"}),
        ("GetSMSAttributes", {}),
    ],
    "events": [
        ("ListEventBuses", {}),
        ("DescribeEventBus", {}),
        ("ListRules", {}),
        ("ListTargetsByRule", {"Rule": "r"}),
        ("ListArchives", {}),
        ("DescribeArchive", {"ArchiveName": "kept"}),
        ("DescribeConnection", {"Name": "c"}),
        ("ListConnections", {}),
        ("DescribeApiDestination", {"Name": "d"}),
        ("ListApiDestinations", {}),
        ("ListReplays", {}),
        ("ListTagsForResource", {"ResourceARN": arn("events", "rule/r")}),
    ],
    "dynamodb": [
        ("ListTables", {}),
        ("ListBackups", {}),
        *((action, {"TableName": name}) for action in _OF_TABLE for name in (TABLE, SPARE)),
        ("ListTagsOfResource", {"ResourceArn": "$table_arn"}),
    ],
    "lambda": [("ListEventSourceMappings", {}), ("ListTags", {"Resource": "$mapping_arn"})],
}
_CHANGING = re.compile(
    rb"<RequestId>[^<]*</RequestId>|\"(?:StateTransitionReason|State|ConnectionState|StateReason)\":\"[^\"]*\""
    rb"|\"(?:Earliest|Latest)RestorableDateTime\":[^,}]*"
    rb"|<member><(?:Topic|Subscription)Arn>[^<]*:s-[A-Z]-.*?</member>|,?\"[^\"]*/s-[A-Z]-[^\"]*\""  # of the stack `s`
)


async def shown_state(world: World, service: str) -> bytes:
    """Return what the service lists and describes."""
    answers = []
    for action, params in _READS.get(service, []):
        response = await world.answer(request_of(service, action, world.filled(params)), advance_s=0)
        answers.append(response.body if isinstance(response.body, bytes) else b"")
    return _CHANGING.sub(b"", b"\n".join(answers))
