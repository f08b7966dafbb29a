"""Nested stacks, whose templates are files in the upstream's S3.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient

URL = "https://s3.us-east-1.amazonaws.com/nested/child.json"
CHILD = {
    "Parameters": {"Delay": {"Type": "Number", "Default": "0"}, "Removed": {"Type": "String", "Default": "no"}},
    "Conditions": {"Has": {"Fn::Equals": [{"Ref": "Removed"}, "no"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "Delay"}}},
        "Second": {"Type": "AWS::SQS::Queue", "Condition": "Has", "Properties": {"QueueName": "second"}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        },
    },
    "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}, "Table": {"Value": {"Ref": "Table"}}},
}


def parent(*, topic: str = "fine", tags: bool = False, **parameters: str) -> str:
    """A template with a nested stack, and a topic that refers to it."""
    given: dict[str, Any] = {"TemplateURL": URL, "Parameters": parameters, "TimeoutInMinutes": 5}
    if tags:
        given["Tags"] = [{"Key": "team", "Value": "tea"}]
    display = {"Fn::Join": ["-", [topic, {"Fn::GetAtt": ["Inner", "Outputs.Table"]}]]}
    resources = {
        "Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": given},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": display}},
    }
    outputs = {"Name": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Name"]}}, "Id": {"Value": {"Ref": "Inner"}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


@pytest.fixture
def files(upstream_bus: Localbus) -> Any:
    """S3, with the template of the nested stack."""
    s3 = upstream_bus.client("s3", config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="nested")
    s3.put_object(Bucket="nested", Key="child.json", Body=json.dumps(CHILD).encode())
    return s3


@pytest.fixture
def stacks(upstream_bus: Localbus, files: Any) -> Iterator[StackClient]:
    """CloudFormation, whose stacks are deleted afterwards."""
    found = StackClient(upstream_bus)
    yield found
    for stack in found.client.describe_stacks()["Stacks"]:
        if "ParentId" not in stack:
            found.delete(stack["StackId"])


def test_a_nested_stack_is_created_and_deleted_with_its_parent(stacks: StackClient, upstream_bus: Localbus) -> None:
    """Its outputs are attributes; it shows its parent, its root and its tags; its name has the parent's."""
    assert stacks.create(parent(tags=True, Delay="7")) == "CREATE_COMPLETE"

    outputs = stacks.outputs()
    child = stacks.stack(outputs["Id"])
    assert child["StackName"].startswith("shop-Inner-")
    assert (child["StackStatus"], child["TimeoutInMinutes"]) == ("CREATE_COMPLETE", 5)
    assert child["ParentId"] == child["RootId"] == stacks.stack()["StackId"]
    assert child["Tags"] == [{"Key": "team", "Value": "tea"}]
    assert "ParentId" not in stacks.stack()
    assert stacks.attributes(stacks.sqs.get_queue_url(QueueName=outputs["Name"])["QueueUrl"])["DelaySeconds"] == "7"
    tables = upstream_bus.client("dynamodb").list_tables()["TableNames"]
    assert stacks.topic_attributes(stacks.physical_id("Topic"))["DisplayName"] == f"fine-{tables[0]}"
    events = [status for name, status in stacks.events() if name == "Inner"]
    assert events == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]

    assert stacks.delete() == "DELETE_COMPLETE"

    assert stacks.stack(outputs["Id"])["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.queues() == []
    assert upstream_bus.client("dynamodb").list_tables()["TableNames"] == []


def test_a_changed_file_updates_the_nested_stack(stacks: StackClient, files: Any) -> None:
    """An update of the parent with the same template reads the file again, and its change set says so."""
    stacks.create(parent())
    child = stacks.outputs()["Id"]
    changed = json.loads(json.dumps(CHILD))
    changed["Resources"]["Queue"]["Properties"]["DelaySeconds"] = "9"
    del changed["Resources"]["Second"]
    files.put_object(Bucket="nested", Key="child.json", Body=json.dumps(changed).encode())

    named: Any = {"StackName": "shop", "ChangeSetName": "c"}
    stacks.client.create_change_set(**named, TemplateBody=parent())
    (change, *_) = stacks.client.describe_change_set(**named)["Changes"]
    assert change["ResourceChange"]["Details"][0]["ChangeSource"] == "Automatic"
    stacks.client.execute_change_set(**named)

    assert stacks.final_status() == "UPDATE_COMPLETE"
    assert stacks.final_status(child) == "UPDATE_COMPLETE"
    url = stacks.sqs.get_queue_url(QueueName=stacks.outputs()["Name"])["QueueUrl"]
    assert stacks.attributes(url)["DelaySeconds"] == "9"
    assert len(stacks.queues()) == 1


def test_a_failure_of_the_parent_rolls_the_nested_stack_back(stacks: StackClient) -> None:
    """A queue that the update removes keeps its messages, since it is deleted only when the parent has succeeded."""
    stacks.create(parent())
    child = stacks.outputs()["Id"]
    url = stacks.sqs.get_queue_url(QueueName="second")["QueueUrl"]
    stacks.sqs.send_message(QueueUrl=url, MessageBody="tea")

    assert stacks.update(parent(topic="x" * 200, Delay="9", Removed="yes")) == "UPDATE_ROLLBACK_COMPLETE"

    assert stacks.final_status(child) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.bodies(url) == ["tea"]
    first = stacks.sqs.get_queue_url(QueueName=stacks.outputs()["Name"])["QueueUrl"]
    assert stacks.attributes(first)["DelaySeconds"] == "0"
    assert stacks.update(parent(Delay="9", Removed="yes")) == "UPDATE_COMPLETE"
    assert stacks.attributes(first)["DelaySeconds"] == "9"
    assert len(stacks.queues()) == 1


def test_a_failure_of_the_nested_stack_rolls_the_parent_back(stacks: StackClient) -> None:
    """Of a creation nothing is left; the reason names the nested stack and its resource."""
    assert stacks.create(parent(Delay="9999")) == "ROLLBACK_COMPLETE"

    reason = stacks.reason("Inner", "CREATE_FAILED")
    assert reason.startswith("Embedded stack arn:aws:cloudformation:")
    assert reason.endswith("was not successfully created: The following resource(s) failed to create: [Queue].")
    assert stacks.queues() == []
    stacks.delete()
    stacks.create(parent())

    assert stacks.update(parent(Delay="9999")) == "UPDATE_ROLLBACK_COMPLETE"

    reason = stacks.reason("Inner", "UPDATE_FAILED")
    assert "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: " in reason
    assert stacks.final_status(stacks.outputs()["Id"]) == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"TemplateURL": URL, "Parameters": {"None": "x"}}, "Parameters: [None] do not exist in the template"),
        ({"TemplateURL": URL.replace("child", "none")}, "S3 error: The specified key does not exist."),
        ({"TemplateURL": URL, "Parameters": {"Delay": [1]}}, "Value of property Parameters must be an object"),
        ({"TemplateURL": URL, "TimeoutInMinutes": "-1.5"}, "TimeoutInMinutes must be an integer from 1: -1.5"),
    ],
)
def test_a_wrong_nested_stack_fails(stacks: StackClient, properties: Any, reason: str) -> None:
    """Its resource has the reason."""
    resources = {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}
    assert stacks.create(json.dumps({"Resources": resources})) == "ROLLBACK_COMPLETE"
    assert reason in stacks.reason("Inner", "CREATE_FAILED")


