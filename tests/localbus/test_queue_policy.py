"""Whether a queue's policy lets a service or an account do something (reference_policies_evaluation-logic)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.queue_policy import Principal, allows
from localbus.service import Caller
from localbus.sqs import Sqs

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
TOPIC = "arn:aws:sns:us-east-1:000000000000:t"
SNS = Principal(service="sns.amazonaws.com", context={"aws:SourceArn": TOPIC, "aws:SourceAccount": "000000000000"})


def policy(**changes: Any) -> str:
    """A policy of one statement that lets SNS send, with these changes."""
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
    """A statement applies when principal, action, resource and every condition do."""
    assert allows(policy(**changes), SNS, "sqs:SendMessage", QUEUE) is allowed


def test_a_denial_wins() -> None:
    """An explicit denial goes before any permission."""
    statements = [json.loads(policy())["Statement"], json.loads(policy(Effect="Deny", Principal="*"))["Statement"]]

    assert not allows(json.dumps({"Statement": statements}), SNS, "sqs:SendMessage", QUEUE)


def test_a_service_delivers_only_where_it_may() -> None:
    """Without a policy nothing is delivered, and the journal says why."""
    journal = Journal()
    sqs = Sqs(ManualClock(), journal)
    record = sqs.queues.create("q", {}, {}, Caller())

    with pytest.raises(AwsError, match="AccessDenied"):
        sqs.deliver(QUEUE, {"MessageBody": "b"}, SNS)
    sqs.queues.change(record, {"Policy": policy()}, Caller())
    message_id = sqs.deliver(QUEUE, {"MessageBody": "b"}, SNS)

    assert [message.message_id for message, _ in record.queue.receive(10)] == [message_id]
    [denied] = journal.entries(event="denied")
    assert denied.detail == "the queue policy does not let sns.amazonaws.com send"
