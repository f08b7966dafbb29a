"""Stacks of queues and topics: created, updated, rolled back and deleted."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.localbus import new_queue

SHOP = """
Parameters:
  Prefix: {Type: String, Default: shop}
  Receives: {Type: Number, Default: 3}
  WithInbox: {Type: String, Default: "true", AllowedValues: ["true", "false"]}
Conditions:
  HasInbox: !Equals [!Ref WithInbox, "true"]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${Prefix}-orders"}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 45
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn, maxReceiveCount: !Ref Receives}
  Dlq: {Type: AWS::SQS::Queue}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {ArnEquals: {aws:SourceArn: !Ref Topic}}
  Subscription:
    Type: AWS::SNS::Subscription
    DependsOn: QueuePolicy
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn, RawMessageDelivery: true}
  Inbox:
    Type: AWS::SQS::Queue
    Condition: HasInbox
Outputs:
  QueueUrl: {Value: !Ref Queue}
  TopicArn: {Value: !Ref Topic}
  InboxName: {Condition: HasInbox, Value: !GetAtt Inbox.QueueName}
"""


NAMED_QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}}"


def test_a_stack_creates_its_resources(stacks: StackClient) -> None:
    """Queues, topic, policy and subscription are created with references to each other, and a message is delivered."""
    assert stacks.create(SHOP, Receives="7") == "CREATE_COMPLETE"

    outputs = stacks.outputs()
    attributes = stacks.attributes(outputs["QueueUrl"])
    assert attributes["VisibilityTimeout"] == "45"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 7
    stacks.sns.publish(TopicArn=outputs["TopicArn"], Message="one coffee")
    assert stacks.bodies(outputs["QueueUrl"]) == ["one coffee"]


def test_names_are_generated_if_none_is_given(stacks: StackClient) -> None:
    """Generated names start with the stack and the logical id, and differ; given names are kept."""
    stacks.create(SHOP)
    stacks.create(SHOP, "other", Prefix="other")

    names = [stacks.outputs(name)["InboxName"] for name in ("shop", "other")]
    assert names[0].startswith("shop-Inbox-")
    assert names[1].startswith("other-Inbox-")
    assert stacks.outputs("other")["TopicArn"].endswith(":other-orders")


def test_a_condition_that_does_not_hold_leaves_out_resources_and_outputs(stacks: StackClient) -> None:
    """The template's inbox and its output are left out."""
    stacks.create(SHOP, WithInbox="false")

    assert "InboxName" not in stacks.outputs()
    assert "Inbox" not in stacks.logical_ids()


def test_events_are_in_the_order_of_dependencies(stacks: StackClient) -> None:
    """A resource starts after those that it needs are complete; the stack's events are first and last."""
    stacks.create(SHOP)

    events = stacks.events()
    assert events[0] == ("shop", "CREATE_IN_PROGRESS")
    assert events[-1] == ("shop", "CREATE_COMPLETE")
    assert events.index(("Dlq", "CREATE_COMPLETE")) < events.index(("Queue", "CREATE_IN_PROGRESS"))
    assert events.index(("QueuePolicy", "CREATE_COMPLETE")) < events.index(("Subscription", "CREATE_IN_PROGRESS"))


def test_an_update_in_place(stacks: StackClient) -> None:
    """A queue is updated with its messages, and no other resource is touched."""
    stacks.create(SHOP)
    url = stacks.outputs()["QueueUrl"]
    stacks.sqs.send_message(QueueUrl=url, MessageBody="kept")
    before = len(stacks.events())

    assert stacks.update(SHOP, Receives="9") == "UPDATE_COMPLETE"

    assert stacks.outputs()["QueueUrl"] == url
    assert json.loads(stacks.attributes(url)["RedrivePolicy"])["maxReceiveCount"] == 9
    assert stacks.attributes(url)["ApproximateNumberOfMessages"] == "1"
    of_resources = [event for event in stacks.events()[before:] if event[0] != "shop"]
    assert of_resources == [("Queue", "UPDATE_IN_PROGRESS"), ("Queue", "UPDATE_COMPLETE")]


def test_an_update_without_changes_is_rejected(stacks: StackClient) -> None:
    """It is a ValidationError, as deployment tools expect."""
    stacks.create(SHOP)

    error = stacks.rejected("update_stack", TemplateBody=SHOP + "Description: other words\n")

    assert error == ("ValidationError", "No updates are to be performed.")


