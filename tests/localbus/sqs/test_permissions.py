"""Resource policies of queues, topics and buses: services and accounts (reference_policies_evaluation-logic)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus
from localbus.resource_policy import Principal, allows
from localbus.sqs.state import Sqs
from localbus.storage.storage import Storage
from support.localbus import journal, refused

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
TOPIC = "arn:aws:sns:us-east-1:000000000000:t"
SNS = Principal(service="sns.amazonaws.com", context={"aws:SourceArn": TOPIC, "aws:SourceAccount": "000000000000"})


def policy(**changes: Any) -> str:
    """A policy of one statement that allows SNS to send, with changes."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": {**statement, **changes}})


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"Action": "SQS:*"}, True),
        ({"Action": ["sqs:ReceiveMessage"]}, False),
        ({"Principal": "*"}, True),
        ({"Principal": {"Service": ["events.amazonaws.com"]}}, False),
        ({"Principal": {"AWS": "111111111111"}}, False),
        ({"Resource": "arn:aws:sqs:us-east-1:000000000000:other"}, False),
        ({"Resource": "arn:aws:sqs:*:*:?"}, True),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}, True),
        ({"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:*:t"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ["1", "000000000000"]}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC + "2"}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "111111111111"}}}, True),
        ({"Condition": {"Null": {"aws:SourceArn": "false"}}}, True),
        ({"Condition": {"NoSuchOperator": {"aws:SourceArn": TOPIC}}}, False),
    ],
)
def test_one_statement(changes: dict[str, Any], allowed: bool) -> None:
    """A statement applies if principal, action, resource and every condition match."""
    assert allows(policy(**changes), SNS, "sqs:SendMessage", QUEUE) is allowed


def test_a_deny_overrides_an_allow() -> None:
    """An explicit deny overrides any allow."""
    statements = [json.loads(policy())["Statement"], json.loads(policy(Effect="Deny", Principal="*"))["Statement"]]

    assert not allows(json.dumps({"Statement": statements}), SNS, "sqs:SendMessage", QUEUE)


def test_a_service_delivers_only_if_allowed() -> None:
    """Without a policy nothing is delivered, and the journal has the reason."""
    journal = Journal()
    sqs = Sqs(ManualClock(), journal, Storage())
    record = sqs.queues.create("q", {}, {}, Caller())

    with pytest.raises(AwsError, match="AccessDenied"):
        sqs.deliver(QUEUE, {"MessageBody": "b"}, SNS)
    sqs.queues.change(record, {"Policy": policy()})
    message_id = sqs.deliver(QUEUE, {"MessageBody": "b"}, SNS)

    assert [message.message_id for message, _ in record.queue.receive(10)] == [message_id]
    [denied] = journal.entries(event="denied")
    assert denied.detail == "the resource policy does not allow sns.amazonaws.com to perform sqs:SendMessage"


