"""EventBridge's actions on rules."""

from __future__ import annotations

from collections.abc import Awaitable

from localbus.errors import AwsError
from localbus.event_pattern.pattern import EventPattern
from localbus.events import schedule
from localbus.events.bus import DEFAULT_BUS, Rule, State
from localbus.events.bus_access import find_bus
from localbus.events.errors import invalid, limit_exceeded
from localbus.events.state import EventBridge
from localbus.events.tags import read_tags
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_RULES = 300
MAX_RULES_WITH_WILDCARDS = 30


def put_rule(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """PutRule: create a rule, or replace one and keep its targets and tags."""
    name = params["Name"]
    bus = find_bus(events, params, caller, "PutRule", name)
    rule = bus.rules.get(name)
    check_managed(rule, params)
    pattern_text, expression = params.get("EventPattern"), params.get("ScheduleExpression")
    if not pattern_text and not expression:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if expression and bus.name != DEFAULT_BUS:
        raise invalid("ScheduleExpression is supported only on the default event bus.")
    pattern = EventPattern(pattern_text) if pattern_text else None
    times = schedule.parse(expression) if expression else None
    if pattern and pattern.has_wildcards:
        others = [one for one in bus.rules.values() if one is not rule and one.pattern and one.pattern.has_wildcards]
        if len(others) >= MAX_RULES_WITH_WILDCARDS:
            raise limit_exceeded()
    if rule is None:
        if sum(1 for one in bus.rules.values() if not one.managed_by) >= MAX_RULES:
            raise limit_exceeded()
        tags = read_tags(params.get("Tags", []), {})
        rule = Rule(name, bus.rule_arn(name), bus, tags=tags, created_by=caller.account)
        bus.rules[name] = rule
    rule.pattern, rule.schedule, rule.schedule_expression = pattern, times, expression or None
    rule.state = params.get("State", "ENABLED")
    rule.description, rule.role_arn = params.get("Description"), params.get("RoleArn")
    return _changed(events, rule, {"RuleArn": rule.arn})


def _changed(events: EventBridge, rule: Rule, answer: Params) -> Params | Awaitable[Params]:
    """Return the answer, once events can reach the changed rule."""

    async def after(wait: Awaitable[None]) -> Params:
        await wait
        return answer

    wait = events.rule_changed(rule)
    return answer if wait is None else after(wait)


def check_managed(rule: Rule | None, params: Params) -> None:
    """Raise ManagedRuleException for a rule of an AWS service, unless the request has Force."""
    if rule is not None and rule.managed_by and not params.get("Force"):
        text = f"{rule.name} is a managed rule. Set 'force' parameter to true to override."
        raise AwsError("ManagedRuleException", text)


def describe_rule(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DescribeRule."""
    rule = _find(events, params, caller, "DescribeRule")
    return describe(rule) | {"CreatedBy": rule.created_by}


def list_rules(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListRules."""
    bus = find_bus(events, params, caller, "ListRules")
    return list_page("Rules", bus.rules.values(), params, key=lambda rule: rule.name, show=describe)


def list_rule_names_by_target(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListRuleNamesByTarget."""
    bus = find_bus(events, params, caller, "ListRuleNamesByTarget")
    arn = params["TargetArn"]
    names = [rule.name for rule in bus.rules.values() if any(target.arn == arn for target in rule.targets.values())]
    return list_page("RuleNames", names, params, key=str)


def enable_rule(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """EnableRule."""
    return _set_state(events, _find(events, params, caller, "EnableRule"), params, "ENABLED")


def disable_rule(events: EventBridge, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """DisableRule."""
    return _set_state(events, _find(events, params, caller, "DisableRule"), params, "DISABLED")


def _set_state(events: EventBridge, rule: Rule, params: Params, state: State) -> Params | Awaitable[Params]:
    check_managed(rule, params)
    rule.state = state
    return _changed(events, rule, {})


def delete_rule(events: EventBridge, params: Params, caller: Caller) -> Params:
    """DeleteRule. Deleting a rule that does not exist succeeds."""
    bus = find_bus(events, params, caller, "DeleteRule", params["Name"])
    rule = bus.rules.get(params["Name"])
    if rule is None:
        return {}
    check_managed(rule, params)
    if rule.targets:
        raise invalid("Rule can't be deleted since it has targets.")
    del bus.rules[rule.name]
    events.rule_changed(rule)
    return {}


def _find(events: EventBridge, params: Params, caller: Caller, action: str) -> Rule:
    return find_bus(events, params, caller, action, params["Name"]).rule(params["Name"])


def describe(rule: Rule) -> Params:
    """Return the rule as ListRules shows it."""
    known = {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern.text if rule.pattern else None,
        "ScheduleExpression": rule.schedule_expression,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "ManagedBy": rule.managed_by,
        "EventBusName": rule.bus.name,
    }
    return {name: value for name, value in known.items() if value is not None}
