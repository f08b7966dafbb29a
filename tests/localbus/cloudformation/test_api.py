"""Stacks of messaging alone: what they make, change and take away, and what they say of it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from cloudformation_support import StackClient
from localbus.pytest_plugin import Localbus
from localbus_support import new_queue, refused

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


def test_a_stack_makes_what_its_template_says(stacks: StackClient) -> None:
    """Queues, topic, policy and subscription are there, tied to each other, and a message takes its way."""
    assert stacks.create(SHOP, Receives="7") == "CREATE_COMPLETE"

    outputs = stacks.outputs()
    attributes = stacks.attributes(outputs["QueueUrl"])
    assert attributes["VisibilityTimeout"] == "45"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 7
    stacks.sns.publish(TopicArn=outputs["TopicArn"], Message="one coffee")
    messages = stacks.sqs.receive_message(QueueUrl=outputs["QueueUrl"])["Messages"]
    assert [message["Body"] for message in messages] == ["one coffee"]


def test_names_are_made_up_where_none_is_given(stacks: StackClient) -> None:
    """They tell the stack and the resource, and differ each time; a name that is given is kept."""
    stacks.create(SHOP)
    stacks.create(SHOP, "other", Prefix="other")

    names = [stacks.outputs(name)["InboxName"] for name in ("shop", "other")]
    assert names[0].startswith("shop-Inbox-")
    assert names[1].startswith("other-Inbox-")
    assert stacks.outputs("other")["TopicArn"].endswith(":other-orders")


def test_conditions_decide_what_is_made(stacks: StackClient) -> None:
    """A resource and an output whose condition does not hold are not there."""
    stacks.create(SHOP, WithInbox="false")

    assert "InboxName" not in stacks.outputs()
    resources = stacks.client.list_stack_resources(StackName="shop")["StackResourceSummaries"]
    assert "Inbox" not in {one["LogicalResourceId"] for one in resources}


def test_events_tell_it_in_order(stacks: StackClient) -> None:
    """Each resource is begun and complete after those that it needs; the stack is first and last."""
    stacks.create(SHOP)

    events = stacks.events()
    assert events[0] == ("shop", "CREATE_IN_PROGRESS")
    assert events[-1] == ("shop", "CREATE_COMPLETE")
    assert events.index(("Dlq", "CREATE_COMPLETE")) < events.index(("Queue", "CREATE_IN_PROGRESS"))
    assert events.index(("QueuePolicy", "CREATE_COMPLETE")) < events.index(("Subscription", "CREATE_IN_PROGRESS"))


def test_a_change_in_place(stacks: StackClient) -> None:
    """What can be changed is, with what is in it, and nothing else is touched."""
    stacks.create(SHOP)
    url = stacks.outputs()["QueueUrl"]
    stacks.sqs.send_message(QueueUrl=url, MessageBody="kept")
    began = len(stacks.events())

    assert stacks.update(SHOP, Receives="9") == "UPDATE_COMPLETE"

    assert stacks.outputs()["QueueUrl"] == url
    assert json.loads(stacks.attributes(url)["RedrivePolicy"])["maxReceiveCount"] == 9
    assert stacks.attributes(url)["ApproximateNumberOfMessages"] == "1"
    assert [event for event in stacks.events()[began:] if event[0] != "shop"] == [
        ("Queue", "UPDATE_IN_PROGRESS"),
        ("Queue", "UPDATE_COMPLETE"),
    ]


def test_no_change_is_refused(stacks: StackClient) -> None:
    """An update by which nothing would change is a ValidationError, as deployment tools expect."""
    stacks.create(SHOP)

    again = SHOP + "Description: other words\n"
    code, message = refused(stacks.client.update_stack, StackName="shop", TemplateBody=again)

    assert (code, message) == ("ValidationError", "No updates are to be performed.")


def test_a_change_that_replaces(stacks: StackClient) -> None:
    """A topic by another name is another topic: what refers to it follows, and the old one goes at the end."""
    stacks.create(SHOP)
    old = stacks.outputs()["TopicArn"]

    assert stacks.update(SHOP, Prefix="store") == "UPDATE_COMPLETE"

    new = stacks.outputs()["TopicArn"]
    assert new.endswith(":store-orders")
    assert [one["TopicArn"] for one in stacks.sns.list_topics()["Topics"]] == [new]
    stacks.sns.publish(TopicArn=new, Message="follows")
    assert stacks.sqs.receive_message(QueueUrl=stacks.outputs()["QueueUrl"])["Messages"]
    events = stacks.events()
    assert events.index(("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) < events.index(("Topic", "DELETE_COMPLETE"))
    assert old != new


def test_what_a_template_no_longer_has_goes(stacks: StackClient) -> None:
    """A resource whose condition ceases to hold is deleted, and comes back by another name."""
    stacks.create(SHOP)
    first = stacks.outputs()["InboxName"]

    stacks.update(SHOP, WithInbox="false")
    assert not any(first in url for url in stacks.sqs.list_queues()["QueueUrls"])

    stacks.update(SHOP, WithInbox="true")
    assert stacks.outputs()["InboxName"] != first


def test_deletion_leaves_nothing(stacks: StackClient) -> None:
    """A deleted stack has nothing left; it is found by its id still, by its name no more, and can be made again."""
    stacks.create(SHOP)
    stack_id = stacks.stack()["StackId"]

    assert stacks.delete() == "DELETE_COMPLETE"

    assert "QueueUrls" not in stacks.sqs.list_queues()
    assert stacks.sns.list_topics()["Topics"] == []
    assert stacks.sns.list_subscriptions()["Subscriptions"] == []
    assert stacks.stack(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id shop does not exist"):
        stacks.stack("shop")
    assert stacks.create(SHOP) == "CREATE_COMPLETE"


def test_a_queue_s_name_is_free_after_its_stack(stacks: StackClient) -> None:
    """A stack with a named queue can be deleted and made again at once."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}}"
    stacks.create(template)
    stacks.delete()

    assert stacks.create(template) == "CREATE_COMPLETE"


