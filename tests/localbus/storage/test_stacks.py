"""Stacks whose engine is killed after each commit of their creation, update, rollback and deletion."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from localbus.cloudformation import api
from localbus.cloudformation.change_set import CHANGE_SET
from localbus.cloudformation.stack import CHANGE, EVENT, PLAN, RESOURCE, STACK, Stack
from localbus.cloudformation.stack_resource import time_document
from localbus.protocol.service import Caller
from localbus.storage.documents import decode, encode
from localbus.storage.durable import DurableStorage
from support.durable import DurableEngine, as_killed


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


class Stacks(DurableEngine):
    """CloudFormation of a durable engine."""

    def do(self, action: str, **params: Any) -> dict[str, Any]:
        """Call an action."""
        service = api.service(self.engine.stacks)
        answer: dict[str, Any] = self.run(lambda: service.call(service.api.operation(action), params, Caller()))
        return answer

    def deploy(self, action: str, **params: Any) -> None:
        """Call an action on the stack `shop`, and wait until the stack has completed it."""
        if action == "DeleteStack":
            self.do(action, StackName="shop")
        else:
            self.do(action, StackName="shop", **params)
        self.settle()

    def settle(self) -> None:
        """Wait until no operation is under way, and everything is stored."""

        async def settled() -> None:
            while tasks := [one.task for one in self.stacks() if one.task is not None and not one.task.done()]:
                await asyncio.wait(tasks)
            await self.engine.storage.stored()

        self.run(settled)

    def stacks(self) -> list[Stack]:
        """Every stack, the latest first."""
        return list(self.engine.stacks.stacks.of(Caller()))

    def answers(self) -> dict[str, Any]:
        """The answers of CloudFormation about every stack."""
        found: dict[str, Any] = {"ListStacks": self.do("ListStacks"), "ListExports": self.do("ListExports")}
        for stack in self.stacks():
            for action in ("DescribeStacks", "DescribeStackEvents", "DescribeStackResources", "ListStackResources"):
                found[f"{action} {stack.id}"] = self.do(action, StackName=stack.id)
            for action in ("GetTemplate", "GetTemplateSummary", "ListChangeSets"):
                if stack.plan is not None:
                    found[f"{action} {stack.id}"] = self.do(action, StackName=stack.id)
        for change_set in self.engine.stacks.change_sets.by_id:
            for values in (False, True):
                given = {"ChangeSetName": change_set, "IncludePropertyValues": values}
                found[f"{change_set} {values}"] = self.do("DescribeChangeSet", **given)
        return found

    def stored(self) -> dict[tuple[str, str, str], Any]:
        """Every record of CloudFormation in the file."""
        kinds = (STACK, PLAN, RESOURCE, CHANGE, EVENT, CHANGE_SET)
        return {(kind, *one[:2]): one.document for kind in kinds for one in self.engine.storage.records(kind)}

    def live(self) -> dict[tuple[str, str, str], Any]:
        """Every record as it would be written now."""
        found: dict[tuple[str, str, str], Any] = {}
        for stack in self.stacks():
            found[STACK, "", stack.id] = stack.document()
            if stack.plan is not None:
                found[PLAN, stack.id, "current"] = stack.plan.document()
            found |= {(RESOURCE, stack.id, name): one.document() for name, one in stack.resources.items()}
            for number, event in enumerate(stack.events, 1):
                document = event | {"Timestamp": time_document(event["Timestamp"])}
                found[EVENT, stack.id, str(number)] = document
        for change_set in self.engine.stacks.change_sets.by_id.values():
            found[CHANGE_SET, "", change_set.id] = change_set.document()
        return {name: decode(encode(document)) for name, document in found.items()}

    def inventory(self) -> set[str]:
        """The physical ids of every resource that its service has."""
        engine, caller = self.engine, Caller()
        rules = [rule for bus in engine.events.buses.of(caller) for rule in bus.rules.values()]
        return {
            *(record.url(caller) for record in engine.sqs.queues),
            *(bus.name for bus in engine.events.buses.of(caller) if bus.name != "default"),
            *(f"{rule.bus.name}|{rule.name}" for rule in rules if not rule.managed_by),
            *(archive.name for archive in engine.events.archives.of(caller)),
            *(connection.name for connection in engine.events.connections.of(caller)),
            *(topic.arn for topic in engine.sns.topics),
            *(one.arn for one in engine.sns.topics.subscriptions() if not one.endpoint.endswith(":dead")),
            *engine.dynamodb.tables(caller),
        }

    def in_stacks(self) -> set[str]:
        """The physical ids of every resource that the stacks have, except of policies, which are not resources."""
        found = [one for stack in self.stacks() for one in stack.resources.values() if one.exists]
        return {one.physical_id for one in found if not one.type.endswith("Policy")}


def images(
    folder: Path, prepare: Callable[[Stacks], None], act: Callable[[Stacks], None]
) -> Iterator[tuple[Path, bool]]:
    """Yield the data folder as a kill leaves it, after each commit of an action, and whether that is under way."""
    with Stacks(folder / "run") as engine:
        prepare(engine)
        storage = engine.engine.storage
        assert isinstance(storage, DurableStorage)
        commit, found = storage.commit, list[tuple[Path, bool]]()

        def commit_and_copy() -> None:
            if storage.is_pending:
                commit()
                copy = as_killed(engine.data, folder / f"image-{len(found)}" / "0")
                found.append((copy.parent, any(one.operation for one in engine.stacks())))

        storage.commit = commit_and_copy  # type: ignore[method-assign]
        act(engine)
        storage.commit = commit  # type: ignore[method-assign]
    assert len(found) > 5
    for image, is_under_way in found:
        yield image, is_under_way
        shutil.rmtree(image)


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

    for image, is_under_way in images(tmp_path, create, change):
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
