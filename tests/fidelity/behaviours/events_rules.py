"""Buses and rules: creating, finding, listing, changing and deleting them, and errors."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import events_api, events_guide

GROUP = Group("EventBridge", "Buses and rules")
behaviour = GROUP.behaviour
_PATTERN = '{"source": ["s"]}'
_MISSING = "ResourceNotFoundException"
_INVALID = "ValidationException"


@behaviour(events_api("CreateEventBus", recorded=True))
def bus_twice(aws: Aws) -> None:
    """A bus whose name is in use is rejected (ResourceAlreadyExistsException)."""
    refused("ResourceAlreadyExistsException", aws.events.create_event_bus, says="already exists", Name=aws.bus())


@behaviour(events_api("CreateEventBus"))
def bus_with_a_slash(aws: Aws) -> None:
    """The name of a custom bus with a slash is rejected."""
    refused(_INVALID, aws.events.create_event_bus, Name="a/b")


@behaviour(events_api("CreateEventBus"))
def bus_of_a_partner(aws: Aws) -> None:
    """A bus for a partner event source that does not exist is rejected."""
    name = f"aws.partner/example.com/{aws.name()}"
    refused("ResourceNotFoundException", aws.events.create_event_bus, Name=name, EventSourceName=name)


@behaviour(events_api("DeleteEventBus", recorded=True))
def default_bus_stays(aws: Aws) -> None:
    """The default bus cannot be deleted."""
    refused(_INVALID, aws.events.delete_event_bus, Name="default")


@behaviour(events_api("DeleteEventBus"))
def bus_with_rules(aws: Aws) -> None:
    """A bus that has rules cannot be deleted."""
    aws.empty_rule()
    refused(_INVALID, aws.events.delete_event_bus, Name=aws.own_bus)


@behaviour(events_api("DeleteEventBus", recorded=True))
def missing_bus_deleted(aws: Aws) -> None:
    """Deleting a bus that does not exist succeeds."""
    aws.events.delete_event_bus(Name=aws.name())


@behaviour(events_api("DescribeEventBus", recorded=True))
def missing_bus(aws: Aws) -> None:
    """A bus that does not exist is ResourceNotFoundException."""
    refused(_MISSING, aws.events.describe_event_bus, Name=aws.name())


@behaviour(events_api("ListEventBuses", recorded=True))
def buses_by_pages(aws: Aws) -> None:
    """Buses are listed by prefix, with a limit and a token."""
    for _ in range(3):
        aws.bus()

    page = aws.events.list_event_buses(NamePrefix=aws.prefix, Limit=2)
    rest = aws.events.list_event_buses(NamePrefix=aws.prefix, Limit=2, NextToken=page.get("NextToken"))

    same("gives pages of", [len(page["EventBuses"]), len(rest["EventBuses"])], [2, 1])


@behaviour(events_api("PutPermission", recorded=True))
def permission(aws: Aws) -> None:
    """PutPermission adds a statement with the id, the account's root and the bus."""
    bus = aws.bus()
    given = {"EventBusName": bus, "Action": "events:PutEvents", "Principal": "111111111111", "StatementId": "s"}
    aws.events.put_permission(**given)

    described = aws.events.describe_event_bus(Name=bus)

    statement = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "events:PutEvents",
        "Resource": described["Arn"],
    }
    same("adds", json.loads(described["Policy"])["Statement"], [statement])


@behaviour(events_api("RemovePermission", recorded=True))
def missing_statement(aws: Aws) -> None:
    """Removing a statement that does not exist is ResourceNotFoundException."""
    refused(_MISSING, aws.events.remove_permission, EventBusName=aws.bus(), StatementId="none")


@behaviour(events_api("PutRule"))
def rule_arn(aws: Aws) -> None:
    """The ARN of a rule contains the bus, unless it is the default bus."""
    bus, name = aws.bus(), aws.name()
    own = aws.events.put_rule(Name=name, EventBusName=bus, EventPattern=_PATTERN)["RuleArn"]
    default = aws.events.put_rule(Name=name, EventPattern=_PATTERN)["RuleArn"]

    start = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/"
    same("gives", (own, default), (f"{start}{bus}/{name}", f"{start}{name}"))


@behaviour(events_api("PutRule"))
def put_again(aws: Aws) -> None:
    """A second PutRule replaces the rule, including settings that it does not have."""
    rule = {"Name": aws.name(), "EventBusName": aws.own_bus}
    aws.events.put_rule(**rule, EventPattern=_PATTERN, Description="d")
    aws.events.put_rule(**rule, EventPattern='{"source": ["x"]}')

    shown = aws.events.describe_rule(**rule)

    same("has", (shown["EventPattern"], shown.get("Description")), ('{"source": ["x"]}', None))


_SCHEDULE = events_guide("eb-scheduled-rule-pattern", recorded=True)
_put = GROUP.refusals("events.put_rule", _INVALID, events_api("PutRule", recorded=True), Name=Aws.name)


def _put_rule(key: str, statement: str, *, code: str = _INVALID, **given: Any) -> None:
    given = {"EventBusName": lambda aws: aws.own_bus} | given
    _put(key, f"{statement} is rejected ({code})", code=code, **given)


