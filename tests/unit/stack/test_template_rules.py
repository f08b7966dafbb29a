"""The template keeps every rule of template_rules.py, and each rule finds the fault in a template spoilt on purpose."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from orderboard_stack.deploy import TEMPLATE
from template_file import document
from unit.stack import template_rules as rules
from unit.stack.template_model import Template

Spoil = Callable[[dict[str, Any]], Any]

DOCUMENT = document(TEMPLATE)
NO_POLICY = "no queue policy lets"


def of(resources: dict[str, Any], name: str) -> Any:
    """A resource's properties, to be spoilt."""
    return resources[name]["Properties"]


def push_rule_to_function(resources: dict[str, Any]) -> None:
    """Let a rule call the function itself."""
    of(resources, "RejectionRule")["Targets"][0]["Arn"] = {"Fn::GetAtt": ["NotifierFunction", "Arn"]}


def subscribe_function(resources: dict[str, Any]) -> None:
    """Let a topic call the function itself."""
    of(resources, "InboxSubscription").update(Protocol="lambda", Endpoint={"Fn::GetAtt": ["NotifierFunction", "Arn"]})


def statement(resources: dict[str, Any], name: str, number: int = 0) -> Any:
    """One statement of a policy, to be spoilt."""
    return of(resources, name)["PolicyDocument"]["Statement"][number]


SPOILT: list[tuple[rules.Rule, Spoil, str]] = [
    (
        rules.every_edge_has_its_policy,
        lambda r: r.pop("WorkQueuePolicy"),
        f"OrdersTopic -> WorkQueue: {NO_POLICY}",
    ),
    (
        rules.every_edge_has_its_policy,
        lambda r: statement(r, "InboxQueuePolicy")["Condition"]["ArnEquals"].update(
            {"aws:SourceArn": {"Ref": "Other"}}
        ),
        f"AlertsTopic -> InboxQueue: {NO_POLICY}",
    ),
    (
        rules.every_edge_has_its_policy,
        lambda r: statement(r, "AlertsQueuePolicy")["Condition"]["ArnEquals"]["aws:SourceArn"].pop(0),
        f"LargeOrderRule -> AlertsQueue: {NO_POLICY}",
    ),
    (
        rules.every_edge_has_its_policy,
        lambda r: statement(r, "ExpressQueuePolicy").update(Effect="Deny"),
        f"OrdersTopic -> ExpressQueue: {NO_POLICY}",
    ),
    (
        rules.every_edge_has_its_policy,
        lambda r: of(r, "UndeliveredQueuePolicy")["PolicyDocument"]["Statement"].pop(1),
        f"RejectionRule -> UndeliveredQueue: {NO_POLICY}",
    ),
    (
        rules.every_queue_policy_names_its_source,
        lambda r: statement(r, "WorkQueuePolicy").pop("Condition"),
        "WorkQueuePolicy: a statement without",
    ),
    (
        rules.every_queue_has_a_dead_letter_queue,
        lambda r: of(r, "ExpressQueue").pop("RedrivePolicy"),
        "ExpressQueue: no RedrivePolicy",
    ),
    (
        rules.every_dead_letter_queue_keeps_14_days,
        lambda r: of(r, "AlertsDlq").pop("MessageRetentionPeriod"),
        "AlertsDlq: keeps messages less",
    ),
    (
        rules.every_dead_letter_queue_keeps_14_days,
        lambda r: of(r, "UndeliveredQueue").update(MessageRetentionPeriod=345600),
        "UndeliveredQueue: keeps messages less",
    ),
    (rules.every_queue_is_encrypted, lambda r: of(r, "WorkDlq").pop("SqsManagedSseEnabled"), "WorkDlq: not encrypted"),
    (
        rules.every_delivery_has_a_dead_letter_queue,
        lambda r: of(r, "WebhookSubscription").pop("RedrivePolicy"),
        "WebhookSubscription: no RedrivePolicy",
    ),
    (
        rules.every_delivery_has_a_dead_letter_queue,
        lambda r: of(r, "ExpressReadyRule")["Targets"][0].pop("DeadLetterConfig"),
        "ExpressReadyRule: a target without",
    ),
    (
        rules.every_delivery_has_a_dead_letter_queue,
        lambda r: of(r, "ExpressReadyRule")["Targets"][0].pop("RetryPolicy"),
        "ExpressReadyRule: a target without",
    ),
    (rules.every_function_may_be_called, push_rule_to_function, "RejectionRule -> NotifierFunction: no AWS::Lambda"),
    (rules.every_function_may_be_called, subscribe_function, "AlertsTopic -> NotifierFunction: no AWS::Lambda"),
    (
        rules.every_function_may_be_called,
        lambda r: statement(r, "NotifierPolicy")["Action"].remove("sqs:DeleteMessage"),
        "NotifierMapping: the function's role lacks sqs:DeleteMessage",
    ),
    (
        rules.every_mapping_reports_partial_failures,
        lambda r: of(r, "NotifierMapping").pop("FunctionResponseTypes"),
        "NotifierMapping: does not report",
    ),
    (
        rules.every_mapped_queue_waits_six_times_as_long,
        lambda r: of(r, "NotifierFunction").update(Timeout=11),
        "NotifierMapping: visibility timeout 60.0 s is less",
    ),
    (
        rules.every_mapped_queue_waits_six_times_as_long,
        lambda r: of(r, "NotifierMapping").update(MaximumBatchingWindowInSeconds=1),
        "NotifierMapping: visibility timeout",
    ),
    (
        rules.no_policy_has_a_wildcard,
        lambda r: statement(r, "WorkerPolicy").update(Resource="*"),
        "WorkerPolicy: Resource *",
    ),
    (
        rules.no_policy_has_a_wildcard,
        lambda r: statement(r, "OrderApiPolicy").update(Action="sns:*"),
        "OrderApiPolicy: Action sns:*",
    ),
    (
        rules.no_policy_has_a_wildcard,
        lambda r: statement(r, "AlertsTopicPolicy").update(Principal={"AWS": "*"}),
        "AlertsTopicPolicy: anybody",
    ),
    (
        rules.every_dead_letter_queue_raises_an_alarm,
        lambda r: r.pop("UndeliveredAlarm"),
        "UndeliveredQueue: no alarm",
    ),
    (
        rules.every_dead_letter_queue_raises_an_alarm,
        lambda r: of(r, "WorkBacklogAlarm").pop("AlarmActions"),
        "WorkBacklogAlarm: no action",
    ),
    (rules.every_name_has_the_prefix, lambda r: of(r, "Bus").update(Name="bus"), "Bus: Name lacks the prefix"),
    (
        rules.every_name_has_the_prefix,
        lambda r: of(r, "WorkQueue").update(QueueName="work"),
        "WorkQueue: QueueName lacks the prefix",
    ),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule: rules.Rule) -> None:
    """The template keeps each rule that local engines do not enforce."""
    assert list(rule(Template(DOCUMENT))) == []


@pytest.mark.parametrize(("rule", "spoil", "fault"), SPOILT)
def test_a_rule_finds_the_fault(rule: rules.Rule, spoil: Spoil, fault: str) -> None:
    """A template spoilt in one place breaks the rule, which names the place."""
    document = copy.deepcopy(DOCUMENT)

    spoil(document["Resources"])

    assert [found for found in rule(Template(document)) if found.startswith(fault)]


def test_every_rule_is_proved_to_be_able_to_fail() -> None:
    """No rule is there only for show."""
    assert {rule for rule, _, _ in SPOILT} == set(rules.RULES)
