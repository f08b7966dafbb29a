"""Requests that create and change stacks: change sets, events, notifications, and members that are not built."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.localbus import new_queue, refused
from support.waiting import poll_until

TEMPLATE = "Resources: {Q: {Type: AWS::SQS::Queue}}"
CHANGED = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}}"


def execute(stacks: StackClient, template: str, kind: str) -> str:
    """Create and execute a change set called c; its ARN."""
    made = stacks.client.create_change_set(
        StackName="shop", ChangeSetName="c", ChangeSetType=kind, TemplateBody=template
    )
    stacks.client.execute_change_set(ChangeSetName=made["Id"])
    stacks.final_status()
    return str(made["Id"])


def test_the_name_of_an_executed_change_set_is_free(stacks: StackClient) -> None:
    """It is gone from the stack's list and found by its ARN only (recorded of AWS)."""
    first = execute(stacks, TEMPLATE, "CREATE")

    assert stacks.client.list_change_sets(StackName="shop")["Summaries"] == []
    assert stacks.client.describe_change_set(ChangeSetName=first)["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert execute(stacks, CHANGED, "UPDATE") != first


def test_the_description_of_a_stack_made_by_a_change_set(stacks: StackClient) -> None:
    """It has the change set, the time of the execution and the rollback configuration (recorded of AWS)."""
    change_set = execute(stacks, TEMPLATE, "CREATE")

    shown = stacks.stack()
    assert shown["ChangeSetId"] == change_set
    assert shown["LastUpdatedTime"] >= shown["CreationTime"]
    assert shown["RollbackConfiguration"] == {}
    assert "Parameters" not in shown


def test_the_description_of_a_change_set(stacks: StackClient) -> None:
    """Capabilities and topics are empty lists, and there are no parameters (recorded of AWS)."""
    change_set = execute(stacks, TEMPLATE, "CREATE")

    shown = stacks.client.describe_change_set(ChangeSetName=change_set)

    assert (shown["Capabilities"], shown["NotificationARNs"], shown["RollbackConfiguration"]) == ([], [], {})
    assert "Parameters" not in shown


def test_a_change_set_cannot_create_a_stack_that_exists(stacks: StackClient) -> None:
    """The error names the stack and the change set (recorded of AWS)."""
    stacks.create(TEMPLATE)

    refused = stacks.rejected("create_change_set", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TEMPLATE)

    message = "Stack [shop] already exists and cannot be created again with the changeSet [c]."
    assert refused == ("ValidationError", message)


def test_the_times_of_events_rise(stacks: StackClient) -> None:
    """Each event of a stack is later than the one before, also while the clock stands still."""
    stacks.create(TEMPLATE)
    stacks.update(CHANGED)

    times = [one["Timestamp"] for one in stacks.client.describe_stack_events(StackName="shop")["StackEvents"]]

    assert times == sorted(set(times), reverse=True)


def test_the_values_of_changes(stacks: StackClient) -> None:
    """IncludePropertyValues adds the properties before and after, as JSON; without it they are left out."""
    execute(stacks, TEMPLATE, "CREATE")
    made = stacks.client.create_change_set(StackName="shop", ChangeSetName="d", TemplateBody=CHANGED)

    plain, full = (
        stacks.client.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=wanted)["Changes"][0][
            "ResourceChange"
        ]
        for wanted in (False, True)
    )

    assert "AfterContext" not in plain
    assert json.loads(full["BeforeContext"]) == {"Properties": {}}
    assert json.loads(full["AfterContext"]) == {"Properties": {"DelaySeconds": 5}}


def test_the_template_of_a_change_set(stacks: StackClient) -> None:
    """GetTemplate has that of a change set too; a stack in review has no summary (AWS's answers, recorded)."""
    made = stacks.client.create_change_set(
        StackName="shop", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TEMPLATE
    )

    assert stacks.client.get_template(ChangeSetName=made["Id"])["TemplateBody"] == TEMPLATE
    assert stacks.client.get_template(StackName="shop", ChangeSetName="c")["TemplateBody"] == TEMPLATE
    refusals = {
        "StackName is a required parameter.": refused(stacks.client.get_template, ChangeSetName="c"),
        "StackName is required if ChangeSetName is not specified.": refused(stacks.client.get_template),
        "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.": stacks.rejected("get_template_summary"),
        "Stack 'no' does not exist": stacks.rejected("describe_stack_resource", StackName="no", LogicalResourceId="Q"),
    }
    assert refusals == {text: ("ValidationError", text) for text in refusals}


