"""Stacks whose engine is killed after each commit of their creation, update, rollback and deletion."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from localbus.protocol.service import Caller
from support.durable import as_killed
from support.killed_stacks import Stacks, images


def template(version: int, *, broken: bool = False) -> str:
    """A template: version 2 changes, replaces, removes and adds resources, and a broken one fails with its last."""
    resources: dict[str, Any] = {
        "Queue": _queue(
            "work", DelaySeconds=version, RedrivePolicy={"maxReceiveCount": 3, "deadLetterTargetArn": _arn("Dead")}
        ),
        "Dead": _queue("dead"),
        "Unnamed": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "version", "Value": str(version)}]}},
        "Replaced": _queue(f"replaced-{version}"),
        f"Only{version}": _queue(f"only-{version}"),
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": _arn("Queue")}
                    ]
                },
            },
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop", "Description": f"version {version}"}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": f"orders-{version}",
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": ["shop"]},
                "Targets": [{"Id": "queue", "Arn": _arn("Queue")}],
            },
        },
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {"ArchiveName": "shop", "SourceArn": _arn("Bus"), "RetentionDays": version},
        },
    }
    resources |= {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": f"orders-{version}",
                "Subscription": [{"Protocol": "sqs", "Endpoint": _arn("Dead")}],
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"Protocol": "sqs", "TopicArn": {"Ref": "Topic"}, "Endpoint": _arn("Queue")},
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": f"orders-{version}",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        },
        "Connection": {
            "Type": "AWS::Events::Connection",
            "Properties": {
                "Name": "shop",
                "AuthorizationType": "API_KEY",
                "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "key", "ApiKeyValue": {"Ref": "Secret"}}},
            },
        },
    }
    if broken:
        resources["Broken"] = _queue("broken", DelaySeconds=100_000)
        resources["Broken"]["DependsOn"] = [one for one in resources if one != "Broken"]
    outputs = {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": "url"}}, "Version": {"Value": str(version)}}
    parameters = {"Secret": {"Type": "String", "Default": f"secret {version}", "NoEcho": True}}
    return json.dumps({"Parameters": parameters, "Resources": resources, "Outputs": outputs})


def _queue(name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def nothing(_engine: Stacks) -> None:
    """Leave the engine empty."""


def created(engine: Stacks) -> None:
    """Create the stack in its first version."""
    engine.deploy("CreateStack", TemplateBody=template(1))


def updated(engine: Stacks) -> None:
    """Update it to its second version."""
    engine.deploy("UpdateStack", TemplateBody=template(2))


SCENARIOS: dict[str, tuple[Callable[[Stacks], None], Callable[[Stacks], None], str, str | None]] = {
    "creation": (nothing, created, "CREATE_COMPLETE", "1"),
    "failed creation": (
        nothing,
        lambda engine: engine.deploy("CreateStack", TemplateBody=template(1, broken=True)),
        "ROLLBACK_COMPLETE",
        None,
    ),
    "failed creation that is deleted": (
        nothing,
        lambda engine: engine.deploy("CreateStack", TemplateBody=template(1, broken=True), OnFailure="DELETE"),
        "DELETE_COMPLETE",
        None,
    ),
    "update": (created, updated, "UPDATE_COMPLETE", "2"),
    "failed update": (
        created,
        lambda engine: engine.deploy("UpdateStack", TemplateBody=template(2, broken=True)),
        "UPDATE_ROLLBACK_COMPLETE",
        "1",
    ),
    "deletion": (created, lambda engine: engine.deploy("DeleteStack"), "DELETE_COMPLETE", "1"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_after_each_commit(tmp_path: Path, name: str) -> None:
    """The operation goes on to its end, says so, leaves no orphan, and the stack can be deleted completely."""
    prepare, act, status, version = SCENARIOS[name]
    for image, is_under_way in images(tmp_path, prepare, act):
        with Stacks(image) as engine:
            [stack] = engine.stacks()
            engine.settle()

            assert stack.status == status, image
            said = [one for one in stack.events if "restarted" in one.get("ResourceStatusReason", "")]
            assert len(said) == is_under_way
            assert engine.inventory() == engine.in_stacks(), image
            assert {one["OutputKey"]: one["OutputValue"] for one in stack.outputs}.get("Version") == version, image
            assert not [one for one in stack.resources.values() if one.is_in_progress]
            assert (stack.obsolete_resources, stack.changes, stack.plan_before) == ([], {}, None)
            assert engine.stored() == engine.live(), image
            before = engine.answers()
            engine.kill()
            assert engine.answers() == before
            engine.deploy("DeleteStack")
            assert engine.inventory() == set()


def test_a_kill_while_a_service_has_made_a_resource_and_not_answered(tmp_path: Path) -> None:
    """The resource is made again: there is one, and it is the stack's."""
    with socket.socket() as silent:  # an upstream that takes the secret of the connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with Stacks(tmp_path / "run", upstream=f"http://127.0.0.1:{silent.getsockname()[1]}") as engine:
            engine.do("CreateStack", StackName="shop", TemplateBody=template(1))
            while not engine.engine.events.connections.of(Caller()):
                engine.run(lambda: asyncio.sleep(0))
            engine.run(engine.engine.storage.stored)
            as_killed(engine.data, tmp_path / "killed" / "0")

    with Stacks(tmp_path / "killed") as engine:
        engine.settle()

        assert engine.stacks()[0].status == "CREATE_COMPLETE"
        assert engine.inventory() == engine.in_stacks()


