"""Stacks with upstream resources: localbus in front of MiniStack."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.localbus import journal
from support.waiting import poll_until

TEMPLATE = Path(__file__).parents[3] / "localstack" / "template.yaml"

MIXED = """
Parameters:
  Name: {Type: String, Default: first}
  StreamName: {Type: String, Default: orders}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: !Ref StreamName, ShardCount: 1}}
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "sqs:*", Resource: !GetAtt Queue.Arn}
          - {Effect: Allow, Action: "kinesis:*", Resource: !Sub "${Stream.Arn}/consumer/*"}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "of ${StreamName}", Tags: [{Key: stream, Value: !GetAtt Stream.Arn}]}
  Notice:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/topics/${Topic.TopicName}"}
Outputs:
  StreamArn: {Value: !GetAtt Stream.Arn}
  PolicyArn: {Value: !Ref Policy}
  LogGroup: {Value: !Ref Notice}
  QueueArn: {Value: !GetAtt Queue.Arn}
"""


@pytest.fixture(scope="module")
def upstream(ministack: str) -> str:
    """The URL of a MiniStack."""
    return ministack


@pytest.fixture
def localbus(upstream_bus: Localbus) -> Localbus:
    """A fresh engine in front of it."""
    return upstream_bus


@pytest.fixture
def stacks(localbus: Localbus) -> Iterator[StackClient]:
    """CloudFormation of the engine; its stacks are deleted afterwards, since the next test has the same upstream."""
    found = StackClient(localbus)
    yield found
    for stack in found.client.describe_stacks()["Stacks"]:
        found.delete(stack["StackId"])


def behind(upstream: str, service: str) -> Any:
    """A client of the upstream itself."""
    make: Any = boto3.client
    credentials = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "any"}
    return make(service, endpoint_url=upstream, region_name="us-east-1", **credentials)


def streams(upstream: str) -> list[str]:
    """The upstream's streams."""
    found: list[str] = behind(upstream, "kinesis").list_streams()["StreamNames"]
    return found


def policy_resources(upstream: str, arn: str) -> list[str]:
    """The resources in the statements of one of the upstream's policies."""
    iam = behind(upstream, "iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return [one["Resource"] for one in document["Statement"]]


def test_each_resource_is_created_by_its_engine(stacks: StackClient, upstream: str) -> None:
    """localbus creates queues and topics, the upstream streams and policies, with references in both directions."""
    assert stacks.create(MIXED) == "CREATE_COMPLETE"

    outputs = stacks.outputs()
    assert behind(upstream, "sqs").list_queues().get("QueueUrls", []) == []
    assert streams(upstream) == ["orders"]
    assert outputs["StreamArn"].endswith("stream/orders")
    assert policy_resources(upstream, outputs["PolicyArn"]) == [
        outputs["QueueArn"],
        f"{outputs['StreamArn']}/consumer/*",
    ]
    topic = stacks.physical_id("Topic")
    assert stacks.topic_attributes(topic)["DisplayName"] == "of orders"
    assert outputs["LogGroup"] == f"/topics/{topic.rpartition(':')[2]}"


def test_the_resources_of_both_are_one_stack(stacks: StackClient) -> None:
    """They are listed together with their physical ids, and the events of both are in the order of dependencies."""
    stacks.create(MIXED)

    found = stacks.client.describe_stack_resources(StackName="shop")["StackResources"]
    assert {one["LogicalResourceId"] for one in found} == {"Queue", "Stream", "Policy", "Topic", "Notice"}
    assert {one["ResourceStatus"] for one in found} == {"CREATE_COMPLETE"}
    assert stacks.physical_id("Stream") == "orders"
    events = stacks.events()
    done = [events.index((name, "CREATE_COMPLETE")) for name in ("Queue", "Policy", "Topic", "Notice")]
    assert done == sorted(done)


def test_an_update_affects_both_engines(stacks: StackClient, upstream: str) -> None:
    """A replaced queue updates the upstream's policy; a replaced stream is deleted at the end."""
    stacks.create(MIXED)

    assert stacks.update(MIXED, Name="second", StreamName="receipts") == "UPDATE_COMPLETE"

    assert streams(upstream) == ["receipts"]
    outputs = stacks.outputs()
    assert outputs["QueueArn"].endswith(":second")
    assert policy_resources(upstream, outputs["PolicyArn"]) == [
        outputs["QueueArn"],
        f"{outputs['StreamArn']}/consumer/*",
    ]
    assert stacks.topic_attributes(stacks.physical_id("Topic"))["DisplayName"] == "of receipts"


def test_removed_upstream_resources_are_deleted(stacks: StackClient, upstream: str) -> None:
    """A template without upstream resources leaves nothing upstream."""
    stacks.create(MIXED)
    document = stacks.client.get_template(StackName="shop")["TemplateBody"]
    assert document == MIXED
    without = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: first}}}"

    assert stacks.update(without) == "UPDATE_COMPLETE"

    assert streams(upstream) == []
    assert behind(upstream, "cloudformation").describe_stacks()["Stacks"] == []
    assert stacks.logical_ids() == {"Queue"}


