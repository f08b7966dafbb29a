"""EventBridge as boto3 sees it: buses, rules, targets, entries, and AWS's own words for what is wrong.

Each test names its page of https://docs.aws.amazon.com/eventbridge/latest/APIReference/ .
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:q"
KIB = 1024


@pytest.fixture
def events(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("events")


@pytest.fixture
def rule(events: Any) -> str:
    """The name of a rule of the default bus."""
    events.put_rule(Name="r", EventPattern='{"source": ["orders"]}')
    return "r"


def refused(action: Any, **given: Any) -> tuple[str, str]:
    """The code and the message of the error that AWS answers, always with status 400."""
    with pytest.raises(ClientError) as raised:
        action(**given)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    error = raised.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def entry(**changes: Any) -> dict[str, Any]:
    """An entry of PutEvents."""
    return {"Source": "orders", "DetailType": "placed", "Detail": "{}"} | changes


# Entries, which API_PutEventsRequestEntry.html describes


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"Source": ""},
            "InvalidArgument",
            "Parameter Source is not valid. Reason: Source is a required argument.",
        ),
        (
            {"DetailType": ""},
            "InvalidArgument",
            "Parameter DetailType is not valid. Reason: DetailType is a required argument.",
        ),
        ({"Detail": ""}, "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."),
        ({"Detail": "text"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '"text"'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": "[]"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a": NaN}'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a": 1e999}'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a":' * 2000 + "1" + "}" * 2000}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a": "\\ud800"}'}, "MalformedDetail", "Detail is malformed."),
        (
            {"DetailType": "x" * 129},
            "InvalidArgument",
            "Parameter DetailType is not valid. Reason: DetailType is longer than 128 characters.",
        ),
        ({"Source": "aws.ec2"}, "NotAuthorizedForSourceException", "Not authorized for the source."),
    ],
)
def test_an_entry_fails_for_itself(events: Any, changes: dict[str, Any], code: str, message: str) -> None:
    """The others of the batch go through, each in its place."""
    answer = events.put_events(Entries=[entry(), entry(**changes), entry()])

    assert answer["FailedEntryCount"] == 1
    assert [sorted(one) for one in answer["Entries"]] == [["EventId"], ["ErrorCode", "ErrorMessage"], ["EventId"]]
    assert answer["Entries"][1] == {"ErrorCode": code, "ErrorMessage": message}


def test_a_batch_has_10_entries_of_a_mebibyte_together(events: Any) -> None:
    """More is refused as a whole (and eb-putevents.html#eb-putevent-size for what counts)."""
    ten = [entry(Detail=json.dumps({"x": "y" * 100 * KIB}))] * 10
    too_large = [*ten[:9], entry(Detail=json.dumps({"x": "y" * 130 * KIB}))]

    assert events.put_events(Entries=ten)["FailedEntryCount"] == 0
    assert refused(events.put_events, Entries=[entry()] * 11)[1].endswith(
        "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    )
    for entries in (
        too_large,
        [entry(Source="s" * KIB * KIB)],
        [entry(Detail=json.dumps({"x": "\u20ac" * 350 * KIB}))],
    ):
        assert refused(events.put_events, Entries=entries) == (
            "ValidationException",
            "Total size of the entries in the request is over the limit.",
        )


def test_what_breaks_a_constraint_is_shown_as_aws_shows_it(events: Any) -> None:
    """A structure by its name and members, null for what is not there (recorded for a batch that is too large)."""
    code, message = refused(events.put_events, Entries=[entry(Resources=["a", "b"])] * 11)

    one = (
        "PutEventsRequestEntry(time=null, source=orders, resources=[a, b], detailType=placed, detail={}, "
        "eventBusName=null, traceHeader=null)"
    )
    constraint = "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    assert (code, message) == (
        "ValidationException",
        f"1 validation error detected: Value '[{', '.join([one] * 11)}]' {constraint}",
    )


def test_an_event_for_a_bus_that_is_not_there_is_lost(localbus: Localbus, events: Any) -> None:
    """AWS answers as if nothing were wrong; the journal tells."""
    [answer] = events.put_events(Entries=[entry(EventBusName="nowhere")])["Entries"]

    [dropped] = localbus.engine.journal.entries(message_id=answer["EventId"])
    assert (dropped.event, dropped.detail) == ("dropped", "there is no such event bus")


def test_the_event_as_a_target_gets_it(localbus: Localbus, events: Any, rule: str) -> None:
    """All members, in AWS's order (and eb-events-structure.html)."""
    sqs, url = open_queue(localbus)
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    given = entry(Time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), Resources=["arn:a"], Detail='{ "b": [1, 2.5, null] }')

    [answer] = events.put_events(Entries=[given | {"TraceHeader": "Root=1-2-3"}])["Entries"]

    [message] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])["Messages"]
    assert message["Body"] == (
        f'{{"version":"0","id":"{answer["EventId"]}","detail-type":"placed","source":"orders","account":"000000000000",'
        '"time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":["arn:a"],"detail":{"b":[1,2.5,null]}}'
    )
    assert message["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"


def open_queue(localbus: Localbus, name: str = "q") -> tuple[Any, str]:
    """A client, and the URL of a queue that takes whatever EventBridge sends."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    return sqs, url


# Buses


def test_buses_come_and_go(events: Any) -> None:
    """CreateEventBus, DescribeEventBus, UpdateEventBus, ListEventBuses, DeleteEventBus; one bus is always there."""
    arn = events.create_event_bus(Name="bus", Description="d", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    events.update_event_bus(Name="bus", Description="other")
    described = events.describe_event_bus(Name=arn)
    listed = events.list_event_buses()["EventBuses"]
    events.delete_event_bus(Name="bus")
    events.delete_event_bus(Name="bus")

    assert arn == "arn:aws:events:us-east-1:000000000000:event-bus/bus"
    assert (described["Name"], described["Arn"], described["Description"]) == ("bus", arn, "other")
    assert [one["Name"] for one in listed] == ["bus", "default"]
    assert events.describe_event_bus()["Name"] == "default"
    assert [one["Name"] for one in events.list_event_buses()["EventBuses"]] == ["default"]


def test_what_is_wrong_with_buses(events: Any) -> None:
    """API_CreateEventBus.html, API_DeleteEventBus.html."""
    events.create_event_bus(Name="bus")
    events.put_rule(Name="r", EventBusName="bus", EventPattern='{"a": ["b"]}')

    assert refused(events.create_event_bus, Name="bus") == (
        "ResourceAlreadyExistsException",
        "Event bus bus already exists.",
    )
    assert refused(events.create_event_bus, Name="default")[0] == "ResourceAlreadyExistsException"
    assert refused(events.create_event_bus, Name="a/b")[0] == "ValidationException"
    assert refused(events.describe_event_bus, Name="no") == (
        "ResourceNotFoundException",
        "Event bus no does not exist.",
    )
    assert refused(events.delete_event_bus, Name="default") == (
        "ValidationException",
        "Cannot delete event bus default.",
    )
    assert refused(events.delete_event_bus, Name="bus") == (
        "ValidationException",
        "EventBus can't be deleted since it has rules.",
    )


def test_an_account_has_100_buses(events: Any) -> None:
    """The hundred and first is refused (userguide/eb-quota.html)."""
    for number in range(99):
        events.create_event_bus(Name=f"b{number}")

    assert refused(events.create_event_bus, Name="more")[0] == "LimitExceededException"


def test_accounts_and_regions_do_not_see_each_other(localbus: Localbus, events: Any) -> None:
    """A bus belongs to the account and the region of the credentials."""
    events.create_event_bus(Name="bus")
    for other in (
        localbus.client("events", account="111111111111"),
        localbus.client("events", region="eu-west-1"),
    ):
        assert [one["Name"] for one in other.list_event_buses()["EventBuses"]] == ["default"]


def test_permissions(localbus: Localbus, events: Any) -> None:
    """Another account puts events once the policy lets it (API_PutPermission.html, API_RemovePermission.html)."""
    other = localbus.client("events", account="111111111111")
    bus_arn = events.describe_event_bus()["Arn"]
    statement = {"Action": "events:PutEvents", "StatementId": "s"}

    denied = refused(other.put_events, Entries=[entry(EventBusName=bus_arn)])
    events.put_permission(Principal="111111111111", **statement)
    policy = json.loads(events.describe_event_bus()["Policy"])
    allowed = other.put_events(Entries=[entry(EventBusName=bus_arn)])
    events.remove_permission(StatementId="s")

    assert denied[0] == "AccessDeniedException"
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "s",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "events:PutEvents",
                "Resource": bus_arn,
            }
        ],
    }
    assert allowed["FailedEntryCount"] == 0
    assert "Policy" not in events.describe_event_bus()
    assert refused(events.remove_permission, StatementId="s") == (
        "ResourceNotFoundException",
        "Statement with the provided id does not exist.",
    )
    assert refused(events.put_permission, EventBusName="no", Principal="*", **statement) == (
        "ResourceNotFoundException",
        "Event bus no does not exist.",
    )


def test_a_whole_policy_replaces_the_statements(events: Any) -> None:
    """API_PutPermission.html: Policy. Ten kilobytes are its limit."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "x", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}],
    }
    events.put_permission(Action="events:PutEvents", Principal="*", StatementId="s")

    events.put_permission(Policy=json.dumps(policy))

    assert json.loads(events.describe_event_bus()["Policy"]) == policy
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()
    policy["Statement"][0]["Resource"] = "x" * 11_000  # type: ignore[index]
    assert refused(events.put_permission, Policy=json.dumps(policy))[0] == "PolicyLengthExceededException"
    assert refused(events.put_permission, Policy="{")[0] == "ValidationException"
    assert refused(events.put_permission, Action="events:PutEvents")[0] == "ValidationException"


