"""Rules and their targets, by boto3, with AWS's own words for errors.

Each test names its page of https://docs.aws.amazon.com/eventbridge/latest/APIReference/ .
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.events import QUEUE_ARN
from support.localbus import refused

INVALID, MISSING = "ValidationException", "ResourceNotFoundException"
LIMIT = ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
VIOLATION = "1 validation error detected: Value "
PATTERN = '{"a": ["b"]}'


def test_rules_are_created_changed_and_deleted(events: Any) -> None:
    """A second PutRule replaces the first one (API_PutRule.html, API_DescribeRule.html, API_DisableRule.html)."""
    events.create_event_bus(Name="bus")
    on_bus = {"Name": "r", "EventBusName": "bus"}
    arn = events.put_rule(**on_bus, EventPattern=PATTERN, Description="d", RoleArn="arn:role")["RuleArn"]
    events.disable_rule(**on_bus)
    disabled = events.describe_rule(**on_bus)
    events.enable_rule(**on_bus)
    enabled = events.describe_rule(**on_bus)
    events.put_rule(**on_bus, EventPattern='{"c": ["d"]}')
    replaced = events.describe_rule(**on_bus)
    events.delete_rule(**on_bus)
    events.delete_rule(**on_bus)

    assert arn == "arn:aws:events:us-east-1:000000000000:rule/bus/r"
    del disabled["ResponseMetadata"]
    assert disabled == on_bus | {
        "Arn": arn,
        "EventPattern": PATTERN,
        "State": "DISABLED",
        "Description": "d",
        "RoleArn": "arn:role",
        "CreatedBy": "000000000000",
    }
    assert enabled["State"] == "ENABLED"
    assert replaced["EventPattern"] == '{"c": ["d"]}'
    assert "Description" not in replaced
    assert events.list_rules(EventBusName="bus")["Rules"] == []


@pytest.mark.parametrize(
    ("action", "params", "code", "message"),
    [
        ("put_rule", {}, INVALID, "Parameter(s) EventPattern or ScheduleExpression must be specified."),
        ("put_rule", {"ScheduleExpression": "rate(1 minutes)"}, INVALID, "ScheduleExpression is not valid."),
        ("put_rule", {"ScheduleExpression": "rate(1 minute)", "EventBusName": "bus"}, INVALID,
         "ScheduleExpression is supported only on the default event bus."),
        ("put_rule", {"EventPattern": '{"a": "b"}'}, "InvalidEventPatternException", '"a" must be an object or an arr'),
        ("put_rule", {"Name": "x y", "EventPattern": PATTERN}, INVALID, VIOLATION + "'x y' at 'name' failed to satisfy "
         r"constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+"),
        ("put_rule", {"EventPattern": PATTERN, "State": "ON"}, INVALID, "'ON' at 'state'"),
        ("put_rule", {"EventPattern": PATTERN, "EventBusName": "no"}, MISSING, "Event bus no does not exist."),
        *((action, {"Name": "no"}, MISSING, "Rule no does not exist on EventBus default.")
          for action in ("describe_rule", "enable_rule", "disable_rule")),
        ("delete_rule", {"Name": "r"}, INVALID, "Rule can't be deleted since it has targets."),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("rule")
def test_an_invalid_request_is_rejected(
    events: Any, action: str, params: dict[str, Any], code: str, message: str
) -> None:
    """API_PutRule.html, API_DescribeRule.html, API_DeleteRule.html."""
    events.create_event_bus(Name="bus")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE_ARN}])

    found = refused(getattr(events, action), **({"Name": "x"} | params))

    assert found[0] == code
    assert message in found[1]


def test_a_bus_has_300_rules(events: Any) -> None:
    """One more is rejected; an existing one can still be changed (userguide/eb-quota.html)."""
    for number in range(300):
        events.put_rule(Name=f"r{number}", EventPattern=PATTERN)

    assert refused(events.put_rule, Name="more", EventPattern=PATTERN) == LIMIT
    events.put_rule(Name="r7", EventPattern='{"a": ["c"]}')


def test_lists_have_pages(events: Any) -> None:
    """By prefix, with a limit and a token (API_ListRules.html, API_ListEventBuses.html, API_ListTargetsByRule.html)."""
    for number in range(7):
        events.put_rule(Name=f"r{number}", EventPattern=PATTERN)
        events.create_event_bus(Name=f"r{number}")
    events.put_rule(Name="other", EventPattern=PATTERN)
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
    assert refused(events.list_rules, NextToken="?")[0] == INVALID


# Targets


def test_targets_are_added_replaced_and_removed(events: Any, rule: str) -> None:
    """A target with the same id is replaced (API_PutTargets.html, API_RemoveTargets.html)."""
    target, other = {"Id": "1", "Arn": QUEUE_ARN}, {"Id": "2", "Arn": QUEUE_ARN}
    changed = target | {"RetryPolicy": {"MaximumRetryAttempts": 1}}
    answer = events.put_targets(Rule=rule, Targets=[target, changed, other])
    listed = events.list_targets_by_rule(Rule=rule)["Targets"]
    removed = events.remove_targets(Rule=rule, Ids=["2", "3"])

    assert (answer["FailedEntryCount"], answer["FailedEntries"]) == (0, [])
    assert listed == [changed, other]
    assert removed["FailedEntryCount"] == 1
    assert removed["FailedEntries"][0]["TargetId"] == "3"
    assert events.list_targets_by_rule(Rule=rule)["Targets"] == [changed]


BAD_ARN = "is not valid. Reason: Provided Arn is not in correct format."
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:f"
DESTINATION = "arn:aws:events:us-east-1:000000000000:api-destination/d/1"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Id": "!@#"}, VIOLATION + "'!@#' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy "
         r"regular expression pattern: [\.\-_A-Za-z0-9]+"),
        ({"Arn": "q"}, f"Parameter q {BAD_ARN}"),
        ({"Arn": FUNCTION}, f"Parameter {FUNCTION} {BAD_ARN}"),
        ({"Arn": QUEUE_ARN + ".fifo"}, "Parameter(s) SqsParameters must be specified for target: t."),
        ({"Arn": DESTINATION}, f"RoleArn is required for target {DESTINATION}."),
        ({"RetryPolicy": {"MaximumRetryAttempts": 186}},
         VIOLATION + "'186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: "
         "Member must have value less than or equal to 185"),
        ({"KinesisParameters": {"PartitionKeyPath": "$.id"}}, "Parameter KinesisParameters is not valid for target t."),
        ({"HttpParameters": {}}, "Parameter HttpParameters is not valid for target t."),
        ({"Arn": FUNCTION.replace(":f", ":function:f"), "SqsParameters": {"MessageGroupId": "g"}},
         "Parameter SqsParameters is not valid for target t."),
        ({"DeadLetterConfig": {"Arn": QUEUE_ARN + ".fifo"}},
         f"Parameter {QUEUE_ARN}.fifo is not valid. Reason: A dead-letter queue must be a standard queue."),
    ],
)  # fmt: skip
def test_an_invalid_target_is_rejected(events: Any, rule: str, target: dict[str, Any], message: str) -> None:
    """API_PutTargets.html, API_Target.html."""
    given = [{"Id": "t", "Arn": QUEUE_ARN} | target]

    assert refused(events.put_targets, Rule=rule, Targets=given) == (INVALID, message)


def test_a_rule_has_5_targets(events: Any, rule: str) -> None:
    """The sixth is rejected (userguide/eb-quota.html)."""
    targets = [{"Id": str(number), "Arn": QUEUE_ARN} for number in range(6)]

    assert refused(events.put_targets, Rule=rule, Targets=targets) == LIMIT
    assert refused(events.put_targets, Rule="no", Targets=targets[:1])[0] == MISSING


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("list_partner_event_sources", {"NamePrefix": "aws.partner/x/y"}),
        ("create_partner_event_source", {"Name": "aws.partner/x/y", "Account": "000000000000"}),
    ],
)
def test_an_unsupported_target_or_action_is_an_error(
    localbus: Any, rule: str, action: str, params: dict[str, Any]
) -> None:
    """Never a silent success."""
    with pytest.raises(ClientError, match=r"\(NotImplemented\).*events "):
        getattr(localbus.client("events"), action)(**params)