def denial(action: str, arn: str, **changes: Any) -> str:
    """A policy that denies everyone an action."""
    statement = {"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn, **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_deny_applies_to_the_owner_of_a_queue(localbus: Localbus) -> None:
    """A deny applies to the queue's own account too, which may still change the policy."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"Policy": denial("sqs:SendMessage", QUEUE)})["QueueUrl"]

    code, _ = refused(sqs.send_message, QueueUrl=url, MessageBody="b")

    assert code == "AccessDenied"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert [entry["detail"] for entry in journal(localbus, event="denied")] == ["SendMessage by 000000000000"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    sqs.send_message(QueueUrl=url, MessageBody="b")


@pytest.mark.parametrize(
    ("condition", "denied"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"StringNotEquals": {"aws:PrincipalAccount": "000000000000"}}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:user/localbus"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "000000000000"}}, True),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, True),
    ],
)
def test_a_deny_has_conditions(localbus: Localbus, condition: Any, denied: bool) -> None:
    """A deny without TLS does not apply here; one of requests from outside a network does, as on AWS."""
    sqs = localbus.client("sqs")
    policy = denial("sqs:*", QUEUE, Condition=condition)
    url = sqs.create_queue(QueueName="q", Attributes={"Policy": policy})["QueueUrl"]

    if denied:
        assert refused(sqs.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"
    else:
        sqs.send_message(QueueUrl=url, MessageBody="b")


def test_a_deny_applies_to_the_owner_of_a_topic_and_a_bus(localbus: Localbus) -> None:
    """Publish and PutEvents are rejected with AWS's error, and the policy can still be changed."""
    sns, events = localbus.client("sns"), localbus.client("events")
    topic = sns.create_topic(Name="t", Attributes={"Policy": denial("sns:*", TOPIC)})["TopicArn"]
    bus = events.create_event_bus(Name="b")["EventBusArn"]
    events.put_permission(EventBusName="b", Policy=denial("events:PutEvents", bus))
    entry = {"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": "{}"}

    errors = [refused(sns.publish, TopicArn=topic, Message="m"), refused(events.put_events, Entries=[entry])]

    assert [code for code, _ in errors] == ["AuthorizationError", "AccessDeniedException"]
    assert all(text.endswith("with an explicit deny in a resource-based policy") for _, text in errors)
    sns.remove_permission(TopicArn=topic, Label="no")
    sns.publish(TopicArn=topic, Message="m")


def test_another_account_needs_a_permission(localbus: Localbus) -> None:
    """AddPermission allows another account these actions only (API_AddPermission; policy recorded from AWS)."""
    owner, other = localbus.client("sqs"), localbus.client("sqs", account="111111111111")
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    assert refused(other.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"

    owner.add_permission(QueueUrl=url, Label="send", AWSAccountIds=["111111111111"], Actions=["SendMessage"])

    other.send_message(QueueUrl=url, MessageBody="b")
    assert refused(other.receive_message, QueueUrl=url)[0] == "AccessDenied"
    assert refused(other.delete_queue, QueueUrl=url)[0] == "AccessDenied"
    policy = json.loads(owner.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy == {
        "Version": "2008-10-17",
        "Id": f"{QUEUE}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "send",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:SendMessage",
                "Resource": QUEUE,
            }
        ],
    }
    again = {"QueueUrl": url, "Label": "send", "AWSAccountIds": ["111111111111"], "Actions": ["*"]}
    assert refused(owner.add_permission, **again)[1] == (
        "Value send for parameter Label is invalid. Reason: Already exists."
    )
    owner.remove_permission(QueueUrl=url, Label="send")
    assert refused(other.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"
    assert "can't find label" in refused(owner.remove_permission, QueueUrl=url, Label="send")[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"Actions": ["SendMessageBatch"]},
            "Value SQS:SendMessageBatch for parameter ActionName is invalid. "
            "Reason: Please refer to the appropriate WSDL for a list of valid actions.",
        ),
        (
            {"AWSAccountIds": ["nobody"]},
            "Value nobody for parameter PrincipalId is invalid. Reason: Unable to verify principal.",
        ),
        ({"Label": "a b"}, "Value a b for parameter Label is invalid. Reason: Can only include alphanumeric"),
    ],
)
def test_invalid_permissions(sqs: Any, url: str, given: Any, message: str) -> None:
    """The value comes before the parameter, and batches have no permissions (API_AddPermission)."""
    valid = {"Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]}

    code, text = refused(sqs.add_permission, QueueUrl=url, **{**valid, **given})

    assert code == "InvalidParameterValue"
    assert text.startswith(message)


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:000000000000:q", True),
        ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:000000000000:qq", False),
        ("arn:aws:sqs:*:?[a]", "arn:aws:sqs:us-east-1:000000000000:b[a]", True),
        ("arn:aws:sqs:*:[a]", "arn:aws:sqs:us-east-1:000000000000:a", False),
        ("*a" * 30 + "*b", "a" * 80, False),
    ],
)
def test_wildcards_of_a_resource(pattern: str, value: str, matches: bool) -> None:
    """`*` and `?` are the only wildcards, and many of them are fast (a regular expression would take years)."""
    assert allows(policy(Resource=pattern), SNS, "sqs:SendMessage", value) is matches
