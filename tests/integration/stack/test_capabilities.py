"""A backend can do what its capabilities say and cannot do what they deny; a newer one tells us to change the words."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from integration.stack import sample_events
from integration.stack.traffic import event_ids, happens, publish, put
from orderboard_stack.backend import Endpoint, detect
from orderboard_stack.stack import DeployFailedError, Stack
from support.stack import DeployedStack


def make_again(stack: DeployedStack, queue: str) -> None:
    """So that the stack can be deleted on backends that want it whole. AWS wants neither that nor the name so soon."""
    with suppress(stack.sqs.exceptions.QueueDeletedRecently):
        stack.sqs.create_queue(QueueName=queue)


def test_a_running_backend_is_recognised(backend: Endpoint) -> None:
    """Its address is enough to know which backend it is."""
    assert detect(backend.endpoint_url) == backend


@pytest.fixture
def made(backend: Endpoint) -> Iterator[Callable[[Mapping[str, Any]], str | None]]:
    """Makes a stack of these resources; answers its name, which is also to be their name, or None if that fails."""
    stacks: list[Stack] = []

    def make(resources: Mapping[str, Any]) -> str | None:
        name = f"test-{secrets.token_hex(4)}"
        stack = Stack(backend.session(), backend.endpoint_url, name, progress=lambda _: None, within_s=60)
        template = json.dumps({"Resources": resources}).replace("NAME", name)
        try:
            stack.create(template, {})
        except DeployFailedError:
            return None
        finally:
            stacks.append(stack)
        return name

    yield make
    for stack in stacks:
        with suppress(DeployFailedError):
            stack.delete()


def test_archives_of_a_template(backend: Endpoint, made: Callable[[Mapping[str, Any]], str | None]) -> None:
    """If CloudFormation knows archives, one that a template describes is there, under its name."""
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "NAME"}}
    described = {"ArchiveName": "NAME", "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}}
    events = backend.session().client("events", endpoint_url=backend.endpoint_url)

    name = made({"Bus": bus, "Archive": {"Type": "AWS::Events::Archive", "Properties": described}})

    found = name is not None and [
        each["ArchiveName"] for each in events.list_archives(NamePrefix=name)["Archives"]
    ] == [name]
    assert found == backend.capabilities.archive_in_template


def test_dashboards_of_a_template(backend: Endpoint, made: Callable[[Mapping[str, Any]], str | None]) -> None:
    """If CloudFormation knows dashboards, one that a template describes is there, under its name."""
    described = {"DashboardName": "NAME", "DashboardBody": json.dumps({"widgets": []})}
    cloudwatch = backend.session().client("cloudwatch", endpoint_url=backend.endpoint_url)

    name = made({"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": described}})

    found = name is not None and [
        each["DashboardName"] for each in cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    ] == [name]
    assert found == backend.capabilities.dashboard


def test_alarms_on_expressions(backend: Endpoint, made: Callable[[Mapping[str, Any]], str | None]) -> None:
    """If CloudFormation knows metric math, an alarm on an expression is there, with its metrics."""
    metric = {"Namespace": "shop", "MetricName": "orders"}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2"},
    ]
    decides = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch = backend.session().client("cloudwatch", endpoint_url=backend.endpoint_url)

    described = {"AlarmName": "NAME", "Metrics": queries, **decides}

    name = made({"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": described}})

    found = name is not None and [
        each["Id"] for each in cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["Metrics"]
    ] == ["m1", "e1"]
    assert found == backend.capabilities.metric_math


async def test_message_move_tasks(quiet_stack: DeployedStack) -> None:
    """If the backend has move tasks, a dead-letter queue is redriven by one call."""
    stack, names = quiet_stack, quiet_stack.outputs
    dlq_url = stack.queue_url(names.work_dlq)
    stack.sqs.send_message(QueueUrl=dlq_url, MessageBody="rests")
    attributes = stack.sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])["Attributes"]

    def moves() -> bool:
        try:
            stack.sqs.start_message_move_task(
                SourceArn=attributes["QueueArn"],
                DestinationArn=attributes["QueueArn"].replace(names.work_dlq, names.work_queue),
            )
        except ClientError:
            return False
        return True

    moved = moves() and await happens(lambda: stack.waiting(names.work_queue) == 1, within_s=4)

    assert moved == stack.endpoint.capabilities.message_move_task


async def test_what_a_topic_cannot_deliver(quiet_stack: DeployedStack) -> None:
    """If topics have dead letters, an order whose queue is gone is in the undelivered queue."""
    stack, names = quiet_stack, quiet_stack.outputs
    stack.sqs.delete_queue(QueueUrl=stack.queue_url(names.work_queue))

    order_id = publish(stack, sample_events.placed("normal"))
    kept = await happens(lambda: order_id in set(event_ids(stack, names.undelivered_queue)))

    make_again(stack, names.work_queue)
    assert kept == stack.endpoint.capabilities.topic_dead_letters


async def test_what_a_rule_cannot_deliver(quiet_stack: DeployedStack) -> None:
    """If rules have dead letters, an alert whose queue is gone is in the undelivered queue."""
    stack, names = quiet_stack, quiet_stack.outputs
    stack.sqs.delete_queue(QueueUrl=stack.queue_url(names.alerts_queue))

    event_id = put(stack, sample_events.rejected())
    kept = await happens(lambda: event_id in set(event_ids(stack, names.undelivered_queue)))

    make_again(stack, names.alerts_queue)
    assert kept == stack.endpoint.capabilities.rule_dead_letters