# Rules


def test_rules_come_and_go(events: Any) -> None:
    """PutRule, DescribeRule, DisableRule, EnableRule, DeleteRule; a rule that is put again is another."""
    events.create_event_bus(Name="bus")
    on_bus = {"Name": "r", "EventBusName": "bus"}
    arn = events.put_rule(**on_bus, EventPattern='{"a": ["b"]}', Description="d", RoleArn="arn:role")["RuleArn"]
    events.disable_rule(**on_bus)
    disabled = events.describe_rule(**on_bus)
    events.enable_rule(**on_bus)
    enabled = events.describe_rule(**on_bus)
    events.put_rule(**on_bus, EventPattern='{"c": ["d"]}')
    again = events.describe_rule(**on_bus)
    events.delete_rule(**on_bus)
    events.delete_rule(**on_bus)

    assert arn == "arn:aws:events:us-east-1:000000000000:rule/bus/r"
    del disabled["ResponseMetadata"]
    assert disabled == {
        "Name": "r",
        "Arn": arn,
        "EventPattern": '{"a": ["b"]}',
        "State": "DISABLED",
        "Description": "d",
        "RoleArn": "arn:role",
        "EventBusName": "bus",
        "CreatedBy": "000000000000",
    }
    assert enabled["State"] == "ENABLED"
    assert again["EventPattern"] == '{"c": ["d"]}'
    assert "Description" not in again
    assert events.list_rules(EventBusName="bus")["Rules"] == []