def test_a_rolled_back_stack_is_being_deleted(stacks: StackClient) -> None:
    """It has a DeletionTime and no ChangeSetId, and its change set has failed (AWS's answers, recorded)."""
    failing = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 9999}}}"
    made = execute(stacks, failing, "CREATE")

    described = stacks.stack()
    assert described["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("DeletionTime" in described, "ChangeSetId" in described) == (True, False)
    assert stacks.client.describe_change_set(ChangeSetName=made)["ExecutionStatus"] == "EXECUTE_FAILED"


def test_a_stack_names_its_last_operation(stacks: StackClient) -> None:
    """Each operation has a type and another id; a deleted stack has no termination protection to show.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEntry.html, and AWS's answers
    as recorded by public test suites.
    """
    stacks.create(TEMPLATE)
    created = stacks.stack()
    stacks.update(CHANGED)
    updated = stacks.stack()
    stacks.delete()
    deleted = stacks.stack(created["StackId"])

    operations = [one for stack in (created, updated, deleted) for one in stack["LastOperations"]]
    assert [one["OperationType"] for one in operations] == ["CREATE_STACK", "UPDATE_STACK", "DELETE_STACK"]
    assert len({one["OperationId"] for one in operations}) == 3
    assert ["EnableTerminationProtection" in one for one in (created, updated, deleted)] == [True, True, False]


def test_events_show_the_properties(stacks: StackClient) -> None:
    """Events of resources have the resolved properties as JSON, without what NoEcho hides, and ids that say what.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html, and AWS's answers as
    recorded by public test suites.
    """
    secret = "Parameters: {P: {Type: String, NoEcho: true, Default: secret}}"
    properties = "{DelaySeconds: 5, Tags: [{Key: !Ref AWS::Region, Value: !Ref P}]}"
    stacks.create(f"{secret}\nResources: {{Q: {{Type: AWS::SQS::Queue, Properties: {properties}}}}}")

    events = stacks.client.describe_stack_events(StackName="shop")["StackEvents"]

    of_stack = [one for one in events if one["LogicalResourceId"] == "shop"]
    of_queue = [one for one in events if one not in of_stack]
    assert not any("ResourceProperties" in one for one in of_stack)
    shown = {"DelaySeconds": 5, "Tags": [{"Key": "us-east-1", "Value": "****"}]}
    assert [json.loads(one["ResourceProperties"]) for one in of_queue] == [shown] * 3
    assert all(one["EventId"].startswith(f"Q-{one['ResourceStatus']}-20") for one in of_queue)
    assert stacks.attributes(stacks.physical_id("Q"))["DelaySeconds"] == "5"


def test_a_masked_value_may_be_a_key(stacks: StackClient) -> None:
    """A property found by a NoEcho parameter is not shown, and the stack is created."""
    sections = "Parameters: {P: {Type: String, NoEcho: true, Default: k}}\nMappings: {M: {k: {v: 5}}}"
    properties = "{DelaySeconds: !FindInMap [M, !Ref P, v]}"

    assert (
        stacks.create(f"{sections}\nResources: {{Q: {{Type: AWS::SQS::Queue, Properties: {properties}}}}}")
        == "CREATE_COMPLETE"
    )


def test_an_export_in_use_stays(stacks: StackClient) -> None:
    """An export that another stack imports is not changed, nor deleted with its stack, whose status stays.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html; the event of
    the deletion as users report it.
    """
    exporter = "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {O: {Value: one, Export: {Name: shared}}}"
    stacks.create(exporter)
    stacks.create("Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !ImportValue shared}}}", "user")

    assert stacks.update(exporter.replace("one", "two")) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.update(f"{exporter.partition('Outputs')[0]}Metadata: {{a: b}}") == "UPDATE_ROLLBACK_COMPLETE"
    stacks.client.delete_stack(StackName="shop")

    described = stacks.stack()
    assert described["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    expected = "Delete canceled. Cannot delete export shared as it is in use by user."
    assert described["StackStatusReason"] == expected
    events = stacks.client.describe_stack_events(StackName="shop")["StackEvents"]
    reasons = [one.get("ResourceStatusReason") for one in events]
    assert expected == reasons[0]
    assert "Export shared cannot be updated as it is in use by user" in reasons
    assert "Export shared cannot be deleted as it is in use by user" in reasons
    assert stacks.client.list_imports(ExportName="shared")["Imports"] == ["user"]

    stacks.delete("user")

    assert stacks.delete() == "DELETE_COMPLETE"


def test_events_are_published(stacks: StackClient, localbus: Localbus) -> None:
    """A stack with NotificationARNs publishes each event, a field a line."""
    topic = stacks.sns.create_topic(Name="stacks")["TopicArn"]
    queue = new_queue(localbus, "events")
    stacks.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)

    stacks.create(TEMPLATE, NotificationARNs=[topic])

    found: list[Any] = []

    def arrived() -> bool:
        found.extend(json.loads(body) for body in stacks.bodies(queue.url))
        return len(found) == len(stacks.events())

    poll_until(arrived)
    assert {one["Subject"] for one in found} == {"AWS CloudFormation Notification"}
    lines = [dict(line.split("=", 1) for line in one["Message"].splitlines()) for one in found]
    shown = [(one["LogicalResourceId"].strip("'"), one["ResourceStatus"].strip("'")) for one in lines]
    assert sorted(shown) == sorted(stacks.events())
    assert {one["ResourceProperties"] for one in lines} == {"'null'", "'{}'"}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("create_stack", {"StackPolicyBody": "{}"}),
        ("create_stack", {"StackPolicyURL": "http://localhost/policy"}),
        ("create_stack", {"RetainExceptOnCreate": True}),
        ("create_stack", {"RollbackConfiguration": {"MonitoringTimeInMinutes": 5}}),
        (
            "create_change_set",
            {"DeploymentConfig": {"Mode": "EXPRESS"}, "ChangeSetName": "c", "ChangeSetType": "CREATE"},
        ),
        ("update_stack", {"StackPolicyDuringUpdateBody": "{}"}),
    ],
)
def test_a_member_that_is_not_built_is_refused(stacks: StackClient, operation: str, members: dict[str, Any]) -> None:
    """Nothing is accepted and then ignored."""
    code, text = stacks.rejected(operation, TemplateBody=TEMPLATE, **members)

    assert code == "NotImplemented"
    assert next(iter(members)) in text