def test_a_failure_upstream_rolls_back_both_engines(stacks: StackClient, upstream: str) -> None:
    """The reason is the upstream's, and neither engine keeps anything of a failed creation or update."""
    bad = MIXED.replace('!Sub "/topics/${Topic.TopicName}"', '"{{resolve:ssm:/nowhere}}"')

    assert stacks.create(bad) == "ROLLBACK_COMPLETE"

    assert "/nowhere" in stacks.reason("Notice", "CREATE_FAILED")
    assert "[Notice]" in stacks.reason("shop", "ROLLBACK_IN_PROGRESS")
    assert stacks.queues() == []
    assert behind(upstream, "cloudformation").describe_stacks()["Stacks"] == []
    stacks.delete()
    stacks.create(MIXED)
    before = stacks.outputs()

    assert stacks.update(bad, Name="second", StreamName="receipts") == "UPDATE_ROLLBACK_COMPLETE"

    assert "/nowhere" in stacks.reason("Notice", "UPDATE_FAILED")
    assert streams(upstream) == ["orders"]
    assert stacks.outputs() == before
    assert stacks.queues() == ["first"]


def test_a_local_failure_rolls_back_the_upstream(stacks: StackClient, upstream: str) -> None:
    """A topic that fails after the stream was created: the stream is deleted, or restored after an update."""
    bad = MIXED.replace('"of ${StreamName}"', f'"{"x" * 101}${{StreamName}}"')
    assert stacks.create(bad) == "ROLLBACK_COMPLETE"
    assert streams(upstream) == []
    stacks.delete()
    stacks.create(MIXED)

    assert stacks.update(bad, StreamName="receipts") == "UPDATE_ROLLBACK_COMPLETE"

    assert streams(upstream) == ["orders"]
    assert stacks.outputs()["StreamArn"].endswith("/orders")


def test_a_stack_that_the_upstream_rejects(stacks: StackClient) -> None:
    """An unknown type fails the resource with the upstream's message."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue}, Odd: {Type: AWS::Nowhere::Thing}}"

    assert stacks.create(template) == "ROLLBACK_COMPLETE"

    assert "AWS::Nowhere::Thing" in stacks.reason("Odd", "CREATE_FAILED")
    assert stacks.delete() == "DELETE_COMPLETE"


def test_an_unreachable_upstream() -> None:
    """The stack fails with that reason, and can be deleted."""
    bus = Localbus(Options(upstream="http://127.0.0.1:9")).start()
    stacks = StackClient(bus)

    state = stacks.create(MIXED)

    assert state == "ROLLBACK_COMPLETE"
    assert "cannot be reached" in stacks.reason("Stream", "CREATE_FAILED")
    assert stacks.delete() == "DELETE_COMPLETE"
    bus.stop()


@pytest.fixture
def shop_parameters(localbus: Localbus) -> Iterator[dict[str, str]]:
    """The parameters of the project's template, with a function's code in the upstream's S3."""
    s3 = localbus.client("s3", config=Config(s3={"addressing_style": "path"}))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("notifier/handler.py", "def handle(event, context): return {}")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="notifier.zip", Body=code.getvalue())
    yield {"Prefix": "morning", "NotifierCodeBucket": "code", "NotifierCodeKey": "notifier.zip"}
    s3.delete_object(Bucket="code", Key="notifier.zip")
    s3.delete_bucket(Bucket="code")


