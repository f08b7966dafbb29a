"""Conditions and the form of resource policies, which queues, topics, buses and functions share."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.policy_conditions import Context
from localbus.pytest_plugin import Localbus
from localbus.resource_policy import Principal, allows
from support.localbus import refused

OTHER = "111111111111"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
RULE = "arn:aws:events:us-east-1:000000000000:rule/r"
NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z
CONTEXT: Context = {
    "aws:SourceArn": RULE,
    "aws:SourceIp": "10.20.30.7",
    "n:Number": "5",
    "n:Binary": "QmluYXJ5VmFsdWU=",
    "n:Text": "Red",
    "n:Many": ("a", "b"),
}


@pytest.mark.parametrize(
    ("operator", "key", "holding", "failing"),
    [
        ("StringEquals", "n:Text", "Red", "red"),
        ("StringNotEquals", "n:Text", "red", "Red"),
        ("StringEqualsIgnoreCase", "n:Text", "rED", "r"),
        ("StringNotEqualsIgnoreCase", "n:Text", "r", "rED"),
        ("StringLike", "n:Text", "R?*", "r*"),
        ("StringNotLike", "n:Text", "r*", "R*"),
        ("NumericEquals", "n:Number", "5.0", "6"),
        ("NumericNotEquals", "n:Number", 6, 5),
        ("NumericLessThan", "n:Number", "6", "5"),
        ("NumericLessThanEquals", "n:Number", "5", "4"),
        ("NumericGreaterThan", "n:Number", "4", "5"),
        ("NumericGreaterThanEquals", "n:Number", "5", "6"),
        ("NumericEquals", "n:Text", None, "0"),
        ("DateEquals", "aws:CurrentTime", "2026-01-02T03:04:05Z", "2026-01-02"),
        ("DateNotEquals", "aws:CurrentTime", "2026", "2026-01-02T03:04:05Z"),
        ("DateLessThan", "aws:CurrentTime", "2026-01-03", "2026-01-02T03:04:05Z"),
        ("DateLessThanEquals", "aws:EpochTime", "1767323045", "1767323044"),
        ("DateGreaterThan", "aws:CurrentTime", "2026-01-02T03:04:04Z", "2026-01-02T02:04:05-01:00"),
        ("DateGreaterThanEquals", "aws:CurrentTime", "2026-01-02", "2027"),
        ("Bool", "aws:SecureTransport", "true", "false"),
        ("Bool", "aws:PrincipalIsAWSService", True, False),
        ("BinaryEquals", "n:Binary", "QmluYXJ5VmFsdWU=", "QmluYXJ5"),
        ("IpAddress", "aws:SourceIp", "10.20.30.200/24", "10.20.31.0/24"),
        ("NotIpAddress", "aws:SourceIp", "2001:db8::/32", "10.0.0.0/8"),
        ("ArnEquals", "aws:SourceArn", RULE, RULE + "2"),
        ("ArnLike", "aws:SourceArn", "arn:aws:events:*:*:rule/*", "arn:aws:events:*:rule/*"),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:*", "arn:aws:events:us-east-?:*:rule/r"),
        ("Null", "n:None", "true", "false"),
        ("Null", "n:Text", "false", "true"),
        ("StringNotEquals", "n:None", "x", None),
        ("StringEqualsIfExists", "n:None", "x", None),
        ("NumericLessThanIfExists", "n:Number", "6", "5"),
        ("ForAllValues:StringEquals", "n:Many", ["a", "b", "c"], ["a"]),
        ("ForAllValues:StringEquals", "n:None", "a", None),
        ("ForAnyValue:StringEquals", "n:Many", ["b", "c"], ["c"]),
        ("ForAnyValue:StringNotEquals", "n:Many", ["a"], ["a", "b"]),
        ("ForAnyValue:StringLike", "aws:PrincipalServiceNamesList", "events.*", "sns.*"),
        ("ForAnyValue:StringEquals", "n:None", None, "a"),
        ("StringEquals", "AWS:resourceaccount", "000000000000", OTHER),
        ("StringEquals", "aws:RequestedRegion", "us-east-1", "eu-west-1"),
        ("StringEquals", "aws:PrincipalServiceName", "events.amazonaws.com", "sns.amazonaws.com"),
        ("StringEquals", "n:Text", "${n:Text}", "${n:None}"),
        ("StringLike", "n:Text", "${n:None, 'R'}*", "${n:None, 'r'}*"),
    ],
)
def test_condition_operators(operator: str, key: str, holding: Any, failing: Any) -> None:
    """Each operator has values that hold and some that do not (reference_policies_elements_condition_operators)."""
    service = Principal(service="events.amazonaws.com", context=CONTEXT)
    for value, expected in ((holding, True), (failing, False)):
        if value is not None:
            statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Condition": {operator: {key: value}}}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

            assert allows(policy, service, "sqs:SendMessage", QUEUE, NOW) is expected, value


def test_variables_are_plain_text_in_the_first_version() -> None:
    """Policy variables came with Version 2012-10-17 (reference_policies_elements_version)."""
    test = {"StringEquals": {"n:Text": "${n:Text}"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": test}
    policy = json.dumps({"Version": "2008-10-17", "Statement": statement})

    assert not allows(policy, Principal(service="s", context=CONTEXT), "sqs:SendMessage", QUEUE)


def _statement(**changes: Any) -> dict[str, Any]:
    given = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"} | changes
    return {name: value for name, value in given.items() if value is not None}


_CHANGES: list[dict[str, Any]] = [
    {"Effect": []},
    {"Effect": {}},
    {"Effect": "allow"},
    {"Effect": None},
    {"Sid": 1},
    {"Principal": None},
    {"Principal": []},
    {"Principal": "x"},
    {"Principal": {}},
    {"Principal": {"AWS": {}}},
    {"Principal": {"AWS": "somebody"}},
    {"Principal": {"Aws": "*"}},
    {"NotPrincipal": "*"},
    {"Action": None},
    {"Action": []},
    {"Action": [1]},
    {"Action": {}},
    {"NotAction": "*"},
    {"Resource": {}},
    {"Resource": [[]]},
    {"NotResource": "*"},
    {"Condition": []},
    {"Condition": {"StringEquals": "x"}},
    {"Condition": {"StringEquals": {"a:b": {}}}},
    {"Condition": {"StringEquals": {"a:b": None}}},
    {"Condition": {"NoSuchOperator": {"a:b": "c"}}},
    {"Condition": {"ForSomeValues:StringEquals": {"a:b": "c"}}},
    {"Condition": {"NumericEquals": {"a:b": "1_000"}}},
    {"Condition": {"DateEquals": {"a:b": "soon"}}},
    {"Condition": {"IpAddress": {"a:b": "10.0.0.0/33"}}},
    {"Condition": {"Bool": {"a:b": "yes"}}},
    {"Condition": {"Null": {"a:b": "yes"}}},
]
INVALID: list[Any] = [
    "",
    [],
    {},
    {"Statement": []},
    {"Statement": ["x"]},
    {"Version": "2012-10-18", "Statement": [_statement()]},
    {"Version": [], "Statement": [_statement()]},
    *({"Statement": [_statement(**changes)]} for changes in _CHANGES),
]


def test_an_invalid_policy_is_refused_by_each_service(localbus: Localbus) -> None:
    """With each service's own error (reference_policies_grammar)."""
    sqs, sns, events = (localbus.client(name) for name in ("sqs", "sns", "events"))
    url, topic = sqs.create_queue(QueueName="q")["QueueUrl"], sns.create_topic(Name="t")["TopicArn"]
    for policy in INVALID:
        text = json.dumps(policy)
        topic_policy = {"AttributeName": "Policy", "AttributeValue": text}

        of_queue = refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": text})
        of_topic = refused(sns.set_topic_attributes, TopicArn=topic, **topic_policy)
        of_bus = refused(events.put_permission, Policy=text)

        assert of_queue == ("InvalidAttributeValue", "Invalid value for the parameter Policy."), text
        assert of_topic == ("InvalidParameter", "Invalid parameter: Policy Error: null"), text
        assert of_bus[0] == "ValidationException", text


