"""Resource policies in a line, and whether they admit a delivery: by AWS's rules for the elements of a policy."""

import json
from typing import Any

import pytest
from orderboard.resources.policy import Sender, admits, extended, statement_for, who_may_send

QUEUE = "arn:aws:sqs:us-east-1:000000000000:work"
TOPIC = "arn:aws:sns:us-east-1:000000000000:orders"
SNS = Sender("sns.amazonaws.com", TOPIC)
BY_SNS: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}
ONLY_TLS: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Resource": QUEUE,
    "Condition": {"Bool": {"aws:SecureTransport": False}},
}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _when(operator: str, key: str, value: str) -> dict[str, Any]:
    return {**BY_SNS, "Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("policy", "admitted"),
    [
        ("", False),
        ("not JSON", False),
        (_policy(BY_SNS), True),
        (_policy({**BY_SNS, "Principal": "*"}), True),
        (_policy({**BY_SNS, "Principal": {"AWS": "*"}}), True),
        (_policy({**BY_SNS, "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}}), True),
        (_policy({**BY_SNS, "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}), False),
        (_policy({**BY_SNS, "Principal": {"Service": "events.amazonaws.com"}}), False),
        (_policy({**BY_SNS, "Action": "SQS:Send*"}), True),
        (_policy({**BY_SNS, "Action": ["sqs:ReceiveMessage"]}), False),
        (_policy({**BY_SNS, "Resource": "arn:aws:sqs:*:*:other"}), False),
        (_policy(_when("ArnEquals", "aws:SourceArn", TOPIC)), True),
        (_policy(_when("ArnLike", "AWS:SourceArn", "arn:aws:sns:*:*:ord*")), True),
        (_policy(_when("ArnEquals", "aws:SourceArn", f"{TOPIC}-2")), False),
        (_policy(_when("StringEquals", "aws:SourceAccount", "000000000000")), True),
        (_policy(_when("StringEquals", "aws:SourceAccount", "111111111111")), False),
        (_policy(_when("StringEquals", "aws:PrincipalOrgID", "o-1")), None),
        (_policy(BY_SNS, ONLY_TLS), True),
        (_policy(BY_SNS, {**BY_SNS, "Effect": "Deny"}), False),
        (_policy(BY_SNS, {**_when("StringEquals", "aws:PrincipalOrgID", "o-1"), "Effect": "Deny"}), None),
        (_policy({name: each for name, each in BY_SNS.items() if name != "Action"} | {"NotAction": "sqs:Del*"}), True),
    ],
)
def test_a_policy_admits_a_topic_or_not(policy: str, admitted: bool | None) -> None:
    """None, where the text does not say: a condition on a key that only AWS knows."""
    assert admits(policy, SNS, QUEUE) is admitted


def test_the_statement_for_a_delivery_is_enough_and_no_more() -> None:
    """Added to a policy, it admits this topic and no other, and keeps what was there."""
    policy = extended(_policy(ONLY_TLS), statement_for(SNS, QUEUE))

    assert admits(policy, SNS, QUEUE)
    assert not admits(policy, Sender("sns.amazonaws.com", f"{TOPIC}-2"), QUEUE)
    assert json.loads(policy)["Statement"][0] == ONLY_TLS


@pytest.mark.parametrize(
    ("policy", "line"),
    [
        ("", "Only account 000000000000 itself: no service and no other account."),
        (
            _policy(_when("ArnEquals", "aws:SourceArn", TOPIC), ONLY_TLS),
            "Account 000000000000 itself; sns.amazonaws.com for orders. A statement denies: see the policy.",
        ),
        (
            _policy({**BY_SNS, "Principal": {"AWS": ["111111111111", "arn:aws:iam::222222222222:role/r"]}}),
            "Account 000000000000 itself; account 111111111111, account 222222222222 (role/r).",
        ),
        (_policy({**BY_SNS, "Principal": "*"}), "Account 000000000000 itself; anyone."),
    ],
)
def test_who_may_send_fits_in_a_line(policy: str, line: str) -> None:
    """It names the services with their sources, other accounts, and everybody."""
    assert who_may_send(policy, QUEUE) == line


def test_the_default_policy_of_a_topic_is_its_own_account() -> None:
    """SNS's default policy names everybody, on condition that the owner is the same: EventBridge is not admitted."""
    own = {"StringEquals": {"AWS:SourceOwner": "000000000000"}}
    policy = _policy(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:Publish"], "Resource": TOPIC, "Condition": own}
    )
    rule = Sender("events.amazonaws.com", "arn:aws:events:us-east-1:000000000000:rule/all")

    assert who_may_send(policy, TOPIC) == "Only account 000000000000 itself: no service and no other account."
    assert admits(policy, rule, TOPIC) is False