def test_the_project_s_template(
    localbus: Localbus, stacks: StackClient, upstream: str, shop_parameters: dict[str, str]
) -> None:
    """It is created; an order reaches its queue and an event its function; and it is deleted completely."""
    template = TEMPLATE.read_text()

    assert stacks.create(template, **shop_parameters) == "CREATE_COMPLETE"

    outputs = stacks.outputs()
    _publish_order(stacks, "express")
    assert poll_until(lambda: _bodies(stacks, outputs["ExpressQueue"])) == ["an order"]
    assert _bodies(stacks, outputs["WorkQueue"]) == []
    entry = {
        "Source": "orderboard.worker",
        "DetailType": "orderboard.order.rejected.v1",
        "Detail": json.dumps({"data": {}}),
        "EventBusName": outputs["BusName"],
    }
    assert localbus.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    poll_until(lambda: journal(localbus, event="invoked"), within_s=20)
    assert journal(localbus, event="invoked")[0]["resource"].endswith(outputs["NotifierMappingId"])
    lambda_ = behind(upstream, "lambda")
    environment = lambda_.get_function_configuration(FunctionName=outputs["NotifierFunction"])["Environment"]
    assert environment["Variables"]["ORDERBOARD_ALERTS_TOPIC_ARN"] == outputs["AlertsTopicArn"]
    assert stacks.update(template, **shop_parameters, WorkMaxReceiveCount="9") == "UPDATE_COMPLETE"
    assert stacks.outputs()["WorkMaxReceiveCount"] == "9"

    assert stacks.delete() == "DELETE_COMPLETE"

    assert stacks.queues() == []
    assert stacks.topics() == []
    assert [one["Name"] for one in localbus.client("events").list_event_buses()["EventBuses"]] == ["default"]
    assert localbus.client("events").list_archives()["Archives"] == []
    assert localbus.client("dynamodb").list_tables()["TableNames"] == []
    assert lambda_.list_functions()["Functions"] == []
    assert localbus.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_policies_of_the_template_are_enforced(stacks: StackClient, shop_parameters: dict[str, str]) -> None:
    """A topic that the policies do not name cannot send to a queue; the template's topic can."""
    stacks.create(TEMPLATE.read_text(), **shop_parameters)
    other = stacks.sns.create_topic(Name="other")["TopicArn"]
    queue = stacks.outputs()["WorkQueue"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{queue}"
    stacks.sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=arn)

    stacks.sns.publish(TopicArn=other, Message="let me in")
    _publish_order(stacks, "normal")

    assert poll_until(lambda: _bodies(stacks, queue)) == ["an order"]


@pytest.mark.parametrize("events", [1, 8, 16])
def test_a_deletion_during_the_creation(stacks: StackClient, shop_parameters: dict[str, str], events: int) -> None:
    """A deletion leaves nothing, however many events of the creation there were."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in shop_parameters.items()]
    template = TEMPLATE.read_text()
    stack_id = stacks.client.create_stack(
        StackName="shop", TemplateBody=template, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
    )["StackId"]
    poll_until(lambda: len(stacks.events(stack_id)) >= events)

    stacks.client.delete_stack(StackName="shop")

    assert stacks.final_status(stack_id) == "DELETE_COMPLETE"
    assert stacks.queues() == []


def _publish_order(stacks: StackClient, priority: str) -> None:
    given = {"event_type": "orderboard.order.placed.v1", "priority": priority}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in given.items()}
    topic = stacks.outputs()["OrdersTopicArn"]
    stacks.sns.publish(TopicArn=topic, Message="an order", MessageAttributes=attributes)


def _bodies(stacks: StackClient, queue: str) -> list[str]:
    return stacks.bodies(stacks.sqs.get_queue_url(QueueName=queue)["QueueUrl"])