def test_what_is_wrong_with_rules(events: Any, rule: str) -> None:
    """API_PutRule.html, API_DescribeRule.html, API_DeleteRule.html."""
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": QUEUE_ARN}])

    assert refused(events.put_rule, Name="x") == (
        "ValidationException",
        "Parameter(s) EventPattern or ScheduleExpression must be specified.",
    )
    assert refused(events.put_rule, Name="x", ScheduleExpression="rate(1 minutes)") == (
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
    )
    assert refused(events.put_rule, Name="x", EventPattern='{"a": "b"}')[0] == "InvalidEventPatternException"
    assert refused(events.put_rule, Name="x y", EventPattern='{"a": ["b"]}') == (
        "ValidationException",
        "1 validation error detected: Value 'x y' at 'name' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: [\.\-_A-Za-z0-9]+",
    )
    assert refused(events.put_rule, Name="x", EventPattern="{}", State="ON")[0] == "ValidationException"
    assert refused(events.put_rule, Name="x", EventPattern='{"a": ["b"]}', EventBusName="no") == (
        "ResourceNotFoundException",
        "Event bus no does not exist.",
    )
    for action in (events.describe_rule, events.enable_rule, events.disable_rule):
        assert refused(action, Name="no") == (
            "ResourceNotFoundException",
            "Rule no does not exist on EventBus default.",
        )
    assert refused(events.delete_rule, Name=rule) == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )


