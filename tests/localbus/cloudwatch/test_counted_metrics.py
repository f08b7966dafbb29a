"""The metrics of SNS, EventBridge, Lambda and DynamoDB.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html,
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from localbus.upstream.function_counts import FunctionName

from .conftest import INBOX_ARN, TOPIC_ARN

NOWHERE = "arn:aws:sqs:us-east-1:000000000000:nowhere"


def published(localbus: Localbus, namespace: str) -> dict[tuple[str, ...], tuple[float, float]]:
    """Return samples and sum of each metric of a namespace, by its name and the values of its dimensions."""
    localbus.advance(60)
    cloudwatch = localbus.client("cloudwatch")
    found = {}
    for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]:
        now = localbus.clock.now()
        given = {"StartTime": now - 3600, "EndTime": now, "Period": 3600, "Statistics": ["SampleCount", "Sum"]}
        points = cloudwatch.get_metric_statistics(**metric, **given)["Datapoints"]
        key = (metric["MetricName"], *(each["Value"] for each in metric["Dimensions"]))
        found[key] = (sum(each["SampleCount"] for each in points), sum(each["Sum"] for each in points))
    return found


def test_notifications(localbus: Localbus, inbox: Callable[[], list[dict[str, Any]]]) -> None:
    """A topic counts its messages and their size, and what its subscriptions deliver, filter out, fail and redrive."""
    assert inbox() == []
    sns = localbus.client("sns")
    redrive = json.dumps({"deadLetterTargetArn": INBOX_ARN})
    filters = {"FilterPolicy": '{"size": ["L"]}'}
    for endpoint, attributes in ((NOWHERE, {"RedrivePolicy": redrive}), (f"{NOWHERE}2", {}), (f"{NOWHERE}3", filters)):
        sns.subscribe(TopicArn=TOPIC_ARN, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
    size = {"size": {"DataType": "String", "StringValue": "S"}}

    sns.publish(TopicArn=TOPIC_ARN, Message="tea")
    sns.publish(TopicArn=TOPIC_ARN, Message="tea", MessageAttributes=size)

    notifications = "NumberOfNotifications"
    assert published(localbus, "AWS/SNS") == {
        ("NumberOfMessagesPublished", "alerts"): (2, 2),
        ("PublishSize", "alerts"): (2, 3 + 3 + len("sizeStringS")),
        (f"{notifications}Delivered", "alerts"): (2, 2),
        (f"{notifications}Failed", "alerts"): (4, 4),
        (f"{notifications}RedrivenToDlq", "alerts"): (2, 2),
        (f"{notifications}FilteredOut", "alerts"): (2, 2),
        (f"{notifications}FilteredOut-NoMessageAttributes", "alerts"): (1, 1),
        (f"{notifications}FilteredOut-MessageAttributes", "alerts"): (1, 1),
    }


def test_rules(localbus: Localbus) -> None:
    """A rule counts its events, invocations, failures and dead letters; one of another bus names the bus first."""
    events, sqs = localbus.client("events"), localbus.client("sqs")
    sqs.create_queue(QueueName="inbox")
    events.create_event_bus(Name="shop")
    for bus in ("default", "shop"):
        events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["shop"]}')
    dead_letters = {"DeadLetterConfig": {"Arn": INBOX_ARN}}
    targets = [{"Id": "1", "Arn": NOWHERE, **dead_letters}, {"Id": "2", "Arn": f"{NOWHERE}2"}]
    events.put_targets(Rule="all", Targets=targets)
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}

    events.put_events(Entries=[entry, {**entry, "EventBusName": "shop"}])

    assert published(localbus, "AWS/Events") == {
        ("MatchedEvents", "all"): (1, 1),
        ("TriggeredRules", "all"): (1, 1),
        ("Invocations", "all"): (2, 2),
        ("InvocationAttempts", "all"): (2, 2),
        ("FailedInvocations", "all"): (2, 2),
        ("InvocationsFailedToBeSentToDlq", "all"): (1, 1),
        ("MatchedEvents", "shop", "all"): (1, 1),
        ("TriggeredRules", "shop", "all"): (1, 1),
    }


def test_functions(localbus: Localbus) -> None:
    """A function counts its invocations, errors and throttles, how long each took and how many ran at once."""
    functions, name = localbus.engine.upstream.functions, FunctionName("000000000000", "us-east-1", "notifier")
    first, second = functions.begin(name), functions.begin(name)
    first.answered(200, failed=False, waited=True)
    second.answered(200, failed=True, waited=True)
    functions.begin(name).answered(429, failed=False, waited=True)
    functions.begin(name).answered(202, failed=False, waited=False)
    functions.begin(name).not_sent()

    found = published(localbus, "AWS/Lambda")

    assert found["Invocations", "notifier"] == (3, 3)
    assert found["Errors", "notifier"] == (2, 1)
    assert found["Throttles", "notifier"] == (1, 1)
    assert found["ConcurrentExecutions", "notifier"] == (3, 4)
    assert found["Duration", "notifier"][0] == 2


def test_tables(localbus: Localbus) -> None:
    """A table counts the time of requests by operation, failed conditions, and the items that searches return."""
    tables = localbus.client("dynamodb")
    key = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    key |= {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    tables.create_table(TableName="orders", BillingMode="PAY_PER_REQUEST", **key)
    for _ in range(2):
        tables.put_item(TableName="orders", Item={"id": {"S": "1"}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        tables.delete_item(TableName="orders", Key={"id": {"S": "1"}}, ConditionExpression="attribute_not_exists(id)")
    tables.scan(TableName="orders")

    found = published(localbus, "AWS/DynamoDB")

    assert found["ConditionalCheckFailedRequests", "orders"] == (1, 1)
    assert found["ReturnedItemCount", "Scan", "orders"] == (1, 1)
    latency = {name[1:]: samples for name, (samples, _) in found.items() if name[0] == "SuccessfulRequestLatency"}
    assert latency == {("PutItem", "orders"): 2, ("Scan", "orders"): 1}
