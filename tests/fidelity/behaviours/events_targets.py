"""Targets: invalid ones, the input of each, and events that cannot be delivered."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import ACCOUNT, REGION, Aws, open_policy
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import Source, events_api, events_guide

GROUP = Group("EventBridge", "Targets")
behaviour = GROUP.behaviour
_INVALID = "ValidationException"
_QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
_TARGET = events_api("Target")
_INPUT = events_guide("eb-transform-target-input", recorded=True)


_put_targets = GROUP.refusals(
    "events.put_targets", _INVALID, events_api("PutTargets"), Rule=Aws.empty_rule, EventBusName=lambda aws: aws.own_bus
)


def _refused(key: str, statement: str, *, recorded: bool = False, **target: Any) -> None:
    targets = [{"Id": "t", "Arn": _QUEUE} | target]
    _put_targets(key, f"{statement} is rejected", recorded=recorded, Targets=targets)


_refused("id_with_signs", "A target id with other characters", recorded=True, Id="!@#")
_refused("no_arn", "A target ARN of the wrong form", recorded=True, Arn="q")
_refused("fifo_without_group", "A FIFO queue without a message group id", recorded=True, Arn=f"{_QUEUE}.fifo")
_refused(
    "destination_without_role",
    "An API destination without a role",
    Arn=f"arn:aws:events:us-east-1:{ACCOUNT}:api-destination/d/0f0e0d0c-0b0a-0908-0706-050403020100",
)
_refused("186_retries", "A retry policy with 186 attempts", RetryPolicy={"MaximumRetryAttempts": 186})
_refused("age_of_59", "A retry policy with an age of 59 seconds", RetryPolicy={"MaximumEventAgeInSeconds": 59})
_refused("two_inputs", "A target with both Input and InputPath", Input="{}", InputPath="$")
_refused("input_that_is_no_json", "An Input that is not JSON", Input="{")
_refused(
    "unknown_placeholder",
    "An input template with a variable that has no path",
    recorded=True,
    InputTransformer={"InputTemplate": '"<nothing>"'},
)
_refused(
    "path_named_aws",
    "An input transformer with a path name that begins with AWS",
    InputTransformer={"InputTemplate": '"x"', "InputPathsMap": {"aws.x": "$.id"}},
)


@behaviour(events_api("PutTargets"))
def targets_of_no_rule(aws: Aws) -> None:
    """Targets of a rule that does not exist are ResourceNotFoundException."""
    given = {"Rule": aws.name(), "Targets": [{"Id": "t", "Arn": _QUEUE}]}
    refused("ResourceNotFoundException", aws.events.put_targets, **given)


_put_targets(
    "six_targets",
    "A sixth target of a rule is rejected (LimitExceededException)",
    code="LimitExceededException",
    source=events_guide("eb-quota"),
    Targets=[{"Id": str(number), "Arn": _QUEUE} for number in range(6)],
)


@behaviour(events_api("PutTargets"))
def same_id(aws: Aws) -> None:
    """A target with the id of another one replaces it."""
    name = aws.rule(_QUEUE)
    aws.events.put_targets(Rule=name, EventBusName=aws.own_bus, Targets=[{"Id": "t", "Arn": _QUEUE, "Input": "1"}])

    shown = aws.events.list_targets_by_rule(Rule=name, EventBusName=aws.own_bus)["Targets"]

    same("has", shown, [{"Id": "t", "Arn": _QUEUE, "Input": "1"}])


@behaviour(events_api("RemoveTargets"))
def missing_target_removed(aws: Aws) -> None:
    """Removing a target that does not exist fails for that entry."""
    answer = aws.events.remove_targets(Rule=aws.rule(_QUEUE), EventBusName=aws.own_bus, Ids=["t", "none"])

    same("fails for", [one["TargetId"] for one in answer.get("FailedEntries", [])], ["none"])


def _read(body: str) -> Any:
    """Parse JSON, since spaces do not matter here; other text is unchanged."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def _input(key: str, statement: str, wanted: str, *, source: Source = _INPUT, **target: Any) -> None:
    """Return what a queue receives for an event with this detail and these members of a target."""
    detail = {"state": "RUNNING", "cpus": 4, "spot": False, "tags": [{"k": "a"}, {"k": "b"}]}

    def check(aws: Aws) -> None:
        queue = aws.target(**target)
        aws.put(detail)
        found = queue.bodies(1)
        holds(found, "gives nothing")
        same("gives", _read(found[0]), _read(wanted))

    GROUP.add(key, statement, source, check)


def _template(key: str, statement: str, template: str, wanted: str) -> None:
    paths = {name: f"$.detail.{name}" for name in ("state", "cpus", "spot", "tags", "missing")}
    transformer = {"InputTemplate": template, "InputPathsMap": paths | {"first": "$.detail.tags[0].k"}}
    _input(key, f"{statement}: {template}", wanted, InputTransformer=transformer)


