"""AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard: created, updated, rolled back and deleted.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html
"""

from __future__ import annotations

from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient

TEMPLATE = """
Parameters:
  Threshold: {Type: Number, Default: 300}
  Operator: {Type: String, Default: GreaterThanThreshold}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}
  Topic: {Type: AWS::SNS::Topic}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: backlog
      Namespace: AWS/SQS
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 3
      Threshold: !Ref Threshold
      ComparisonOperator: !Ref Operator
      AlarmActions: [!Ref Topic]
      Tags: [{Key: limit, Value: !Ref Threshold}]
  Math:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Metrics:
        - Id: m1
          ReturnData: false
          MetricStat: {Metric: {Namespace: shop, MetricName: orders}, Period: 60, Stat: Sum}
        - {Id: e1, Expression: m1 * 2}
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: LessThanThreshold
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: bar
      DashboardBody: !Sub '{"widgets": [{"type": "text", "properties": {"markdown": "${Threshold}"}}]}'
Outputs:
  Arn: {Value: !GetAtt Alarm.Arn}
  Name: {Value: !Ref Math}
"""


@pytest.fixture
def cloudwatch(localbus: Localbus) -> Any:
    """A CloudWatch client of the engine."""
    return localbus.client("cloudwatch")


def alarm(cloudwatch: Any) -> dict[str, Any]:
    """Return the alarm `backlog`."""
    return dict(cloudwatch.describe_alarms(AlarmNames=["backlog"])["MetricAlarms"][0])


def test_the_life_of_a_stack(stacks: StackClient, cloudwatch: Any) -> None:
    """Alarms and dashboards follow their stack; numbers in the template are numbers in the alarm."""
    assert stacks.create(TEMPLATE) == "CREATE_COMPLETE"
    outputs, created = stacks.outputs(), alarm(cloudwatch)
    assert (created["Threshold"], created["Period"]) == (300.0, 60)
    assert created["AlarmActions"] == [stacks.physical_id("Topic")]
    assert outputs["Arn"] == created["AlarmArn"]
    assert outputs["Name"].startswith("shop-Math-")

    assert stacks.update(TEMPLATE, Threshold="7") == "UPDATE_COMPLETE"
    updated, tags = alarm(cloudwatch), cloudwatch.list_tags_for_resource(ResourceARN=outputs["Arn"])["Tags"]
    assert (updated["Threshold"], tags) == (7.0, [{"Key": "limit", "Value": "7"}])
    assert '"7"' in cloudwatch.get_dashboard(DashboardName="bar")["DashboardBody"]

    assert stacks.delete() == "DELETE_COMPLETE"
    assert (cloudwatch.describe_alarms()["MetricAlarms"], cloudwatch.list_dashboards()["DashboardEntries"]) == ([], [])


def test_an_update_that_fails_is_rolled_back(stacks: StackClient, cloudwatch: Any) -> None:
    """An operator that does not exist fails the update, and the alarm is as it was."""
    stacks.create(TEMPLATE)

    assert stacks.update(TEMPLATE, Operator="Above", Threshold="7") == "UPDATE_ROLLBACK_COMPLETE"

    assert (alarm(cloudwatch)["ComparisonOperator"], alarm(cloudwatch)["Threshold"]) == ("GreaterThanThreshold", 300.0)


def test_a_name_that_is_taken(stacks: StackClient, cloudwatch: Any) -> None:
    """A stack does not take over an alarm that exists."""
    given = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold", "Period": 60}
    cloudwatch.put_metric_alarm(AlarmName="backlog", Namespace="shop", MetricName="orders", Statistic="Sum", **given)

    assert stacks.create(TEMPLATE) == "ROLLBACK_COMPLETE"

    assert alarm(cloudwatch)["Namespace"] == "shop"


def test_types_that_are_not_built(stacks: StackClient) -> None:
    """A composite alarm, which localbus does not evaluate, is refused, also with an upstream."""
    template = "Resources: {A: {Type: 'AWS::CloudWatch::CompositeAlarm', Properties: {AlarmRule: 'ALARM(x)'}}}"

    assert stacks.rejected(TemplateBody=template)[0] == "NotImplemented"