def test_a_failed_creation_is_taken_back(localbus: Localbus, stacks: StackClient) -> None:
    """The service's own words say why; what had been made is deleted, and the stack can only be deleted."""
    new_queue(localbus, "taken")
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
    assert not any(url.endswith("/good") for url in stacks.sqs.list_queues()["QueueUrls"])
    code, message = refused(stacks.client.update_stack, StackName="shop", TemplateBody=template)
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in message
    assert code == "ValidationError"
    assert stacks.delete() == "DELETE_COMPLETE"


def test_a_name_that_is_taken(localbus: Localbus, stacks: StackClient) -> None:
    """A stack never takes over a queue or topic that is there, and does not delete it on its way back."""
    taken = new_queue(localbus, "taken")
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: taken}}}"

    assert stacks.create(template) == "ROLLBACK_COMPLETE"

    assert "HandlerErrorCode: AlreadyExists" in stacks.reason("Queue", "CREATE_FAILED")
    assert stacks.attributes(taken.url)["QueueArn"] == taken.arn


@pytest.mark.parametrize(("on_failure", "state", "left"), [("DO_NOTHING", "CREATE_FAILED", 1), ("DELETE", "", 0)])
def test_what_happens_on_failure_is_the_caller_s_choice(
    stacks: StackClient, on_failure: str, state: str, left: int
) -> None:
    """DO_NOTHING leaves what was made to look at; DELETE leaves not even the stack."""
    template = """
    Resources:
      Good: {Type: AWS::SQS::Queue}
      Bad: {Type: AWS::SNS::Topic, DependsOn: Good, Properties: {TopicName: "not a name"}}
    """
    stack_id = stacks.client.create_stack(StackName="shop", TemplateBody=template, OnFailure=on_failure)["StackId"]

    assert stacks.settled(stack_id) == (state or "DELETE_COMPLETE")

    assert len(stacks.sqs.list_queues().get("QueueUrls", [])) == left


def test_a_failed_change_is_taken_back(stacks: StackClient) -> None:
    """Everything is as it was: changed in place, replaced, newly made."""
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
    assert [one["TopicArn"] for one in stacks.sns.list_topics()["Topics"]] == [before["TopicArn"]]
    assert len(stacks.sqs.list_queues()["QueueUrls"]) == 3
    stacks.sns.publish(TopicArn=before["TopicArn"], Message="still")
    assert stacks.sqs.receive_message(QueueUrl=before["QueueUrl"])["Messages"]
    assert stacks.update(SHOP, Receives="4") == "UPDATE_COMPLETE"


def test_a_custom_name_forbids_replacing(stacks: StackClient) -> None:
    """Two cannot bear one name, so such a change fails and says what to do."""
    template = "Resources: {{Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t.fifo, FifoTopic: {0}}}}}}}"
    stacks.create(template.format("true"))

    assert stacks.update(template.format("false")) == "UPDATE_ROLLBACK_COMPLETE"

    assert stacks.reason("Topic", "UPDATE_FAILED") == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename t.fifo and update the stack again."
    )


def test_properties_that_a_type_has_not(stacks: StackClient) -> None:
    """A misspelt property fails the resource, in CloudFormation's words."""
    stacks.create("Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeOut: 5}}}")

    assert stacks.reason("Queue", "CREATE_FAILED") == (
        "Properties validation failed for resource Queue with message:\n"
        "[#: extraneous key [VisibilityTimeOut] is not permitted]"
    )


def test_what_needs_another_engine_is_named(stacks: StackClient) -> None:
    """Without an upstream such a template is refused as a whole."""
    template = "Resources: {Table: {Type: AWS::DynamoDB::Table}, Queue: {Type: AWS::SQS::Queue}}"

    code, message = refused(stacks.client.create_stack, StackName="shop", TemplateBody=template)

    assert code == "ValidationError"
    assert "Table: AWS::DynamoDB::Table" in message
    assert "--upstream" in message


def test_retained_resources_stay(stacks: StackClient) -> None:
    """DeletionPolicy Retain outlives the stack, and the events say so."""
    stacks.create("Resources: {Queue: {Type: AWS::SQS::Queue, DeletionPolicy: Retain}}")
    url, stack_id = stacks.physical_id("Queue"), stacks.stack()["StackId"]

    stacks.delete()

    assert stacks.attributes(url)
    assert ("Queue", "DELETE_SKIPPED") in stacks.events(stack_id)


def test_a_protected_stack_is_not_deleted(stacks: StackClient) -> None:
    """Termination protection must be taken off first."""
    stacks.create(SHOP)
    stacks.client.update_termination_protection(StackName="shop", EnableTerminationProtection=True)

    _, message = refused(stacks.client.delete_stack, StackName="shop")

    assert message == "Stack [shop] cannot be deleted while TerminationProtection is enabled"


def test_stack_tags_are_handed_down(stacks: StackClient) -> None:
    """Queues and topics carry the tags of their stack beside their own, which come first."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: team, Value: bar}]}}}"

    stacks.create(template, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "test"}])

    tags = stacks.sqs.list_queue_tags(QueueUrl=stacks.physical_id("Queue"))["Tags"]
    assert tags == {"team": "bar", "stage": "test"}