_input("constant", "Input is passed on unchanged", '{"a": 1}', source=_TARGET, Input='{"a": 1}')
_input("part", "InputPath selects a part", '{"k":"a"}', source=_TARGET, InputPath="$.detail.tags[0]")
_input("text_part", "InputPath gives a string as JSON", '"RUNNING"', source=_TARGET, InputPath="$.detail.state")
_template("text", "A string template", '"it is <state>"', '"it is RUNNING"')
_template("object", "An object template", '{"state": <state>}', '{"state":"RUNNING"}')
_template("quoted", "A variable within quotes", '{"say": "it is <state>"}', '{"say":"it is RUNNING"}')
_template("numbers", "Numbers and booleans keep their types", '{"n": <cpus>, "b": <spot>}', '{"n":4,"b":false}')
_template("lists", "Lists stay lists", '{"tags": <tags>}', '{"tags":[{"k":"a"},{"k":"b"}]}')
_template("indexed", "A path into a list", '{"first": <first>}', '{"first":"a"}')
_template("missing_value", "A path without a value is an empty string", '"is <missing>?"', '"is ?"')
_template("list_in_text", "A list within a string template", '"all of <tags>"', '"all of [{k:a},{k:b}]"')


def _broken(key: str, statement: str, template: str) -> None:
    """A template whose result is not JSON: only the queue of another target receives the event."""

    def check(aws: Aws) -> None:
        transformer = {"InputTemplate": template, "InputPathsMap": {"tags": "$.detail.tags"}}
        queue, control = aws.target(InputTransformer=transformer), aws.target()
        aws.put({"tags": [{"k": "a"}]})

        holds(control.bodies(1), "gives nothing to another target either")
        same("gives", queue.bodies(0), [])

    GROUP.add(key, f"{statement} delivers nothing: {template}", _INPUT, check)


_broken("list_in_object", "A list within quotes of an object", '{"tags": "<tags>"}')
_broken("list_in_object_text", "A list within a string of an object", '{"say": "all of <tags>"}')


@behaviour(_INPUT)
def names_of_the_rule(aws: Aws) -> None:
    """aws.events.rule-name and aws.events.rule-arn are the rule's name and ARN."""
    queue = aws.queue(opened=True)
    template = '{"name": <aws.events.rule-name>, "arn": <aws.events.rule-arn>}'
    name = aws.rule(queue.arn, InputTransformer={"InputTemplate": template})
    aws.put()

    same("gives", queue.document("gives nothing"), {"name": name, "arn": aws.rule_arn(name)})


@behaviour(events_api("SqsParameters"))
def fifo_target(aws: Aws) -> None:
    """A FIFO queue receives messages in the group that the target names."""
    queue = aws.fifo(opened=True, ContentBasedDeduplication="true")
    aws.rule(queue.arn, SqsParameters={"MessageGroupId": "g"})
    aws.put()

    same("gives", [one["Attributes"].get("MessageGroupId") for one in queue.take(1)], ["g"])


@behaviour(events_guide("eb-targets"))
def topic_target(aws: Aws) -> None:
    """A topic receives the event as its message."""
    topic = aws.topic()
    aws.set_topic(topic, "Policy", open_policy(topic, "sns:Publish"))
    queue = aws.subscribed(topic)
    aws.rule(topic, Input='"hello"')
    aws.put()

    same("gives", queue.bodies(1), ['"hello"'])


@behaviour(events_guide("eb-bus-to-bus", recorded=True))
def bus_target(aws: Aws) -> None:
    """Another bus receives the event, for its own rules."""
    bus = aws.bus()
    queue = aws.target(bus=bus, InputPath="$.detail.n")
    aws.rule(aws.bus_arn(bus), RoleArn=_ROLE)

    aws.put({"n": "hello"})

    same("gives", queue.bodies(1), ['"hello"'])


@behaviour(events_guide("eb-cross-region", recorded=True))
def another_region(aws: Aws) -> None:
    """A bus in another region receives the event with the sender's account and region, and a new id."""
    abroad, bus, queue = aws.client("events", region="eu-west-1"), aws.name(), aws.queue(opened=True)
    arn = abroad.create_event_bus(Name=bus)["EventBusArn"]
    abroad.put_rule(Name="r", EventBusName=bus, EventPattern=json.dumps({"source": [aws.prefix]}))
    abroad.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "t", "Arn": queue.arn}])
    aws.rule(arn, RoleArn=_ROLE)

    event_id = aws.put()["EventId"]
    event = queue.document("gives nothing")

    same("gives", (event["account"], event["region"]), (ACCOUNT, REGION))
    holds(event["id"] != event_id, "gives the same id")


