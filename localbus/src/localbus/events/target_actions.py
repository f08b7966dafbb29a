"""EventBridge's actions on the targets of a rule, and their validation.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from __future__ import annotations

import re

from localbus.errors import AwsError
from localbus.events.bus import Rule, Target
from localbus.events.bus_access import find_bus
from localbus.events.errors import invalid, invalid_arn, invalid_parameter, limit_exceeded
from localbus.events.rule_actions import check_managed
from localbus.events.state import EventBridge
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_TARGETS = 5
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12})?:.+")
_BUILT_IN = re.compile(r"[^:]+:[^:]+:(?:events|automation):[^:]*:[0-9]{12}:(?:target|action)/.+")
_ARN_OF = {
    "events": re.compile(r"[^:]+:[^:]+:events:[^:]+:[0-9]{12}:(?:event-bus/.+|api-destination/[^/]+(?:/[^/]+)?)"),
    "lambda": re.compile(r"[^:]+:[^:]+:lambda:[^:]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[^:]+)?"),
    "logs": re.compile(r"[^:]+:[^:]+:logs:[^:]+:[0-9]{12}:log-group:[^:]+(?::\*)?"),
    "sns": re.compile(r"[^:]+:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_.-]+"),
    "states": re.compile(r"[^:]+:[^:]+:states:[^:]+:[0-9]{12}:stateMachine:[^:]+(?::[^:]+)?"),
    "sqs": re.compile(r"[^:]+:[^:]+:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_.-]+"),
}

# The targets that take the parameters of one kind of target; None for kinds that are not built.
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
_PARAMETERS = {
    "AppSyncParameters": None,
    "BatchParameters": None,
    "EcsParameters": None,
    "HttpParameters": re.compile(r".+:api-destination/.+"),
    "KinesisParameters": None,
    "RedshiftDataParameters": None,
    "RunCommandParameters": None,
    "SageMakerPipelineParameters": None,
    "SqsParameters": _ARN_OF["sqs"],
}

_NOT_BUILT = (
    "EventBridge in localbus does not send events to {missing}, such as {arn}. It sends them to queues, topics,"
    " functions, buses, API destinations, log groups and state machines. Use an engine with this target for the rule,"
    " such as MiniStack alone (--backend ministack)."
)
# Targets of AWS that localbus does not send to, by the service in their ARNs.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
_MISSING = {
    "appsync": "AppSync GraphQL APIs",
    "batch": "Batch job queues",
    "codebuild": "CodeBuild projects",
    "codepipeline": "CodePipeline pipelines",
    "ec2": "EC2 actions",
    "ecs": "ECS tasks",
    "execute-api": "API Gateway REST APIs",
    "firehose": "Firehose streams",
    "glue": "Glue workflows",
    "inspector": "Inspector assessment templates",
    "kinesis": "Kinesis streams",
    "redshift": "Redshift clusters",
    "redshift-serverless": "Redshift Serverless workgroups",
    "sagemaker": "SageMaker pipelines",
    "ssm": "Systems Manager actions",
    "ssm-incidents": "Incident Manager response plans",
}


def put_targets(events: EventBridge, params: Params, caller: Caller) -> Params:
    """PutTargets: add targets; a target with the same id is replaced."""
    rule = find_bus(events, params, caller, "PutTargets", params["Rule"]).rule(params["Rule"])
    check_managed(rule, params)
    targets = {given["Id"]: _build(given) for given in params["Targets"]}
    if len(rule.targets | targets) > MAX_TARGETS:
        raise limit_exceeded()
    rule.targets |= targets
    events.buses.save_rule(rule)
    return {"FailedEntryCount": 0, "FailedEntries": []}


def remove_targets(events: EventBridge, params: Params, caller: Caller) -> Params:
    """RemoveTargets. An unknown id is reported as a failed entry."""
    rule = find_bus(events, params, caller, "RemoveTargets", params["Rule"]).rule(params["Rule"])
    check_managed(rule, params)
    failed = [_unknown_id(rule, target_id) for target_id in params["Ids"] if rule.targets.pop(target_id, None) is None]
    events.buses.save_rule(rule)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def list_targets_by_rule(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListTargetsByRule."""
    rule = find_bus(events, params, caller, "ListTargetsByRule", params["Rule"]).rule(params["Rule"])
    return list_page("Targets", rule.targets.values(), params, show=lambda target: target.given)


def _unknown_id(rule: Rule, target_id: str) -> Params:
    text = f"Rule {rule.name} does not have target {target_id}."
    return {"TargetId": target_id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": text}


def _build(given: Params) -> Target:
    """Build the target of one entry. Raises ValidationException."""
    arn: str = given["Arn"]
    if not _ARN.fullmatch(arn):
        raise invalid_arn(arn)
    service = arn.split(":")[2]
    missing = "EC2 actions" if _BUILT_IN.fullmatch(arn) else _MISSING.get(service)
    if missing:
        raise AwsError("NotImplemented", _NOT_BUILT.format(missing=missing, arn=arn))
    form = _ARN_OF.get(service)
    if form is None or not form.fullmatch(arn):
        raise invalid_arn(arn)
    if service == "sqs" and arn.endswith(".fifo") and not given.get("SqsParameters", {}).get("MessageGroupId"):
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {given['Id']}.")
    for name, of in _PARAMETERS.items():
        if name in given and not (of and of.fullmatch(arn)):
            raise invalid(f"Parameter {name} is not valid for target {given['Id']}.")
    if (":api-destination/" in arn or service == "states") and "RoleArn" not in given:
        raise invalid(f"RoleArn is required for target {arn}.")
    _check_dead_letter_queue(given.get("DeadLetterConfig", {}).get("Arn"))
    return Target.of(given)


def _check_dead_letter_queue(arn: str | None) -> None:
    """Require a standard queue.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    if arn is None:
        return
    if not _ARN_OF["sqs"].fullmatch(arn):
        raise invalid_arn(arn)
    if arn.endswith(".fifo"):
        raise invalid_parameter(arn, "A dead-letter queue must be a standard queue.")