_put_rule("neither", "A rule with neither a pattern nor a schedule")
_put_rule("name_with_a_blank", "A rule's name with a blank", Name="a b", EventPattern=_PATTERN)
_put_rule("unknown_state", "An unknown state", State="ON", EventPattern=_PATTERN)
_put_rule(
    "rule_of_no_bus", "A rule of a bus that does not exist", code=_MISSING, EventBusName="none", EventPattern=_PATTERN
)
_put_rule("pattern_that_is_none", "An invalid pattern", code="InvalidEventPatternException", EventPattern='{"a": "b"}')


def _missing_rule(action: str, operation: str) -> None:
    row = GROUP.refusals(f"events.{operation}", _MISSING, events_api(action), Name=Aws.name)
    row(operation, f"{action} of a rule that does not exist is rejected ({_MISSING})")


_missing_rule("DescribeRule", "describe_rule")
_missing_rule("EnableRule", "enable_rule")
_missing_rule("DisableRule", "disable_rule")


@behaviour(events_api("DeleteRule"))
def missing_rule_deleted(aws: Aws) -> None:
    """Deleting a rule that does not exist succeeds."""
    aws.events.delete_rule(Name=aws.name())


@behaviour(events_api("DeleteRule"))
def rule_with_targets(aws: Aws) -> None:
    """A rule that has targets cannot be deleted."""
    refused(_INVALID, aws.events.delete_rule, Name=aws.rule(aws.queue().arn), EventBusName=aws.own_bus)


@behaviour(events_api("ListRules"))
def rules_by_pages(aws: Aws) -> None:
    """Rules are listed by prefix, with a limit and a token."""
    for _ in range(3):
        aws.empty_rule()
    given = {"EventBusName": aws.own_bus, "NamePrefix": aws.prefix, "Limit": 2}

    page = aws.events.list_rules(**given)
    rest = aws.events.list_rules(**given, NextToken=page.get("NextToken"))

    same("gives pages of", [len(page["Rules"]), len(rest["Rules"])], [2, 1])


@behaviour(events_api("ListRuleNamesByTarget"))
def rules_by_target(aws: Aws) -> None:
    """ListRuleNamesByTarget lists the rules of a target."""
    arn = aws.queue().arn
    names = sorted(aws.rule(arn) for _ in range(2))
    given = {"TargetArn": arn, "EventBusName": aws.own_bus}

    same("lists", sorted(aws.events.list_rule_names_by_target(**given)["RuleNames"]), names)


@behaviour(events_api("DisableRule"))
def disabled(aws: Aws) -> None:
    """A disabled rule sends nothing until it is enabled again."""
    queue = aws.queue(opened=True)
    name = aws.rule(queue.arn, InputPath="$.detail.n")
    aws.events.disable_rule(Name=name, EventBusName=aws.own_bus)
    aws.put({"n": 1})
    same("sends", queue.bodies(0), [])
    aws.events.enable_rule(Name=name, EventBusName=aws.own_bus)
    aws.put({"n": 2})

    same("sends", queue.bodies(1), ["2"])


@behaviour(events_api("TagResource"))
def tags(aws: Aws) -> None:
    """Tags of rules are added, overwritten and removed."""
    tag = [{"Key": "a", "Value": "1"}]
    arn = aws.events.put_rule(Name=aws.name(), EventPattern=_PATTERN, Tags=tag)["RuleArn"]
    aws.events.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    aws.events.untag_resource(ResourceARN=arn, TagKeys=["b"])

    same("keeps", aws.events.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "a", "Value": "2"}])


def _schedule(key: str, statement: str, expression: str) -> None:
    statement = f"{statement}, {expression}, is rejected ({_INVALID})"
    _put(key, statement, source=_SCHEDULE, ScheduleExpression=expression)


_schedule("rate_of_seconds", "A rate in seconds", "rate(10 seconds)")
_schedule("one_minutes", "A rate of one with a plural", "rate(1 minutes)")
_schedule("ten_minute", "A rate of ten with a singular", "rate(10 minute)")
_schedule("rate_of_zero", "A rate of zero", "rate(0 minutes)")
_schedule("both_days", "A cron expression with both days of month and week", "cron(0 1 * * * *)")
_schedule("five_fields", "A cron expression of five fields", "cron(0 0 1 1 ?)")
_schedule("minute_71", "A cron expression with an invalid minute", "cron(71 8 1 * ? *)")


@behaviour(events_api("PutRule", recorded=True))
def schedule_of_another_bus(aws: Aws) -> None:
    """A schedule is rejected on a bus other than the default one."""
    given = {"Name": aws.name(), "EventBusName": aws.bus(), "ScheduleExpression": "rate(1 minute)"}
    refused(_INVALID, aws.events.put_rule, says="default event bus", **given)


@behaviour(events_guide("eb-quota"))
def several_rules(aws: Aws) -> None:
    """An event matches several rules."""
    queue = aws.queue(opened=True)
    for text in ("a", "b", "c"):
        aws.rule(queue.arn, Input=json.dumps(text))

    aws.put()

    same("sends", sorted(queue.bodies(3)), ['"a"', '"b"', '"c"'])