def test_a_change_set_with_nested_stacks(stacks: StackClient) -> None:
    """The change set of the parent, as `cdk deploy` makes it, creates and updates the nested stack too."""
    named: Any = {"StackName": "shop", "ChangeSetName": "c"}
    for kind, delay in (("CREATE", "5"), ("UPDATE", "6")):
        given = named | {"ChangeSetType": kind, "IncludeNestedStacks": True, "TemplateBody": parent(Delay=delay)}
        stacks.client.create_change_set(**given)
        assert stacks.client.describe_change_set(**named)["IncludeNestedStacks"]
        stacks.client.execute_change_set(**named)

        assert stacks.final_status() == f"{kind}_COMPLETE"
        url = stacks.sqs.get_queue_url(QueueName=stacks.outputs()["Name"])["QueueUrl"]
        assert stacks.attributes(url)["DelaySeconds"] == delay
        stacks.client.delete_change_set(**named)


def test_a_parent_deleted_during_its_update(stacks: StackClient) -> None:
    """The nested stack goes with it."""
    stacks.create(parent())
    child = stacks.outputs()["Id"]
    stack_id = stacks.stack()["StackId"]
    stacks.client.update_stack(StackName="shop", TemplateBody=parent(Delay="9", Removed="yes"))

    stacks.client.delete_stack(StackName="shop")

    assert stacks.final_status(stack_id) == "DELETE_COMPLETE"
    assert stacks.final_status(child) == "DELETE_COMPLETE"
    assert stacks.queues() == []