def test_a_bus_has_300_rules(events: Any) -> None:
    """The next is refused; one that is there can still be changed (userguide/eb-quota.html)."""
    for number in range(300):
        events.put_rule(Name=f"r{number}", EventPattern='{"a": ["b"]}')

    assert refused(events.put_rule, Name="more", EventPattern='{"a": ["b"]}') == (
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
    events.put_rule(Name="r7", EventPattern='{"a": ["c"]}')


def test_lists_come_in_pages(events: Any) -> None:
    """By prefix, with a limit and a token (API_ListRules.html, API_ListEventBuses.html, API_ListTargetsByRule.html)."""
    for number in range(7):
        events.put_rule(Name=f"r{number}", EventPattern='{"a": ["b"]}')
        events.create_event_bus(Name=f"r{number}")
    events.put_rule(Name="other", EventPattern='{"a": ["b"]}')
    events.put_targets(Rule="other", Targets=[{"Id": f"t{number}", "Arn": QUEUE_ARN} for number in range(5)])

    def pages(action: Any, member: str, key: str, **given: Any) -> list[list[str]]:
        found: list[list[str]] = []
        token: dict[str, str] = {}
        while True:
            answer = action(Limit=3, **given, **token)
            found.append([one[key] if key else one for one in answer[member]])
            if "NextToken" not in answer:
                return found
            token = {"NextToken": answer["NextToken"]}

    seven = [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]
    assert pages(events.list_rules, "Rules", "Name", NamePrefix="r") == seven
    assert pages(events.list_event_buses, "EventBuses", "Name", NamePrefix="r") == seven
    assert pages(events.list_targets_by_rule, "Targets", "Id", Rule="other") == [["t0", "t1", "t2"], ["t3", "t4"]]
    assert pages(events.list_rule_names_by_target, "RuleNames", "", TargetArn=QUEUE_ARN) == [["other"]]
    assert refused(events.list_rules, NextToken="?")[0] == "ValidationException"


def test_tags(events: Any) -> None:
    """On buses and rules (API_TagResource.html, API_UntagResource.html, API_ListTagsForResource.html)."""
    bus_arn = events.create_event_bus(Name="bus", Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    rule = events.put_rule(Name="r", EventBusName="bus", EventPattern='{"a": ["b"]}', Tags=[{"Key": "x", "Value": "1"}])
    for arn in (bus_arn, rule["RuleArn"]):
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
        events.untag_resource(ResourceARN=arn, TagKeys=["c", "not there"])

    def tags(arn: str) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in events.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    assert tags(bus_arn) == {"a": "1", "b": "2"}
    assert tags(rule["RuleArn"]) == {"x": "1", "b": "2"}
    assert refused(events.list_tags_for_resource, ResourceARN=rule["RuleArn"] + "x") == (
        "ResourceNotFoundException",
        "Rule rx does not exist on EventBus bus.",
    )
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(events.tag_resource, ResourceARN=bus_arn, Tags=many)[0] == "ValidationException"


# Targets


def test_targets_come_and_go(events: Any, rule: str) -> None:
    """PutTargets, ListTargetsByRule, RemoveTargets; a target with the same id is replaced."""
    target = {"Id": "1", "Arn": QUEUE_ARN, "RetryPolicy": {"MaximumRetryAttempts": 1}}
    answer = events.put_targets(
        Rule=rule, Targets=[{"Id": "1", "Arn": QUEUE_ARN}, target, {"Id": "2", "Arn": QUEUE_ARN}]
    )
    listed = events.list_targets_by_rule(Rule=rule)["Targets"]
    removed = events.remove_targets(Rule=rule, Ids=["2", "3"])

    assert (answer["FailedEntryCount"], answer["FailedEntries"]) == (0, [])
    assert listed == [target, {"Id": "2", "Arn": QUEUE_ARN}]
    assert removed["FailedEntryCount"] == 1
    assert removed["FailedEntries"][0]["TargetId"] == "3"
    assert events.list_targets_by_rule(Rule=rule)["Targets"] == [target]


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        (
            {"Id": "!@#"},
            "ValidationException",
            "1 validation error detected: Value '!@#' at 'targets.1.member.id' failed to satisfy constraint: Member "
            r"must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
        ),
        (
            {"Arn": "q"},
            "ValidationException",
            "Parameter q is not valid. Reason: Provided Arn is not in correct format.",
        ),
        (
            {"Arn": "arn:aws:lambda:us-east-1:000000000000:f"},
            "ValidationException",
            "Parameter arn:aws:lambda:us-east-1:000000000000:f is not valid. Reason: Provided Arn is not in correct "
            "format.",
        ),
        (
            {"Arn": QUEUE_ARN + ".fifo"},
            "ValidationException",
            "Parameter(s) SqsParameters must be specified for target: t.",
        ),
        (
            {"Arn": "arn:aws:events:us-east-1:000000000000:api-destination/d/1"},
            "ValidationException",
            "RoleArn is required for target arn:aws:events:us-east-1:000000000000:api-destination/d/1.",
        ),
        (
            {"RetryPolicy": {"MaximumRetryAttempts": 186}},
            "ValidationException",
            "1 validation error detected: Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to "
            "satisfy constraint: Member must have value less than or equal to 185",
        ),
        (
            {"DeadLetterConfig": {"Arn": QUEUE_ARN + ".fifo"}},
            "ValidationException",
            f"Parameter {QUEUE_ARN}.fifo is not valid. Reason: A dead-letter queue must be a standard queue.",
        ),
    ],
)
def test_what_is_wrong_with_targets(events: Any, rule: str, target: dict[str, Any], code: str, message: str) -> None:
    """API_PutTargets.html, API_Target.html."""
    assert refused(events.put_targets, Rule=rule, Targets=[{"Id": "t", "Arn": QUEUE_ARN} | target]) == (code, message)