@behaviour(events_guide("eb-bus-to-bus"))
def no_third_bus(aws: Aws) -> None:
    """An event that came from another bus is not forwarded to a third."""
    second, third = aws.bus(), aws.bus()
    queue = aws.target(bus=second, Input='"second"')
    aws.rule(queue.arn, bus=third, Input='"third"')
    aws.rule(aws.bus_arn(third), bus=second, RoleArn=_ROLE)
    aws.rule(aws.bus_arn(second), RoleArn=_ROLE)

    aws.put()

    same("goes to", queue.bodies(1, settle_s=1), ['"second"'])


@behaviour(events_guide("eb-rule-dlq"))
def dead_letter(aws: Aws) -> None:
    """An event that cannot be delivered goes to the target's dead-letter queue, before any transformation."""
    dead = aws.queue(opened=True)
    aws.rule(f"{dead.arn}-not", DeadLetterConfig={"Arn": dead.arn}, Input='"constant"')
    event_id = aws.put()["EventId"]

    holds(dead.document("keeps nothing")["id"] == event_id, "keeps something else")


@behaviour(events_guide("eb-rule-dlq"))
def dead_letter_attributes(aws: Aws) -> None:
    """A dead letter has rule, target, error and retries in its attributes."""
    dead = aws.queue(opened=True)
    name = aws.rule(f"{dead.arn}-not", DeadLetterConfig={"Arn": dead.arn})
    aws.put()

    found = dead.take(1)

    holds(found, "keeps nothing")
    letter = {key: value["StringValue"] for key, value in found[0].get("MessageAttributes", {}).items()}
    wanted = ("RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS")
    same("lacks", [key for key in wanted if key not in letter], [])
    same("tells", letter["RULE_ARN"], aws.rule_arn(name))
    same("tells", (letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"]), ("NO_RESOURCE", "0"))


_put_targets(
    "fifo_dead_letters",
    "A FIFO queue is rejected as a target's dead-letter queue",
    source=events_api("DeadLetterConfig"),
    Targets=[{"Id": "t", "Arn": _QUEUE, "DeadLetterConfig": {"Arn": f"{_QUEUE}.fifo"}}],
)


@behaviour(events_api("ListTargetsByRule", recorded=True))
def order_of_targets(aws: Aws) -> None:
    """ListTargetsByRule gives the targets in the order in which they were put."""
    rule, ids = aws.empty_rule(), ["c", "a", "b"]
    for one in ids:
        aws.events.put_targets(Rule=rule, EventBusName=aws.own_bus, Targets=[{"Id": one, "Arn": _QUEUE}])

    shown = aws.events.list_targets_by_rule(Rule=rule, EventBusName=aws.own_bus)["Targets"]

    same("order", [target["Id"] for target in shown], ids)


@behaviour(events_api("Target"))
def parameters_of_another_kind(aws: Aws) -> None:
    """Parameters for another kind of target are rejected, such as KinesisParameters for a queue."""
    target = {"Id": "t", "Arn": _QUEUE, "KinesisParameters": {"PartitionKeyPath": "$.id"}}

    given = {"Rule": aws.empty_rule(), "EventBusName": aws.own_bus, "Targets": [target]}
    refused("ValidationException", aws.events.put_targets, **given)


for _name, _arn in (
    ("kinesis", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"),
    ("firehose", f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/s"),
    ("ecs", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/c"),
    ("batch", f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/q"),
    ("api_gateway", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a/prod/POST/p"),
    ("codebuild", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/p"),
):

    def _accepts(aws: Aws, arn: str = _arn) -> None:
        more = {"ecs": {"EcsParameters": {"TaskDefinitionArn": arn}}}
        more["batch"] = {"BatchParameters": {"JobDefinition": "d", "JobName": "n"}}
        target = {"Id": "t", "Arn": arn, "RoleArn": _ROLE, **more.get(arn.split(":")[2], {})}
        aws.events.put_targets(Rule=aws.empty_rule(), EventBusName=aws.own_bus, Targets=[target])

    GROUP.add(
        f"target_{_name}",
        f"A rule can have a target of {_arn.split(':')[2]}",
        events_guide("eb-targets"),
        _accepts,
        differs="localbus refuses it with NotImplemented: it does not send events to this service",
    )


@behaviour(events_guide("eb-targets"))
def state_machine(aws: Aws) -> None:
    """A rule starts a state machine with the event as its input."""
    machines = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
    arn = machines.create_state_machine(name=aws.name(), definition=definition, roleArn=_ROLE)["stateMachineArn"]
    aws.rule(arn, RoleArn=_ROLE)
    aws.put({"n": 1})

    [one] = eventually(lambda: machines.list_executions(stateMachineArn=arn)["executions"], "starts nothing")

    given = machines.describe_execution(executionArn=one["executionArn"])["input"]
    same("input", json.loads(given)["detail"], {"n": 1})