def test_a_condition_on_source_and_detail_type_holds_for_each_entry(localbus: Localbus) -> None:
    """The others of the request are published (list_amazoneventbridge, API_PutEventsResultEntry)."""
    events, other = localbus.client("events"), localbus.client("events", account=OTHER)
    arn = events.describe_event_bus()["Arn"]
    statement = _statement(Principal={"AWS": OTHER}, Action="events:PutEvents", Resource=arn)
    for key, value, code in (
        ("events:source", "orders", "NotAuthorizedForSourceException"),
        ("events:detail-type", "placed", "NotAuthorizedForDetailTypeException"),
    ):
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Condition": {"StringEquals": {key: value}}}]}
        events.put_permission(Policy=json.dumps(policy))
        names = [("orders", "placed"), ("x", "y")]
        entries = [{"Source": s, "DetailType": t, "Detail": "{}", "EventBusName": arn} for s, t in names]

        answer = other.put_events(Entries=entries)

        assert [one.get("ErrorCode") for one in answer["Entries"]] == [None, code]
        assert answer["FailedEntryCount"] == 1
        statement.pop("Condition", None)


def test_rules_of_another_account_need_a_permission(localbus: Localbus) -> None:
    """A rule belongs to the account that made it (eb-event-bus-permissions-manage: events:creatorAccount)."""
    events, other = localbus.client("events"), localbus.client("events", account=OTHER)
    arn = events.describe_event_bus()["Arn"]
    rule = {"Name": "r", "EventBusName": arn}
    pattern = '{"source": ["orders"]}'
    assert refused(other.put_rule, **rule, EventPattern=pattern)[0] == "AccessDeniedException"
    mine = {"StringEqualsIfExists": {"events:creatorAccount": "${aws:PrincipalAccount}"}}
    statement = _statement(Principal={"AWS": OTHER}, Action="events:*Rule", Condition=mine)
    events.put_permission(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    other.put_rule(**rule, EventPattern=pattern)
    events.put_rule(Name="owners", EventPattern=pattern)

    assert other.describe_rule(**rule)["CreatedBy"] == OTHER
    assert refused(other.delete_rule, Name="owners", EventBusName=arn)[0] == "AccessDeniedException"
    other.delete_rule(**rule)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"sns:Protocol": "sqs"}}, True),
        ({"StringEquals": {"sns:Protocol": "https"}}, False),
        ({"StringLike": {"sns:Endpoint": "arn:aws:sqs:*:q"}}, True),
        ({"StringLike": {"sns:Endpoint": "*@example.com"}}, False),
        ({"StringEquals": {"aws:ResourceTag/team": "a"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:*"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    ],
)
def test_condition_keys_of_a_request(localbus: Localbus, condition: dict[str, Any], allowed: bool) -> None:
    """Of Subscribe (list_amazonsns), of the resource and of every request (reference_policies_condition-keys)."""
    sns, other = localbus.client("sns"), localbus.client("sns", account=OTHER)
    topic = sns.create_topic(Name="t", Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
    statement = _statement(Principal={"AWS": OTHER}, Action="sns:Subscribe", Resource=topic, Condition=condition)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": QUEUE}

    if allowed:
        assert other.subscribe(**given)["SubscriptionArn"]
    else:
        assert refused(other.subscribe, **given)[0] == "AuthorizationError"


def test_an_error_of_a_policy_shows_json(localbus: Localbus) -> None:
    """The value that is not valid reads as it was written."""
    policy = {"Version": "2012-10-17", "Statement": [_statement(Condition={"ArnLike": {"a:b": {"c": None}}})]}

    _, message = refused(localbus.client("events").put_permission, Policy=json.dumps(policy))

    assert '{"c": null} is not a valid value of ArnLike' in message


def test_one_identity(localbus: Localbus) -> None:
    """The caller of GetCallerIdentity is the one that subscribes, that a policy names, and of which an error speaks.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    caller = localbus.client("sts").get_caller_identity()["Arn"]
    other = localbus.client("sts", account=OTHER).get_caller_identity()["Arn"]
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    queue = "arn:aws:sqs:us-east-1:000000000000:work"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    stranger = localbus.client("sns", account=OTHER)

    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    message = refused(stranger.publish, TopicArn=topic, Message="m")[1]
    statement = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    assert (attributes["SubscriptionPrincipal"], f"User: {other} " in message) == (caller, True)
    assert stranger.publish(TopicArn=topic, Message="m")["MessageId"]
