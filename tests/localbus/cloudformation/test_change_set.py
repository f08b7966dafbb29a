"""Change sets: what they say beforehand, and what comes of them. `aws cloudformation deploy` uses nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from formation_support import Formation
from localbus.pytest_plugin import Localbus
from localbus_support import refused

SHOP = """
Parameters: {Prefix: {Type: String, Default: shop}, Seconds: {Type: Number, Default: 30}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Prefix}}
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Seconds}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
"""


@pytest.fixture
def formation(localbus: Localbus) -> Formation:
    """CloudFormation of a fresh engine."""
    return Formation(localbus)


def ask(formation: Formation, kind: str, name: str = "try", template: str = SHOP, **values: str) -> dict[str, Any]:
    """Make a change set and describe it."""
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    made = formation.client.create_change_set(
        StackName="shop", ChangeSetName=name, ChangeSetType=kind, TemplateBody=template, Parameters=parameters
    )
    found: dict[str, Any] = formation.client.describe_change_set(ChangeSetName=made["Id"])
    return found


def told(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What a change set would do with each resource, and whether it would replace it."""
    changes = [one["ResourceChange"] for one in found["Changes"]]
    return {one["LogicalResourceId"]: (one["Action"], one.get("Replacement")) for one in changes}


def test_a_new_stack_waits_for_its_change_set(formation: Formation) -> None:
    """Until it is carried out there is only the stack's name; then the stack is as the change set said."""
    found = ask(formation, "CREATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert told(found) == dict.fromkeys(("Topic", "Queue", "Subscription"), ("Add", None))
    assert formation.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert "QueueUrls" not in formation.sqs.list_queues()

    formation.client.execute_change_set(ChangeSetName="try", StackName="shop")

    assert formation.settled("shop") == "CREATE_COMPLETE"
    assert formation.physical_id("Topic").endswith(":shop")


def test_a_change_set_says_what_it_replaces(formation: Formation) -> None:
    """A change in place, one that makes another resource, and what follows from that are told apart."""
    formation.create(SHOP)

    found = ask(formation, "UPDATE", Prefix="store", Seconds="45")

    assert told(found) == {
        "Topic": ("Modify", "True"),
        "Queue": ("Modify", "False"),
        "Subscription": ("Modify", "Conditional"),
    }
    details = found["Changes"][0]["ResourceChange"]["Details"]
    assert [one["Target"]["Name"] for one in details] == ["TopicName"]
    assert formation.physical_id("Topic").endswith(":shop")

    formation.client.execute_change_set(ChangeSetName=found["ChangeSetId"])

    assert formation.settled("shop") == "UPDATE_COMPLETE"
    assert formation.physical_id("Topic").endswith(":store")


def test_what_a_template_has_lost_is_removed(formation: Formation) -> None:
    """The change set names it with its physical id."""
    formation.create(SHOP)

    found = ask(formation, "UPDATE", template="Resources: {Topic: {Type: AWS::SNS::Topic}}")

    removed = [one["ResourceChange"] for one in found["Changes"] if one["ResourceChange"]["Action"] == "Remove"]
    assert {one["PhysicalResourceId"] for one in removed} == {
        formation.physical_id("Queue"),
        formation.physical_id("Subscription"),
    }


def test_no_change_fails_the_change_set(formation: Formation) -> None:
    """Tools read this reason as success; such a change set cannot be carried out."""
    formation.create(SHOP)

    found = ask(formation, "UPDATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    code, _ = refused(formation.client.execute_change_set, ChangeSetName=found["ChangeSetId"])
    assert code == "InvalidChangeSetStatus"


def test_change_sets_are_listed_and_deleted(formation: Formation) -> None:
    """Several can wait side by side; the others are void once one is carried out."""
    formation.create(SHOP)
    for name, seconds in (("first", "1"), ("second", "2"), ("third", "3")):
        ask(formation, "UPDATE", name, Seconds=seconds)
    formation.client.delete_change_set(ChangeSetName="first", StackName="shop")
    listed = formation.client.list_change_sets(StackName="shop")["Summaries"]
    assert [one["ChangeSetName"] for one in listed] == ["second", "third"]

    formation.client.execute_change_set(ChangeSetName="third", StackName="shop")
    formation.settled("shop")

    assert formation.attributes(formation.physical_id("Queue"))["VisibilityTimeout"] == "3"
    code, message = refused(formation.client.describe_change_set, ChangeSetName="second", StackName="shop")
    assert (code, message) == ("ChangeSetNotFound", "ChangeSet [second] does not exist")


def test_a_stack_under_review_can_be_deleted(formation: Formation) -> None:
    """Who only looked leaves nothing behind."""
    ask(formation, "CREATE")

    assert formation.delete() == "DELETE_COMPLETE"


def test_a_wrong_template_makes_no_change_set(formation: Formation) -> None:
    """It is refused as CreateStack would refuse it, and no stack comes to be."""
    code, message = refused(
        formation.client.create_change_set,
        StackName="shop",
        ChangeSetName="try",
        ChangeSetType="CREATE",
        TemplateBody="Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}}",
    )

    assert code == "ValidationError"
    assert message == (
        "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template"
    )
    assert formation.client.describe_stacks()["Stacks"] == []
