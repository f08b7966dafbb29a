"""Change sets: what they say beforehand, and what comes of them. `aws cloudformation deploy` uses nothing else."""

from __future__ import annotations

from typing import Any

from cloudformation_support import StackClient
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


def ask(stacks: StackClient, kind: str, name: str = "try", template: str = SHOP, **values: str) -> dict[str, Any]:
    """Make a change set and describe it."""
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    made = stacks.client.create_change_set(
        StackName="shop", ChangeSetName=name, ChangeSetType=kind, TemplateBody=template, Parameters=parameters
    )
    found: dict[str, Any] = stacks.client.describe_change_set(ChangeSetName=made["Id"])
    return found


def told(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What a change set would do with each resource, and whether it would replace it."""
    changes = [one["ResourceChange"] for one in found["Changes"]]
    return {one["LogicalResourceId"]: (one["Action"], one.get("Replacement")) for one in changes}


def test_a_new_stack_waits_for_its_change_set(stacks: StackClient) -> None:
    """Until it is carried out there is only the stack's name; then the stack is as the change set said."""
    found = ask(stacks, "CREATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert told(found) == dict.fromkeys(("Topic", "Queue", "Subscription"), ("Add", None))
    assert stacks.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert "QueueUrls" not in stacks.sqs.list_queues()

    stacks.client.execute_change_set(ChangeSetName="try", StackName="shop")

    assert stacks.settled("shop") == "CREATE_COMPLETE"
    assert stacks.physical_id("Topic").endswith(":shop")


def test_a_change_set_says_what_it_replaces(stacks: StackClient) -> None:
    """A change in place, one that makes another resource, and what follows from that are told apart."""
    stacks.create(SHOP)

    found = ask(stacks, "UPDATE", Prefix="store", Seconds="45")

    assert told(found) == {
        "Topic": ("Modify", "True"),
        "Queue": ("Modify", "False"),
        "Subscription": ("Modify", "Conditional"),
    }
    details = found["Changes"][0]["ResourceChange"]["Details"]
    assert [one["Target"]["Name"] for one in details] == ["TopicName"]
    assert stacks.physical_id("Topic").endswith(":shop")

    stacks.client.execute_change_set(ChangeSetName=found["ChangeSetId"])

    assert stacks.settled("shop") == "UPDATE_COMPLETE"
    assert stacks.physical_id("Topic").endswith(":store")


def test_what_a_template_has_lost_is_removed(stacks: StackClient) -> None:
    """The change set names it with its physical id."""
    stacks.create(SHOP)

    found = ask(stacks, "UPDATE", template="Resources: {Topic: {Type: AWS::SNS::Topic}}")

    removed = [one["ResourceChange"] for one in found["Changes"] if one["ResourceChange"]["Action"] == "Remove"]
    assert {one["PhysicalResourceId"] for one in removed} == {
        stacks.physical_id("Queue"),
        stacks.physical_id("Subscription"),
    }


def test_no_change_fails_the_change_set(stacks: StackClient) -> None:
    """Tools read this reason as success; such a change set cannot be carried out."""
    stacks.create(SHOP)

    found = ask(stacks, "UPDATE")

    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    code, _ = refused(stacks.client.execute_change_set, ChangeSetName=found["ChangeSetId"])
    assert code == "InvalidChangeSetStatus"


def test_change_sets_are_listed_and_deleted(stacks: StackClient) -> None:
    """Several can wait side by side; the others are void once one is carried out."""
    stacks.create(SHOP)
    for name, seconds in (("first", "1"), ("second", "2"), ("third", "3")):
        ask(stacks, "UPDATE", name, Seconds=seconds)
    stacks.client.delete_change_set(ChangeSetName="first", StackName="shop")
    listed = stacks.client.list_change_sets(StackName="shop")["Summaries"]
    assert [one["ChangeSetName"] for one in listed] == ["second", "third"]

    stacks.client.execute_change_set(ChangeSetName="third", StackName="shop")
    stacks.settled("shop")

    assert stacks.attributes(stacks.physical_id("Queue"))["VisibilityTimeout"] == "3"
    code, message = refused(stacks.client.describe_change_set, ChangeSetName="second", StackName="shop")
    assert (code, message) == ("ChangeSetNotFound", "ChangeSet [second] does not exist")


def test_a_stack_under_review_can_be_deleted(stacks: StackClient) -> None:
    """Who only looked leaves nothing behind."""
    ask(stacks, "CREATE")

    assert stacks.delete() == "DELETE_COMPLETE"


def test_a_wrong_template_makes_no_change_set(stacks: StackClient) -> None:
    """It is refused as CreateStack would refuse it, and no stack comes to be."""
    code, message = refused(
        stacks.client.create_change_set,
        StackName="shop",
        ChangeSetName="try",
        ChangeSetType="CREATE",
        TemplateBody="Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}}",
    )

    assert code == "ValidationError"
    assert message == (
        "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template"
    )
    assert stacks.client.describe_stacks()["Stacks"] == []
