"""Topics, queues and buses to which the upstream never sends are refused, wherever botocore's models name them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from localbus.boundary.never_sent import TABLE
from localbus.boundary.requests import reader_of
from localbus.boundary.templates import senders_in
from localbus.errors import AwsError
from localbus.http.message import Request
from localbus.protocol.service import Caller

from .never_sent_members import derive

TOPIC = "arn:aws:sns:us-east-1:000000000000:orders"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:work"
ALERT = {"alertTargets": {"SNS": {"alertTargetArn": TOPIC}}}
CONTROL = "CloudApiService.CreateResource"


def test_the_table_is_that_of_the_models() -> None:
    """The table is derived from botocore's models; `python tests/localbus/boundary/never_sent_members.py` writes it."""
    table = json.loads(TABLE.read_text())
    services = ["backup", "budgets", "cloudtrail", "codecommit", "config", "elasticache", "iot", "polly"]

    assert derive(*services) == {service: table[service] for service in services}


def request(service: str, target: str, body: Any) -> Request:
    """A signed request: REST with a method and path as its target, else JSON with a target or a form."""
    scope = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request"
    method, _, path = target.rpartition(" ")
    headers = {b"authorization": scope.encode(), b"content-type": b"application/json"}
    if not method and target:
        headers[b"x-amz-target"] = target.encode()
    if not target:
        headers[b"content-type"] = b"application/x-www-form-urlencoded"
    content = urlencode(body) if not target else json.dumps(body)
    return Request(method or "POST", path if method else "/", headers, [], content.encode())


REFUSED = [
    ("cloudtrail", "CloudTrail_20131101.CreateTrail", {"SnsTopicName": "orders"}),
    ("config", "StarlingDoveService.PutDeliveryChannel", {"DeliveryChannel": {"snsTopicARN": TOPIC}}),
    ("elasticache", "", {"Action": "CreateCacheCluster", "NotificationTopicArn": TOPIC}),
    ("autoscaling", "", {"Action": "PutNotificationConfiguration", "TopicARN": TOPIC}),
    ("autoscaling", "", {"Action": "PutLifecycleHook", "NotificationTargetARN": QUEUE}),
    ("rds", "", {"Action": "CreateEventSubscription", "SnsTopicArn": TOPIC}),
    ("ses", "", {"Action": "CreateReceiptRule", "Rule.Actions.member.1.SNSAction.TopicArn": TOPIC}),
    ("backup", "PUT /backup-vaults/v/notification-configuration", {"SNSTopicArn": TOPIC}),
    ("budgets", "AWSBudgetServiceGateway.CreateSubscriber", {"Subscriber": {"Address": TOPIC}}),
    ("codecommit", "CodeCommit_20150413.PutRepositoryTriggers", {"triggers": [{"destinationArn": TOPIC}]}),
    ("ssm", "AmazonSSM.SendCommand", {"NotificationConfig": {"NotificationArn": TOPIC}}),
    ("iot", "POST /security-profiles/p", ALERT),
    ("ses", "POST /v2/email/configuration-sets/c/event-destinations", {"SnsDestination": {"TopicArn": TOPIC}}),
    ("cloudcontrolapi", CONTROL, {"TypeName": "AWS::SQS::Queue", "DesiredState": "{}"}),
    (
        "cloudcontrolapi",
        CONTROL,
        {"TypeName": "AWS::RDS::EventSubscription", "DesiredState": json.dumps({"SnsTopicArn": TOPIC})},
    ),
    ("apigateway", "POST /v2/apis/a/integrations", {"integrationSubtype": "SQS-SendMessage"}),
    ("apigateway", "PUT /restapis/a", {"uri": "arn:aws:apigateway:us-east-1:sns:action/Publish"}),
]


@pytest.mark.parametrize(("service", "target", "body"), REFUSED)
def test_refused(service: str, target: str, body: Any) -> None:
    """The error names what is not sent, and the way out."""
    made = request(service, target, body)
    reader = reader_of(made, service)
    assert reader is not None

    with pytest.raises(AwsError, match="is not implemented: the message would be lost") as raised:
        reader(made, Caller())

    assert raised.value.code == "NotImplemented"


@pytest.mark.parametrize(
    ("service", "target", "body"),
    [
        ("cloudtrail", "CloudTrail_20131101.CreateTrail", {"Name": "t", "S3BucketName": TOPIC}),
        ("budgets", "AWSBudgetServiceGateway.CreateSubscriber", {"Subscriber": {"Address": "a@example.com"}}),
        ("elasticache", "", {"Action": "CreateCacheCluster", "CacheClusterId": "c"}),
    ],
)
def test_accepted(service: str, target: str, body: Any) -> None:
    """An action without a topic, queue or bus in these members passes."""
    made = request(service, target, body)
    reader = reader_of(made, service)
    assert reader is not None

    assert reader(made, Caller()).targets == set()


@pytest.mark.parametrize(
    ("service", "target"),
    [("cloudtrail", "CloudTrail_20131101.DescribeTrails"), ("ssm", "AmazonSSM.PutParameter"),
     ("backup", "PUT /backup-vaults/v"), ("glacier", "POST /-/vaults/v/archives")],
)  # fmt: skip
def test_other_actions_pass_unread(service: str, target: str) -> None:
    """The body of an action without such members is streamed."""
    assert reader_of(request(service, target, {}), service) is None


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::CloudTrail::Trail", {"SnsTopicName": "orders"}),
        ("AWS::Config::DeliveryChannel", {"SnsTopicARN": TOPIC}),
        ("AWS::DocDB::EventSubscription", {"SnsTopicArn": TOPIC}),
        ("AWS::AutoScaling::AutoScalingGroup", {"NotificationConfigurations": [{"TopicARN": [TOPIC]}]}),
        ("AWS::SES::ConfigurationSetEventDestination", {"EventDestination": {"SnsDestination": {"TopicARN": TOPIC}}}),
    ],
)
def test_refused_in_templates(kind: str, properties: dict[str, Any]) -> None:
    """A resource that names one fails."""
    with pytest.raises(AwsError, match=kind):
        list(senders_in({"R": {"Type": kind, "Properties": properties}}, Caller()))


def test_an_environment_variable_is_no_target() -> None:
    """Names in data, such as a task's environment, are not those of targets."""
    environment = [{"Name": "TopicArn", "Value": TOPIC}]
    properties = {"ContainerDefinitions": [{"Environment": environment}]}

    assert list(senders_in({"R": {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}}, Caller())) == []