def test_change_sets(tmp_path: Path) -> None:
    """A kill leaves those to execute and those of the past; one whose execution it interrupts is executed."""

    def change(engine: Stacks) -> None:
        engine.do("CreateChangeSet", StackName="shop", ChangeSetName="second", TemplateBody=template(2))
        engine.do("CreateChangeSet", StackName="shop", ChangeSetName="same", TemplateBody=template(1))
        engine.deploy("ExecuteChangeSet", ChangeSetName="second")

    def create(engine: Stacks) -> None:
        given = {"StackName": "shop", "ChangeSetName": "first", "ChangeSetType": "CREATE"}
        engine.do("CreateChangeSet", **given, TemplateBody=template(1), Tags=[{"Key": "team", "Value": "tea"}])
        engine.deploy("ExecuteChangeSet", ChangeSetName="first")

    for image, is_under_way in itertools.islice(images(tmp_path, create, change), None, None, 3):
        with Stacks(image) as engine:
            engine.settle()
            [stack] = engine.stacks()
            first, *later = engine.engine.stacks.change_sets.by_id.values()

            assert first.execution == "EXECUTE_COMPLETE"
            assert stack.tags == [{"Key": "team", "Value": "tea"}]
            if is_under_way:
                assert [one.execution for one in later] == ["EXECUTE_COMPLETE"]
            assert engine.stored() == engine.live()
            before = engine.answers()
            engine.kill()
            assert engine.answers() == before
            if len(later) == 2:
                engine.deploy("ExecuteChangeSet", ChangeSetName="second")
            assert {one["OutputKey"]: one["OutputValue"] for one in stack.outputs}["Version"] in {"1", "2"}


def test_settings_after_a_kill(tmp_path: Path) -> None:
    """Each change of a setting is kept, and a cancelled update is rolled back."""
    with Stacks(tmp_path) as engine:
        engine.do("CreateStack", StackName="shop", TemplateBody=template(1), TimeoutInMinutes=5)
        engine.settle()
        engine.do("UpdateTerminationProtection", StackName="shop", EnableTerminationProtection=True)
        engine.do("UpdateStack", StackName="shop", TemplateBody=template(2), ClientRequestToken="token")
        engine.do("CancelUpdateStack", StackName="shop")
        engine.run(engine.engine.storage.stored)
        engine.kill()
        engine.settle()

        [stack] = engine.stacks()
        assert (stack.status, stack.termination_protection) == ("UPDATE_ROLLBACK_COMPLETE", True)
        assert (stack.timeout_minutes, stack.token) == (5, "token")
        assert engine.stored() == engine.live()
