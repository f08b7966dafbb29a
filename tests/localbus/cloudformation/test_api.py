"""Stacks of messaging alone: what they make, change and take away, and what they say of it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from formation_support import Formation
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


@pytest.fixture
def formation(localbus: Localbus) -> Formation:
    """CloudFormation of a fresh engine."""
    return Formation(localbus)


def test_a_stack_makes_what_its_template_says(formation: Formation) -> None:
    """Queues, topic, policy and subscription are there, tied to each other, and a message takes its way."""
    assert formation.create(SHOP, Receives="7") == "CREATE_COMPLETE"

    outputs = formation.outputs()
    attributes = formation.attributes(outputs["QueueUrl"])
    assert attributes["VisibilityTimeout"] == "45"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 7
    formation.sns.publish(TopicArn=outputs["TopicArn"], Message="one coffee")
    messages = formation.sqs.receive_message(QueueUrl=outputs["QueueUrl"])["Messages"]
    assert [message["Body"] for message in messages] == ["one coffee"]


def test_names_are_made_up_where_none_is_given(formation: Formation) -> None:
    """They tell the stack and the resource, and differ each time; a name that is given is kept."""
    formation.create(SHOP)
    formation.create(SHOP, "other", Prefix="other")

    names = [formation.outputs(name)["InboxName"] for name in ("shop", "other")]
    assert names[0].startswith("shop-Inbox-")
    assert names[1].startswith("other-Inbox-")
    assert formation.outputs("other")["TopicArn"].endswith(":other-orders")


def test_conditions_decide_what_is_made(formation: Formation) -> None:
    """A resource and an output whose condition does not hold are not there."""
    formation.create(SHOP, WithInbox="false")

    assert "InboxName" not in formation.outputs()
    resources = formation.client.list_stack_resources(StackName="shop")["StackResourceSummaries"]
    assert "Inbox" not in {one["LogicalResourceId"] for one in resources}


def test_events_tell_it_in_order(formation: Formation) -> None:
    """Each resource is begun and complete after those that it needs; the stack is first and last."""
    formation.create(SHOP)

    events = formation.events()
    assert events[0] == ("shop", "CREATE_IN_PROGRESS")
    assert events[-1] == ("shop", "CREATE_COMPLETE")
    assert events.index(("Dlq", "CREATE_COMPLETE")) < events.index(("Queue", "CREATE_IN_PROGRESS"))
    assert events.index(("QueuePolicy", "CREATE_COMPLETE")) < events.index(("Subscription", "CREATE_IN_PROGRESS"))


def test_a_change_in_place(formation: Formation) -> None:
    """What can be changed is, with what is in it, and nothing else is touched."""
    formation.create(SHOP)
    url = formation.outputs()["QueueUrl"]
    formation.sqs.send_message(QueueUrl=url, MessageBody="kept")
    began = len(formation.events())

    assert formation.update(SHOP, Receives="9") == "UPDATE_COMPLETE"

    assert formation.outputs()["QueueUrl"] == url
    assert json.loads(formation.attributes(url)["RedrivePolicy"])["maxReceiveCount"] == 9
    assert formation.attributes(url)["ApproximateNumberOfMessages"] == "1"
    assert [event for event in formation.events()[began:] if event[0] != "shop"] == [
        ("Queue", "UPDATE_IN_PROGRESS"),
        ("Queue", "UPDATE_COMPLETE"),
    ]


def test_no_change_is_refused(formation: Formation) -> None:
    """An update by which nothing would change is a ValidationError, as deployment tools expect."""
    formation.create(SHOP)

    again = SHOP + "Description: other words\n"
    code, message = refused(formation.client.update_stack, StackName="shop", TemplateBody=again)

    assert (code, message) == ("ValidationError", "No updates are to be performed.")


def test_a_change_that_replaces(formation: Formation) -> None:
    """A topic by another name is another topic: what refers to it follows, and the old one goes at the end."""
    formation.create(SHOP)
    old = formation.outputs()["TopicArn"]

    assert formation.update(SHOP, Prefix="store") == "UPDATE_COMPLETE"

    new = formation.outputs()["TopicArn"]
    assert new.endswith(":store-orders")
    assert [one["TopicArn"] for one in formation.sns.list_topics()["Topics"]] == [new]
    formation.sns.publish(TopicArn=new, Message="follows")
    assert formation.sqs.receive_message(QueueUrl=formation.outputs()["QueueUrl"])["Messages"]
    events = formation.events()
    assert events.index(("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) < events.index(("Topic", "DELETE_COMPLETE"))
    assert old != new


def test_what_a_template_no_longer_has_goes(formation: Formation) -> None:
    """A resource whose condition ceases to hold is deleted, and comes back by another name."""
    formation.create(SHOP)
    first = formation.outputs()["InboxName"]

    formation.update(SHOP, WithInbox="false")
    assert not any(first in url for url in formation.sqs.list_queues()["QueueUrls"])

    formation.update(SHOP, WithInbox="true")
    assert formation.outputs()["InboxName"] != first


def test_deletion_leaves_nothing(formation: Formation) -> None:
    """A deleted stack has nothing left; it is found by its id still, by its name no more, and can be made again."""
    formation.create(SHOP)
    stack_id = formation.stack()["StackId"]

    assert formation.delete() == "DELETE_COMPLETE"

    assert "QueueUrls" not in formation.sqs.list_queues()
    assert formation.sns.list_topics()["Topics"] == []
    assert formation.sns.list_subscriptions()["Subscriptions"] == []
    assert formation.stack(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id shop does not exist"):
        formation.stack("shop")
    assert formation.create(SHOP) == "CREATE_COMPLETE"


def test_a_queue_s_name_is_free_after_its_stack(formation: Formation) -> None:
    """A stack with a named queue can be deleted and made again at once."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}}"
    formation.create(template)
    formation.delete()

    assert formation.create(template) == "CREATE_COMPLETE"