def test_the_members_that_cdk_sends_are_accepted(stacks: StackClient, sqs: Any) -> None:
    """The standard deployment is the usual one; ImportExistingResources never takes over a queue that exists."""
    named = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: mine, DelaySeconds: 5}}}"
    given = {"DeploymentConfig": {"Mode": "STANDARD"}, "ImportExistingResources": True}
    sqs.create_queue(QueueName="mine")

    for name, body in (("free", TEMPLATE), ("taken", named)):
        stacks.client.create_change_set(
            StackName=name, ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body, **given
        )
        stacks.client.execute_change_set(StackName=name, ChangeSetName="c", DisableRollback=True)

    def ended() -> list[str]:
        found = [one["StackStatus"] for one in stacks.client.describe_stacks()["Stacks"]]
        return [] if any(status.endswith("IN_PROGRESS") for status in found) else sorted(found)

    assert poll_until(ended) == ["CREATE_COMPLETE", "CREATE_FAILED"]


def test_fn_get_att_of_a_property_gives_the_property(stacks: StackClient) -> None:
    """A property outside the documented return values is returned too (recorded of AWS)."""
    stacks.create(CHANGED + "\nOutputs: {Delay: {Value: !GetAtt Q.DelaySeconds}}")

    assert stacks.outputs() == {"Delay": "5"}
