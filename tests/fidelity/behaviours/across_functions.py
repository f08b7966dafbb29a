"""Lambda functions as targets of topics and rules."""

from __future__ import annotations

import time

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, same
from fidelity.function import NAME
from fidelity.sources import lambda_api, lambda_guide

GROUP = Group("Across services", "Functions of topics and rules")
behaviour = GROUP.behaviour
_CALLED = "does not call it"


def _permit(aws: Aws, service: str, source: str) -> None:
    given = {"StatementId": aws.name(), "Action": "lambda:InvokeFunction", "Principal": f"{service}.amazonaws.com"}
    aws.client("lambda").add_permission(FunctionName=NAME, SourceArn=source, **given)


@behaviour(lambda_guide("with-sns"))
def topic(aws: Aws) -> None:
    """A topic invokes a function with one record: EventSource aws:sns and the message under Sns."""
    function, arn = aws.clients.function(), aws.topic()
    _permit(aws, "sns", arn)
    aws.sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function.arn)
    aws.publish(arn, Subject="s")

    event = eventually(lambda: function.events(arn), _CALLED, 40)[0]

    [record] = event["Records"]
    same("has", sorted(record), ["EventSource", "EventSubscriptionArn", "EventVersion", "Sns"])
    sns = record["Sns"]
    shown = (record["EventSource"], sns["Type"], sns["Message"], sns["Subject"])
    same("says", shown, ("aws:sns", "Notification", "m", "s"))


@behaviour(lambda_api("AddPermission"))
def topic_without_permission(aws: Aws) -> None:
    """A topic does not invoke a function without a permission."""
    function, arn = aws.clients.function(), aws.topic()
    aws.sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function.arn)
    aws.publish(arn)
    time.sleep(3)

    same("calls it with", len(function.events(arn)), 0)


@behaviour(lambda_guide("with-eventbridge"))
def rule(aws: Aws) -> None:
    """A rule invokes a function with the unchanged event."""
    function = aws.clients.function()
    name = aws.rule(function.arn)
    _permit(aws, "events", aws.rule_arn(name))
    event_id = aws.put({"n": 1})["EventId"]

    event = eventually(lambda: function.events(event_id), _CALLED, 40)[0]

    same("says", (event["source"], event["detail"]), (aws.prefix, {"n": 1}))


@behaviour(lambda_api("AddPermission"))
def rule_without_permission(aws: Aws) -> None:
    """A rule does not invoke a function without a permission."""
    function = aws.clients.function()
    aws.rule(function.arn)
    event_id = aws.put()["EventId"]
    time.sleep(3)

    same("calls it with", len(function.events(event_id)), 0)