def test_a_rule_has_5_targets(events: Any, rule: str) -> None:
    """The sixth is refused (userguide/eb-quota.html)."""
    targets = [{"Id": str(number), "Arn": QUEUE_ARN} for number in range(6)]

    assert refused(events.put_targets, Rule=rule, Targets=targets) == (
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
    assert refused(events.put_targets, Rule="no", Targets=targets[:1])[0] == "ResourceNotFoundException"


def test_what_is_not_built_says_so(events: Any, rule: str) -> None:
    """A target or an action that AWS has and this engine has not is never a silent success."""
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    for action, given in (
        (events.put_targets, {"Rule": rule, "Targets": [{"Id": "1", "Arn": stream}]}),
        (events.list_partner_event_sources, {"NamePrefix": "aws.partner/x/y"}),
        (events.create_partner_event_source, {"Name": "aws.partner/x/y", "Account": "000000000000"}),
    ):
        with pytest.raises(ClientError, match=r"\(NotImplemented\).*events "):
            action(**given)


# Patterns


def test_a_pattern_is_tried(events: Any) -> None:
    """API_TestEventPattern.html."""
    event = {
        "id": "1",
        "source": "order",
        "detail-type": "Test",
        "account": "000000000000",
        "region": "us-east-1",
        "time": "2022-07-13T13:48:01Z",
    }

    def result(pattern: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
        return bool(answer["Result"])

    assert result({"source": ["order"], "detail-type": ["Test"]})
    assert not result({"source": ["shipment"]})
    for bad in ("plain text", "[]", "{}", json.dumps({"source": "order"})):
        assert refused(events.test_event_pattern, EventPattern='{"source": ["order"]}', Event=bad) == (
            "ValidationException",
            "Parameter Event is not valid.",
        )
    assert refused(events.test_event_pattern, EventPattern="{}", Event=json.dumps(event))[0] == (
        "InvalidEventPatternException"
    )