def test_an_update_that_replaces(stacks: StackClient) -> None:
    """A changed name creates a new topic: references follow, and the old topic is deleted at the end."""
    stacks.create(SHOP)
    old = stacks.outputs()["TopicArn"]

    assert stacks.update(SHOP, Prefix="store") == "UPDATE_COMPLETE"

    new = stacks.outputs()["TopicArn"]
    assert new.endswith(":store-orders")
    assert new != old
    assert stacks.topics() == [new]
    stacks.sns.publish(TopicArn=new, Message="follows")
    assert stacks.bodies(stacks.outputs()["QueueUrl"]) == ["follows"]
    events = stacks.events()
    assert events.index(("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) < events.index(("Topic", "DELETE_COMPLETE"))


def test_a_resource_removed_from_the_template_is_deleted(stacks: StackClient) -> None:
    """A resource whose condition ceases to hold is deleted, and created later with another name."""
    stacks.create(SHOP)
    first = stacks.outputs()["InboxName"]

    stacks.update(SHOP, WithInbox="false")
    assert first not in stacks.queues()

    stacks.update(SHOP, WithInbox="true")
    assert stacks.outputs()["InboxName"] != first


def test_deletion_leaves_nothing(stacks: StackClient) -> None:
    """A deleted stack has no resources; it is found by id, not by name, and can be created again."""
    stacks.create(SHOP)
    stack_id = stacks.stack()["StackId"]

    assert stacks.delete() == "DELETE_COMPLETE"

    assert (stacks.queues(), stacks.topics()) == ([], [])
    assert stacks.sns.list_subscriptions()["Subscriptions"] == []
    assert stacks.stack(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id shop does not exist"):
        stacks.stack("shop")
    assert stacks.create(SHOP) == "CREATE_COMPLETE"


def test_a_queue_name_is_available_after_the_deletion(stacks: StackClient) -> None:
    """A stack with a named queue can be deleted and created again at once."""
    stacks.create(NAMED_QUEUE)
    stacks.delete()

    assert stacks.create(NAMED_QUEUE) == "CREATE_COMPLETE"


def test_a_failed_creation_is_rolled_back(stacks: StackClient) -> None:
    """The reason is the service's message, created resources are deleted, and the stack can only be deleted."""
    template = """
    Resources:
      Good: {Type: AWS::SQS::Queue, Properties: {QueueName: good}}
      Bad: {Type: AWS::SQS::Queue, DependsOn: Good, Properties: {VisibilityTimeout: 99999}}
    """

    assert stacks.create(template) == "ROLLBACK_COMPLETE"

    reason = stacks.reason("Bad", "CREATE_FAILED")
    assert reason.startswith('Resource handler returned message: "')
    assert "VisibilityTimeout" in reason
    assert "HandlerErrorCode: InvalidRequest" in reason
    assert stacks.reason("shop", "ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [Bad]. Rollback requested by user."
    )
    assert stacks.queues() == []
    code, message = stacks.rejected("update_stack", TemplateBody=template)
    assert code == "ValidationError"
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in message
    assert stacks.delete() == "DELETE_COMPLETE"


def test_an_existing_queue_is_not_taken_over(localbus: Localbus, stacks: StackClient) -> None:
    """A stack fails if the name of its queue exists, and the rollback does not delete that queue."""
    existing = new_queue(localbus, "work")

    assert stacks.create(NAMED_QUEUE) == "ROLLBACK_COMPLETE"

    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Queue", "CREATE_FAILED")
    assert stacks.attributes(existing.url)["QueueArn"] == existing.arn


@pytest.mark.parametrize(
    ("on_failure", "status", "queues"), [("DO_NOTHING", "CREATE_FAILED", 1), ("DELETE", "DELETE_COMPLETE", 0)]
)
def test_the_caller_chooses_what_happens_on_failure(
    stacks: StackClient, on_failure: str, status: str, queues: int
) -> None:
    """DO_NOTHING keeps the created resources; DELETE deletes even the stack."""
    template = """
    Resources:
      Good: {Type: AWS::SQS::Queue}
      Bad: {Type: AWS::SNS::Topic, DependsOn: Good, Properties: {TopicName: "not a name"}}
    """
    created = stacks.client.create_stack(StackName="shop", TemplateBody=template, OnFailure=on_failure)

    assert stacks.final_status(created["StackId"]) == status

    assert len(stacks.queues()) == queues


def test_a_failed_update_is_rolled_back(stacks: StackClient) -> None:
    """Updated, replaced and new resources are restored, and the stack can be updated again."""
    stacks.create(SHOP)
    before = stacks.outputs()
    policy = stacks.attributes(before["QueueUrl"])["RedrivePolicy"]
    bad = SHOP.replace(
        "Outputs:",
        """
  New: {Type: AWS::SQS::Queue}
  Bad: {Type: AWS::SQS::Queue, DependsOn: [New, Subscription], Properties: {DelaySeconds: 901}}
Outputs:
""",
    )

    assert stacks.update(bad, Receives="9", Prefix="store") == "UPDATE_ROLLBACK_COMPLETE"

    assert stacks.outputs() == before
    assert stacks.attributes(before["QueueUrl"])["RedrivePolicy"] == policy
    assert stacks.topics() == [before["TopicArn"]]
    assert len(stacks.queues()) == 3
    stacks.sns.publish(TopicArn=before["TopicArn"], Message="still")
    assert stacks.bodies(before["QueueUrl"]) == ["still"]
    assert stacks.update(SHOP, Receives="4") == "UPDATE_COMPLETE"


def test_a_custom_name_prevents_a_replacement(stacks: StackClient) -> None:
    """Two resources cannot have one name, so the update fails and says what to do."""
    template = "Resources: {{Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t.fifo, FifoTopic: {0}}}}}}}"
    stacks.create(template.format("true"))

    assert stacks.update(template.format("false")) == "UPDATE_ROLLBACK_COMPLETE"

    assert stacks.reason("Topic", "UPDATE_FAILED") == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename t.fifo and update the stack again."
    )


def test_an_unknown_property_fails_the_resource(stacks: StackClient) -> None:
    """The reason is CloudFormation's message."""
    stacks.create("Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeOut: 5}}}")

    assert stacks.reason("Queue", "CREATE_FAILED") == (
        "Properties validation failed for resource Queue with message:\n"
        "[#: extraneous key [VisibilityTimeOut] is not permitted]"
    )


def test_a_resource_that_needs_an_upstream_is_named(stacks: StackClient) -> None:
    """Without an upstream the whole template is rejected."""
    template = "Resources: {Stream: {Type: AWS::Kinesis::Stream}, Queue: {Type: AWS::SQS::Queue}}"

    code, message = stacks.rejected(TemplateBody=template)

    assert code == "ValidationError"
    assert "Stream: AWS::Kinesis::Stream" in message
    assert "--upstream" in message


def test_retained_resources_outlive_the_stack(stacks: StackClient) -> None:
    """DeletionPolicy Retain, here by a condition, keeps the queue, and the events say so."""
    stacks.create(
        "Conditions: {Keep: !Equals [a, a]}\n"
        "Resources: {Queue: {Type: AWS::SQS::Queue, DeletionPolicy: !If [Keep, Retain, Delete]}}"
    )
    url, stack_id = stacks.physical_id("Queue"), stacks.stack()["StackId"]

    stacks.delete()

    assert stacks.attributes(url)
    assert ("Queue", "DELETE_SKIPPED") in stacks.events(stack_id)


def test_a_protected_stack_is_not_deleted(stacks: StackClient) -> None:
    """Termination protection must be disabled first."""
    stacks.create(NAMED_QUEUE)
    stacks.client.update_termination_protection(StackName="shop", EnableTerminationProtection=True)

    _, message = stacks.rejected("delete_stack")

    assert message == "Stack [shop] cannot be deleted while TerminationProtection is enabled"


def test_resources_inherit_the_stack_tags(stacks: StackClient) -> None:
    """A queue has its tags and those of the stack; its own take precedence."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: team, Value: bar}]}}}"

    stacks.create(template, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "test"}])

    tags = stacks.sqs.list_queue_tags(QueueUrl=stacks.physical_id("Queue"))["Tags"]
    assert tags == {"team": "bar", "stage": "test"}


def test_a_tag_whose_key_is_not_text_is_refused(stacks: StackClient) -> None:
    """The reason is that of any property of another type, also beside tags of the stack."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: {a: b}, Value: c}]}}}"

    assert stacks.create(template, Tags=[{"Key": "team", "Value": "shop"}]) == "ROLLBACK_COMPLETE"

    assert "expected type: String, found: JSONObject" in stacks.reason("Queue", "CREATE_FAILED")
