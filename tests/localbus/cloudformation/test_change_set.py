"""Change sets: described, executed and deleted. `aws cloudformation deploy` uses nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.cloudformation import StackClient

SHOP = """
Parameters: {Prefix: {Type: String, Default: shop}, Seconds: {Type: Number, Default: 30}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Prefix}}
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Seconds}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
"""


def propose(stacks: StackClient, kind: str, name: str = "try", template: str = SHOP, **values: str) -> dict[str, Any]:
    """Create a change set and describe it."""
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    created = stacks.client.create_change_set(
        StackName="shop", ChangeSetName=name, ChangeSetType=kind, TemplateBody=template, Parameters=parameters
    )
    found: dict[str, Any] = stacks.client.describe_change_set(ChangeSetName=created["Id"])
    return found


def changes(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """The action and the replacement for each resource."""
    listed = [one["ResourceChange"] for one in found["Changes"]]
    return {one["LogicalResourceId"]: (one["Action"], one.get("Replacement")) for one in listed}


def test_a_new_stack_waits_for_its_change_set(stacks: StackClient) -> None:
    """The stack has no resources before the execution, and those of the change set after it."""
    found = propose(stacks, "CREATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert changes(found) == dict.fromkeys(("Topic", "Queue", "Subscription"), ("Add", None))
    assert stacks.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert stacks.queues() == []

    stacks.client.execute_change_set(ChangeSetName="try", StackName="shop")

    assert stacks.final_status() == "CREATE_COMPLETE"
    assert stacks.physical_id("Topic").endswith(":shop")


def test_a_change_set_says_what_it_replaces(stacks: StackClient) -> None:
    """Updates in place, replacements and their consequences differ."""
    stacks.create(SHOP)

    found = propose(stacks, "UPDATE", Prefix="store", Seconds="45")

    assert changes(found) == {
        "Topic": ("Modify", "True"),
        "Queue": ("Modify", "False"),
        "Subscription": ("Modify", "True"),
    }
    details = found["Changes"][0]["ResourceChange"]["Details"]
    assert {one["Target"]["Name"] for one in details} == {"TopicName"}
    assert stacks.physical_id("Topic").endswith(":shop")

    stacks.client.execute_change_set(ChangeSetName=found["ChangeSetId"])

    assert stacks.final_status() == "UPDATE_COMPLETE"
    assert stacks.physical_id("Topic").endswith(":store")


def test_a_removal_has_the_physical_id(stacks: StackClient) -> None:
    """Resources that the template no longer has are removed."""
    stacks.create(SHOP)

    found = propose(stacks, "UPDATE", template="Resources: {Topic: {Type: AWS::SNS::Topic}}")

    removed = [one["ResourceChange"] for one in found["Changes"] if one["ResourceChange"]["Action"] == "Remove"]
    expected = {stacks.physical_id(name) for name in ("Queue", "Subscription")}
    assert {one["PhysicalResourceId"] for one in removed} == expected


def test_a_change_set_without_changes_fails(stacks: StackClient) -> None:
    """Tools treat its reason as success; it cannot be executed."""
    stacks.create(SHOP)

    found = propose(stacks, "UPDATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert stacks.rejected("execute_change_set", ChangeSetName=found["ChangeSetId"])[0] == "InvalidChangeSetStatus"


def test_change_sets_are_listed_and_deleted(stacks: StackClient) -> None:
    """A stack may have several; the execution of one deletes the others."""
    stacks.create(SHOP)
    for name, seconds in (("first", "1"), ("second", "2"), ("third", "3")):
        propose(stacks, "UPDATE", name, Seconds=seconds)
    stacks.client.delete_change_set(ChangeSetName="first", StackName="shop")
    listed = stacks.client.list_change_sets(StackName="shop")["Summaries"]
    assert [one["ChangeSetName"] for one in listed] == ["second", "third"]

    stacks.client.execute_change_set(ChangeSetName="third", StackName="shop")
    stacks.final_status()

    assert stacks.attributes(stacks.physical_id("Queue"))["VisibilityTimeout"] == "3"
    error = stacks.rejected("describe_change_set", ChangeSetName="second")
    assert error == ("ChangeSetNotFound", "ChangeSet [second] does not exist")


@pytest.mark.parametrize(
    ("values", "with_values", "expected"),
    [
        (
            {"Prefix": "store"},
            False,
            {
                "Topic": [
                    ("ParameterReference", "Static", "Prefix", "TopicName", "Always"),
                    ("DirectModification", "Dynamic", None, "TopicName", "Always"),
                ],
                "Subscription": [("ResourceReference", "Static", "Topic", "TopicArn", "Always")],
            },
        ),
        (
            {"Seconds": "45"},
            False,
            {
                "Queue": [
                    ("ParameterReference", "Static", "Seconds", "VisibilityTimeout", "Never"),
                    ("DirectModification", "Dynamic", None, "VisibilityTimeout", "Never"),
                ],
                "Subscription": [("ResourceAttribute", "Dynamic", "Queue.Arn", "Endpoint", "Always")],
            },
        ),
        (
            {"Prefix": "store"},
            True,
            {
                "Topic": [
                    ("ParameterReference", "Static", "Prefix", "TopicName", "Always"),
                    ("DirectModification", "Dynamic", None, "TopicName", "Always"),
                ],
                "Subscription": [
                    ("DirectModification", "Dynamic", None, "TopicArn", "Always"),
                    ("ResourceReference", "Static", "Topic", "TopicArn", "Always"),
                ],
            },
        ),
    ],
)
def test_a_change_has_its_causes(
    stacks: StackClient, values: dict[str, str], with_values: bool, expected: dict[str, Any]
) -> None:
    """A parameter, the resource or the attribute that causes a change, and whether it is certain to change.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html, and AWS's
    answers as recorded by public test suites.
    """
    stacks.create(SHOP)
    propose(stacks, "UPDATE", **values)

    found = stacks.client.describe_change_set(StackName="shop", ChangeSetName="try", IncludePropertyValues=with_values)

    shown = {
        change["LogicalResourceId"]: [
            (one["ChangeSource"], one["Evaluation"], one.get("CausingEntity"), one["Target"]["Name"], recreation)
            for one in change["Details"]
            for recreation in [one["Target"]["RequiresRecreation"]]
        ]
        for change in [one["ResourceChange"] for one in found["Changes"]]
    }
    assert shown == expected


def test_a_change_shows_its_values(stacks: StackClient) -> None:
    """IncludePropertyValues shows the values before and after, and that a replaced topic's ARN is known later."""
    stacks.create(SHOP)
    topic = stacks.physical_id("Topic")
    propose(stacks, "UPDATE", Prefix="store")

    found = stacks.client.describe_change_set(StackName="shop", ChangeSetName="try", IncludePropertyValues=True)

    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in found["Changes"]}
    assert changes["Topic"]["Details"][0]["Target"] == {
        "Attribute": "Properties",
        "Name": "TopicName",
        "RequiresRecreation": "Always",
        "Path": "/Properties/TopicName",
        "AttributeChangeType": "Modify",
        "BeforeValue": "shop",
        "AfterValue": "store",
    }
    before, after = (json.loads(changes["Subscription"][name]) for name in ("BeforeContext", "AfterContext"))
    assert before["Properties"]["TopicArn"] == topic
    assert after["Properties"]["TopicArn"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert after["Properties"]["Endpoint"] == before["Properties"]["Endpoint"]


def test_a_stack_in_review_can_be_deleted(stacks: StackClient) -> None:
    """A change set that is not executed leaves nothing."""
    propose(stacks, "CREATE")

    assert stacks.delete() == "DELETE_COMPLETE"


def test_an_invalid_template_creates_no_change_set(stacks: StackClient) -> None:
    """It is rejected as by CreateStack, and no stack is created."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}}"

    error = stacks.rejected("create_change_set", ChangeSetName="try", ChangeSetType="CREATE", TemplateBody=template)

    text = "Unresolved resource dependencies [Nobody] in the Resources block of the template"
    assert error == ("ValidationError", f"Template format error: {text}")
    assert stacks.client.describe_stacks()["Stacks"] == []
