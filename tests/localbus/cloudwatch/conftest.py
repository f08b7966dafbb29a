"""Fixtures of CloudWatch: a client, and a topic with the queue that gets its messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus

TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:alerts"
INBOX_ARN = "arn:aws:sqs:us-east-1:000000000000:inbox"


@pytest.fixture
def cloudwatch(localbus: Localbus) -> Any:
    """A CloudWatch client of the engine."""
    return localbus.client("cloudwatch")


@pytest.fixture
def inbox(localbus: Localbus) -> Callable[[], list[dict[str, Any]]]:
    """The topic `alerts` with a queue; returns the messages that the queue has got since the last call."""
    sqs, sns = localbus.client("sqs"), localbus.client("sns")
    sns.create_topic(Name="alerts")
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": INBOX_ARN}]})
    url = sqs.create_queue(QueueName="inbox", Attributes={"Policy": policy})["QueueUrl"]
    sns.subscribe(TopicArn=TOPIC_ARN, Protocol="sqs", Endpoint=INBOX_ARN)

    def messages() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        envelopes = [json.loads(each["Body"]) for each in found]
        return [json.loads(each["Message"]) | {"Subject": each["Subject"]} for each in envelopes]

    return messages


@pytest.fixture
def put_alarm(cloudwatch: Any) -> Callable[..., None]:
    """Create the alarm `depth`: the queue `work` has visible messages. Its parts can be replaced."""

    def put(**given: Any) -> None:
        defaults = {
            "AlarmName": "depth",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "work"}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }
        cloudwatch.put_metric_alarm(**{name: value for name, value in (defaults | given).items() if value is not None})

    return put