def test_a_failed_creation_is_taken_back(localbus: Localbus, formation: Formation) -> None:
    """The service's own words say why; what had been made is deleted, and the stack can only be deleted."""
    new_queue(localbus, "taken")
    template = """
    Resources:
      Good: {Type: AWS::SQS::Queue, Properties: {QueueName: good}}
      Bad: {Type: AWS::SQS::Queue, DependsOn: Good, Properties: {VisibilityTimeout: 99999}}
    """

    assert formation.create(template) == "ROLLBACK_COMPLETE"

    reason = formation.reason("Bad", "CREATE_FAILED")
    assert reason.startswith('Resource handler returned message: "')
    assert "VisibilityTimeout" in reason
    assert "HandlerErrorCode: InvalidRequest" in reason
    assert formation.reason("shop", "ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [Bad]. Rollback requested by user."
    )
    assert not any(url.endswith("/good") for url in formation.sqs.list_queues()["QueueUrls"])
    code, message = refused(formation.client.update_stack, StackName="shop", TemplateBody=template)
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in message
    assert code == "ValidationError"
    assert formation.delete() == "DELETE_COMPLETE"


def test_a_name_that_is_taken(localbus: Localbus, formation: Formation) -> None:
    """A stack never takes over a queue or topic that is there, and does not delete it on its way back."""
    taken = new_queue(localbus, "taken")
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: taken}}}"

    assert formation.create(template) == "ROLLBACK_COMPLETE"

    assert "HandlerErrorCode: AlreadyExists" in formation.reason("Queue", "CREATE_FAILED")
    assert formation.attributes(taken.url)["QueueArn"] == taken.arn


@pytest.mark.parametrize(("on_failure", "state", "left"), [("DO_NOTHING", "CREATE_FAILED", 1), ("DELETE", "", 0)])
def test_what_happens_on_failure_is_the_caller_s_choice(
    formation: Formation, on_failure: str, state: str, left: int
) -> None:
    """DO_NOTHING leaves what was made to look at; DELETE leaves not even the stack."""
    template = """
    Resources:
      Good: {Type: AWS::SQS::Queue}
      Bad: {Type: AWS::SNS::Topic, DependsOn: Good, Properties: {TopicName: "not a name"}}
    """
    stack_id = formation.client.create_stack(StackName="shop", TemplateBody=template, OnFailure=on_failure)["StackId"]

    assert formation.settled(stack_id) == (state or "DELETE_COMPLETE")

    assert len(formation.sqs.list_queues().get("QueueUrls", [])) == left


