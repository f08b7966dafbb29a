"""Change sets, events, exports and refusals of CloudFormation."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.behaviours.across_stacks import Stack
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import formation_api, formation_guide, formation_template

GROUP = Group("Across services", "CloudFormation changes")
behaviour = GROUP.behaviour
_QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
_INVALID = "ValidationError"
_SIZED: dict[str, Any] = {
    "Parameters": {"Delay": {"Type": "Number", "Default": 1}},
    "Resources": {"Q": _QUEUE | {"Properties": {"DelaySeconds": {"Ref": "Delay"}}}},
}


def _change(aws: Aws, *, with_values: bool) -> dict[str, Any]:
    """The change of a queue whose delay is a parameter."""
    client, name = aws.client("cloudformation"), aws.name()
    stack = Stack(aws, _SIZED["Resources"], name=name, Parameters=_SIZED["Parameters"])
    given = [{"ParameterKey": "Delay", "ParameterValue": "2"}]
    made = client.create_change_set(
        StackName=stack.name, ChangeSetName="c", TemplateBody=json.dumps(_SIZED), Parameters=given
    )
    client.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
    found = client.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=with_values)["Changes"]
    holds(len(found) == 1, f"has {found}")
    return dict(found[0]["ResourceChange"])


@behaviour(formation_api("ResourceChangeDetail", recorded=True))
def causing_entity(aws: Aws) -> None:
    """A change by a parameter has it as its CausingEntity: a static parameter reference, and a dynamic modification."""
    details = _change(aws, with_values=False)["Details"]

    found = sorted((one["ChangeSource"], one["Evaluation"], one.get("CausingEntity", "")) for one in details)
    same("has", found, [("DirectModification", "Dynamic", ""), ("ParameterReference", "Static", "Delay")])


@behaviour(formation_api("ResourceTargetDefinition", recorded=True))
def values_of_a_change(aws: Aws) -> None:
    """IncludePropertyValues gives each changed property's path, and its values before and after."""
    target = _change(aws, with_values=True)["Details"][0]["Target"]

    found = [target.get(name) for name in ("Path", "AttributeChangeType", "BeforeValue", "AfterValue")]
    same("gives", found, ["/Properties/DelaySeconds", "Modify", "1", "2"])


@behaviour(formation_api("StackEvent", recorded=True))
def properties_in_events(aws: Aws) -> None:
    """An event of a resource has its resolved properties as JSON, and what NoEcho hides is masked."""
    secret = {"P": {"Type": "String", "NoEcho": True, "Default": "secret"}}
    queue = _QUEUE | {"Properties": {"QueueName": aws.name(), "Tags": [{"Key": "k", "Value": {"Ref": "P"}}]}}
    stack = Stack(aws, {"Q": queue}, Parameters=secret)

    events = stack.client.describe_stack_events(StackName=stack.name)["StackEvents"]

    shown = next(one.get("ResourceProperties", "{}") for one in events if one["LogicalResourceId"] == "Q")
    expected = {"QueueName": queue["Properties"]["QueueName"], "Tags": [{"Key": "k", "Value": "****"}]}
    same("has", json.loads(shown), expected)


@behaviour(formation_template("aws-attribute-deletionpolicy"))
def no_snapshot(aws: Aws) -> None:
    """DeletionPolicy Snapshot is refused for a queue, which has no snapshots."""
    queue = _QUEUE | {"DeletionPolicy": "Snapshot"}
    refused(_INVALID, Stack, says="does not support deletion policy Snapshot", aws=aws, resources={"Q": queue})


@behaviour(formation_template("aws-attribute-deletionpolicy", recorded=True))
def policy_by_condition(aws: Aws) -> None:
    """DeletionPolicy may depend on a condition, without the transform AWS::LanguageExtensions too."""
    name, conditions = aws.name(), {"Keep": {"Fn::Equals": ["a", "a"]}}
    queue = _QUEUE | {
        "DeletionPolicy": {"Fn::If": ["Keep", "Retain", "Delete"]},
        "Properties": {"QueueName": name},
    }
    stack = Stack(aws, {"Q": queue}, Conditions=conditions)
    stack.client.delete_stack(StackName=stack.name)
    stack.until("DELETE_COMPLETE")

    aws.client("sqs").get_queue_url(QueueName=name)


@behaviour(formation_api("Tag"))
def reserved_tags(aws: Aws) -> None:
    """A stack's tag with the prefix aws: is refused."""
    client, body = aws.client("cloudformation"), json.dumps({"Resources": {"Q": _QUEUE}})
    given = {"StackName": aws.name(), "TemplateBody": body, "Tags": [{"Key": "aws:owner", "Value": "v"}]}
    refused(_INVALID, client.create_stack, says="not allowed for external use", **given)


@behaviour(formation_guide("outputs-section-structure"))
def export_names(aws: Aws) -> None:
    """Two outputs with one export name are refused."""
    output = {"Value": "v", "Export": {"Name": aws.name()}}
    outputs = {"A": output, "B": output}
    refused(_INVALID, Stack, says="duplicate Export names", aws=aws, resources={"Q": _QUEUE}, Outputs=outputs)


@behaviour(formation_guide("using-cfn-stack-exports"))
def export_in_use(aws: Aws) -> None:
    """DeleteStack of a stack whose export another imports returns; the stack stays, and its events say why."""
    name = aws.name()
    exporter = Stack(aws, {"Q": _QUEUE}, Outputs={"O": {"Value": "v", "Export": {"Name": name}}})
    Stack(aws, {"Q": _QUEUE | {"Properties": {"Tags": [{"Key": "k", "Value": {"Fn::ImportValue": name}}]}}})
    exporter.client.delete_stack(StackName=exporter.name)

    def reason() -> str:
        events = exporter.client.describe_stack_events(StackName=exporter.id)["StackEvents"]
        return next((text for one in events if "in use by" in (text := one.get("ResourceStatusReason", ""))), "")

    eventually(reason, "does not say why", 5)
    same("becomes", exporter.described()["StackStatus"], "CREATE_COMPLETE")


@behaviour(formation_template("intrinsic-function-reference-cidr"))
def blocks(aws: Aws) -> None:
    """Fn::Cidr gives blocks of an address block."""
    value = {"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}
    stack = Stack(aws, {"Q": _QUEUE}, Outputs={"O": {"Value": value}})
    same("gives", stack.outputs(), {"O": "10.0.1.0/24"})


@behaviour(
    formation_guide("import-resources-automatically"),
    differs="localbus imports no resources: the creation of one that exists fails.",
)
def existing_resources(aws: Aws) -> None:
    """ImportExistingResources brings a queue that exists into the stack."""
    queue = aws.queue()
    resource = _QUEUE | {"DeletionPolicy": "Retain", "Properties": {"QueueName": queue.name}}
    client, name = aws.client("cloudformation"), aws.name()
    made = client.create_change_set(
        StackName=name,
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Q": resource}}),
        ImportExistingResources=True,
    )
    client.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
    client.execute_change_set(ChangeSetName=made["Id"])

    def status() -> str:
        found = str(client.describe_stacks(StackName=made["StackId"])["Stacks"][0]["StackStatus"])
        return "" if found.endswith("IN_PROGRESS") else found

    same("becomes", eventually(status, "does not end", 5), "CREATE_COMPLETE")
