"""Alarms of an engine: they change their state by its own metrics, and publish to a topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

from .conftest import TOPIC_ARN

Inbox = Callable[[], list[dict[str, Any]]]
PutAlarm = Callable[..., None]


def state(cloudwatch: Any, name: str = "depth") -> str:
    """Return the state of an alarm."""
    return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def empty(sqs: Any, url: str) -> None:
    """Delete the message of a queue."""
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)


def test_an_alarm_goes_off_and_ends(  # noqa: PLR0917 (fixtures)
    localbus: Localbus, cloudwatch: Any, sqs: Any, url: str, inbox: Inbox, put_alarm: PutAlarm
) -> None:
    """A message in a queue raises the alarm within a minute, each change is published once, and deleting it ends it."""
    put_alarm(AlarmActions=[TOPIC_ARN], OKActions=[TOPIC_ARN])
    localbus.advance(60)
    assert [each["NewStateValue"] for each in inbox()] == ["OK"]

    sqs.send_message(QueueUrl=url, MessageBody="tea")
    localbus.advance(120)
    empty(sqs, url)
    raised = inbox()
    localbus.advance(60)
    ended = inbox()

    assert [(each["OldStateValue"], each["NewStateValue"]) for each in (*raised, *ended)] == [
        ("OK", "ALARM"),
        ("ALARM", "OK"),
    ]
    assert raised[0]["Subject"] == 'ALARM: "depth" in US East (N. Virginia)'
    assert raised[0]["Trigger"]["Dimensions"] == [{"value": "work", "name": "QueueName"}]
    assert raised[0]["NewStateReason"].endswith("was greater than the threshold (0.0).")
    noted: list[Any] = [entry.detail for entry in localbus.engine.journal.entries(event="alarm")]
    assert [(each["before"], each["state"]) for each in noted][1:] == [("OK", "ALARM"), ("ALARM", "OK")]
    kinds = [each["HistoryItemType"] for each in cloudwatch.describe_alarm_history()["AlarmHistoryItems"]]
    assert kinds == ["Action", "StateUpdate"] * 3 + ["ConfigurationUpdate"]


def test_the_age_of_the_oldest_message(
    localbus: Localbus, cloudwatch: Any, sqs: Any, url: str, put_alarm: PutAlarm
) -> None:
    """Three periods in a row above five minutes raise an alarm on the age, and not one period before."""
    put_alarm(MetricName="ApproximateAgeOfOldestMessage", EvaluationPeriods=3, Threshold=300)
    sqs.send_message(QueueUrl=url, MessageBody="tea")

    localbus.advance(440)
    before = state(cloudwatch)
    localbus.advance(40)

    assert (before, state(cloudwatch)) == ("OK", "ALARM")


def test_a_policy_that_does_not_allow_the_alarm(
    localbus: Localbus, cloudwatch: Any, inbox: Inbox, put_alarm: PutAlarm
) -> None:
    """A topic whose policy does not name CloudWatch gets nothing, and the history says so."""
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": TOPIC_ARN}]})
    localbus.client("sns").set_topic_attributes(TopicArn=TOPIC_ARN, AttributeName="Policy", AttributeValue=policy)
    put_alarm(OKActions=[TOPIC_ARN])

    localbus.advance(60)

    action = cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"][0]
    assert inbox() == []
    assert action["HistorySummary"].startswith(f"Failed to execute action {TOPIC_ARN}. Received error:")


def test_a_state_that_is_set(localbus: Localbus, cloudwatch: Any, url: str, inbox: Inbox, put_alarm: PutAlarm) -> None:
    """SetAlarmState executes the actions, and lasts until the next evaluation."""
    assert url
    put_alarm(AlarmActions=[TOPIC_ARN])

    cloudwatch.set_alarm_state(AlarmName="depth", StateValue="ALARM", StateReason="A trial")
    message, now = inbox(), state(cloudwatch)
    localbus.advance(60)

    assert (now, message[0]["NewStateReason"], state(cloudwatch)) == ("ALARM", "A trial", "OK")


def test_disabled_actions(localbus: Localbus, cloudwatch: Any, inbox: Inbox, put_alarm: PutAlarm) -> None:
    """An alarm whose actions are disabled changes its state and publishes nothing, until they are enabled."""
    put_alarm(OKActions=[TOPIC_ARN], AlarmActions=[TOPIC_ARN])
    cloudwatch.disable_alarm_actions(AlarmNames=["depth"])

    localbus.advance(60)
    silent = inbox()
    cloudwatch.enable_alarm_actions(AlarmNames=["depth"])
    cloudwatch.set_alarm_state(AlarmName="depth", StateValue="ALARM", StateReason="A trial")

    assert (silent, len(inbox())) == ([], 1)


def test_an_expression_raises_an_alarm(
    localbus: Localbus, cloudwatch: Any, sqs: Any, url: str, put_alarm: PutAlarm
) -> None:
    """An alarm on metric math: messages wait, and nobody has received for three minutes."""

    def metric(query_id: str, name: str, stat: str) -> dict[str, Any]:
        dimensions = [{"Name": "QueueName", "Value": "work"}]
        named = {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": dimensions}
        return {"Id": query_id, "MetricStat": {"Metric": named, "Period": 60, "Stat": stat}, "ReturnData": False}

    put_alarm(
        **dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period")),
        EvaluationPeriods=3,
        Metrics=[
            metric("waiting", "ApproximateNumberOfMessagesVisible", "Maximum"),
            metric("received", "NumberOfMessagesReceived", "Sum"),
            metric("empty", "NumberOfEmptyReceives", "Sum"),
            {"Id": "silent", "Expression": "IF(waiting > 0 AND received + empty == 0, 1, 0)"},
        ],
    )
    sqs.send_message(QueueUrl=url, MessageBody="tea")

    localbus.advance(180)
    silent = state(cloudwatch)
    sqs.receive_message(QueueUrl=url)
    localbus.advance(60)

    assert (silent, state(cloudwatch)) == ("ALARM", "OK")


def test_an_alarm_by_ten_seconds(localbus: Localbus, cloudwatch: Any, put_alarm: PutAlarm) -> None:
    """An alarm with a period of ten seconds on a metric of high resolution is evaluated every ten seconds."""
    put_alarm(Namespace="shop", MetricName="orders", Dimensions=[], Period=10)
    datum = {"MetricName": "orders", "Value": 3, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[datum])

    localbus.advance(10)

    assert state(cloudwatch) == "ALARM"


def test_an_update_keeps_the_state(localbus: Localbus, cloudwatch: Any, url: str, put_alarm: PutAlarm) -> None:
    """PutMetricAlarm for an existing alarm replaces its definition and keeps its state."""
    assert url
    put_alarm(AlarmDescription="old")
    localbus.advance(60)

    put_alarm(Threshold=7)

    alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]
    assert (alarm["StateValue"], alarm["Threshold"], alarm.get("AlarmDescription")) == ("OK", 7.0, None)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Statistic": None}, "InvalidParameterCombination"),
        ({"Statistic": "Mode"}, "ValidationError"),
        ({"Statistic": None, "ExtendedStatistic": "q90"}, "InvalidParameterValue"),
        ({"Period": 45}, "ValidationError"),
        ({"Period": 5}, "ValidationError"),
        ({"EvaluationPeriods": 1441}, "ValidationError"),
        ({"DatapointsToAlarm": 2}, "ValidationError"),
        ({"Threshold": None}, "MissingParameter"),
        ({"TreatMissingData": "zero"}, "ValidationError"),
        ({"AlarmActions": [TOPIC_ARN.replace("us-east-1", "eu-west-1")]}, "ValidationError"),
        ({"AlarmActions": [f"{TOPIC_ARN}.fifo"]}, "ValidationError"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "NotImplemented"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplemented"),
        ({"Metrics": [{"Id": "a", "Expression": "b + 1"}]}, "InvalidParameterCombination"),
    ],
)
def test_invalid_alarms(cloudwatch: Any, put_alarm: PutAlarm, given: dict[str, Any], code: str) -> None:
    """An alarm that is not valid, or that would never act, is refused and not created."""
    with pytest.raises(ClientError) as error:
        put_alarm(**given)

    assert error.value.response["Error"]["Code"] == code
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_finding_alarms(cloudwatch: Any, put_alarm: PutAlarm) -> None:
    """Alarms are found by prefix, state, page and metric, carry tags, and are deleted by name."""
    for name in ("a-1", "a-2", "b-1"):
        put_alarm(AlarmName=name, Tags=[{"Key": "team", "Value": "bar"}])
    arn = cloudwatch.describe_alarms(AlarmNames=["a-1"])["MetricAlarms"][0]["AlarmArn"]
    cloudwatch.set_alarm_state(AlarmName="a-2", StateValue="ALARM", StateReason="A trial")
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "cost", "Value": "1"}])

    def names(page: dict[str, Any]) -> list[str]:
        return [each["AlarmName"] for each in page["MetricAlarms"]]

    first = cloudwatch.describe_alarms(MaxRecords=2)
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
    dimensions = [{"Name": "QueueName", "Value": "work"}]
    assert names(cloudwatch.describe_alarms(AlarmNamePrefix="a-")) == ["a-1", "a-2"]
    assert names(cloudwatch.describe_alarms(StateValue="ALARM")) == ["a-2"]
    assert names(cloudwatch.describe_alarms(NextToken=first["NextToken"])) == ["b-1"]
    assert len(names(cloudwatch.describe_alarms_for_metric(**metric, Dimensions=dimensions))) == 3
    assert names(cloudwatch.describe_alarms_for_metric(**metric)) == []
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]
    cloudwatch.delete_alarms(AlarmNames=["a-1", "nobody"])
    assert names(cloudwatch.describe_alarms()) == ["a-2", "b-1"]


def test_the_event_of_a_change(localbus: Localbus, sqs: Any, url: str, put_alarm: PutAlarm) -> None:
    """A change of an alarm is an event on the default bus.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    events = localbus.client("events")
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    arn = "arn:aws:sqs:us-east-1:000000000000:work"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_rule(Name="alarms", EventPattern='{"source": ["aws.cloudwatch"]}')
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": arn}])
    put_alarm(AlarmDescription="Look.", EvaluationPeriods=2)

    localbus.advance(60)

    event = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    detail = event["detail"]
    assert (event["detail-type"], event["resources"]) == (
        "CloudWatch Alarm State Change",
        ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:depth"],
    )
    assert (detail["alarmName"], detail["previousState"]["value"], detail["state"]["value"]) == (
        "depth",
        "INSUFFICIENT_DATA",
        "OK",
    )
    assert detail["configuration"]["metrics"][0]["metricStat"] == {
        "metric": {
            "namespace": "AWS/SQS",
            "name": "ApproximateNumberOfMessagesVisible",
            "dimensions": {"QueueName": "work"},
        },
        "period": 60,
        "stat": "Maximum",
    }