def test_a_failed_change_is_taken_back(formation: Formation) -> None:
    """Everything is as it was: changed in place, replaced, newly made."""
    formation.create(SHOP)
    before = formation.outputs()
    policy = formation.attributes(before["QueueUrl"])["RedrivePolicy"]
    bad = SHOP.replace(
        "Outputs:",
        """
  New: {Type: AWS::SQS::Queue}
  Bad: {Type: AWS::SQS::Queue, DependsOn: [New, Subscription], Properties: {DelaySeconds: 901}}
Outputs:
""",
    )

    assert formation.update(bad, Receives="9", Prefix="store") == "UPDATE_ROLLBACK_COMPLETE"

    assert formation.outputs() == before
    assert formation.attributes(before["QueueUrl"])["RedrivePolicy"] == policy
    assert [one["TopicArn"] for one in formation.sns.list_topics()["Topics"]] == [before["TopicArn"]]
    assert len(formation.sqs.list_queues()["QueueUrls"]) == 3
    formation.sns.publish(TopicArn=before["TopicArn"], Message="still")
    assert formation.sqs.receive_message(QueueUrl=before["QueueUrl"])["Messages"]
    assert formation.update(SHOP, Receives="4") == "UPDATE_COMPLETE"


def test_a_custom_name_forbids_replacing(formation: Formation) -> None:
    """Two cannot bear one name, so such a change fails and says what to do."""
    template = "Resources: {{Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t.fifo, FifoTopic: {0}}}}}}}"
    formation.create(template.format("true"))

    assert formation.update(template.format("false")) == "UPDATE_ROLLBACK_COMPLETE"

    assert formation.reason("Topic", "UPDATE_FAILED") == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename t.fifo and update the stack again."
    )


def test_properties_that_a_type_has_not(formation: Formation) -> None:
    """A misspelt property fails the resource, in CloudFormation's words."""
    formation.create("Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeOut: 5}}}")

    assert formation.reason("Queue", "CREATE_FAILED") == (
        "Properties validation failed for resource Queue with message:\n"
        "[#: extraneous key [VisibilityTimeOut] is not permitted]"
    )


def test_what_needs_another_engine_is_named(formation: Formation) -> None:
    """Without an upstream such a template is refused as a whole."""
    template = "Resources: {Table: {Type: AWS::DynamoDB::Table}, Queue: {Type: AWS::SQS::Queue}}"

    code, message = refused(formation.client.create_stack, StackName="shop", TemplateBody=template)

    assert code == "ValidationError"
    assert "Table: AWS::DynamoDB::Table" in message
    assert "--upstream" in message


def test_retained_resources_stay(formation: Formation) -> None:
    """DeletionPolicy Retain outlives the stack, and the events say so."""
    formation.create("Resources: {Queue: {Type: AWS::SQS::Queue, DeletionPolicy: Retain}}")
    url, stack_id = formation.physical_id("Queue"), formation.stack()["StackId"]

    formation.delete()

    assert formation.attributes(url)
    assert ("Queue", "DELETE_SKIPPED") in formation.events(stack_id)


def test_a_protected_stack_is_not_deleted(formation: Formation) -> None:
    """Termination protection must be taken off first."""
    formation.create(SHOP)
    formation.client.update_termination_protection(StackName="shop", EnableTerminationProtection=True)

    _, message = refused(formation.client.delete_stack, StackName="shop")

    assert message == "Stack [shop] cannot be deleted while TerminationProtection is enabled"


def test_stack_tags_are_handed_down(formation: Formation) -> None:
    """Queues and topics carry the tags of their stack beside their own, which come first."""
    template = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: team, Value: bar}]}}}"

    formation.create(template, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "test"}])

    tags = formation.sqs.list_queue_tags(QueueUrl=formation.physical_id("Queue"))["Tags"]
    assert tags == {"team": "bar", "stage": "test"}
