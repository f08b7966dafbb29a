"""Messages from other services: S3, Step Functions, CloudWatch and Lambda send to queues, topics and buses."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from fidelity.aws import ACCOUNT, REGION, Aws, Queue, open_policy
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import (
    cloudwatch_guide,
    events_guide,
    lambda_api,
    lambda_guide,
    s3_guide,
    scheduler_guide,
    steps_guide,
)

GROUP = Group("Across services", "Sent by other services")
behaviour = GROUP.behaviour
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
_NOTHING = "delivers nothing"


def _bucket(aws: Aws, **notifications: Any) -> str:
    name = aws.name().lower().replace("_", "-")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notifications)
    return name


def _created(**target: str) -> list[dict[str, Any]]:
    return [{**target, "Events": ["s3:ObjectCreated:*"]}]


def _subscribed(aws: Aws) -> tuple[str, Queue]:
    """Create a topic that everything may publish to, and a queue with its raw messages."""
    name, queue = aws.name(), aws.queue(opened=True)
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
    aws.sns.create_topic(Name=name, Attributes={"Policy": open_policy(arn, "sns:Publish")})
    raw = {"RawMessageDelivery": "true"}
    aws.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    return arn, queue


def _run(aws: Aws, resource: str, parameters: dict[str, Any], given: str = "{}") -> str:
    """Run a state machine with one task, and return the execution's ARN."""
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    steps = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": task}})
    machine = steps.create_state_machine(name=aws.name(), roleArn=_ROLE, definition=definition)
    return str(steps.start_execution(stateMachineArn=machine["stateMachineArn"], input=given)["executionArn"])


def _failing_function(aws: Aws, **given: Any) -> str:
    """Create a function that raises, without retries, and return its name."""
    functions, name, code = aws.client("lambda"), aws.name(), io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    raise ValueError('as asked')\n")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=_ROLE,
        Handler="handler.handle",
        Code={"ZipFile": code.getvalue()},
        **given,
    )
    eventually(lambda: functions.get_function_configuration(FunctionName=name).get("State") in {None, "Active"}, "", 30)
    return name


def _fail(aws: Aws, name: str, **destinations: Any) -> None:
    """Invoke a function asynchronously, without retries."""
    functions = aws.client("lambda")
    given = {"DestinationConfig": destinations} if destinations else {}
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, **given)
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')


@behaviour(s3_guide("NotificationHowTo"))
def s3_to_a_queue(aws: Aws) -> None:
    """S3 sends an object's notification to a queue that allows it."""
    queue = aws.queue(opened=True)
    bucket = _bucket(aws, QueueConfigurations=_created(QueueArn=queue.arn))
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")

    found = [json.loads(body) for body in queue.bodies(2)]

    records = [record["s3"]["object"]["key"] for one in found for record in one.get("Records", [])]
    same("names", records, ["k"])


@behaviour(s3_guide("notification-content-structure"))
def s3_test_event(aws: Aws) -> None:
    """S3 sends a test event to a new destination."""
    queue = aws.queue(opened=True)
    _bucket(aws, QueueConfigurations=_created(QueueArn=queue.arn))

    same("sends", queue.document(_NOTHING).get("Event"), "s3:TestEvent")


@behaviour(s3_guide("grant-destinations-permissions-to-s3"))
def s3_to_a_closed_queue(aws: Aws) -> None:
    """S3 refuses a queue whose policy does not allow it."""
    queue = aws.queue()
    refused("InvalidArgument", lambda: _bucket(aws, QueueConfigurations=_created(QueueArn=queue.arn)))


def _refuses(aws: Aws, *configurations: dict[str, Any]) -> None:
    """Require that S3 refuses these notifications of one queue."""
    queue = aws.queue(opened=True)
    wanted = [{"QueueArn": queue.arn, **one} for one in configurations]
    refused("InvalidArgument", lambda: _bucket(aws, QueueConfigurations=wanted))


def _filtered(name: str, value: str) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value}]
    return {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}


@behaviour(s3_guide("notification-how-to-event-types-and-destinations"))
def s3_unknown_event(aws: Aws) -> None:
    """S3 refuses an event that does not exist."""
    _refuses(aws, {"Events": ["s3:Nope"]})


@behaviour(s3_guide("notification-how-to-filtering"))
def s3_unknown_filter(aws: Aws) -> None:
    """S3 refuses a filter rule that is neither prefix nor suffix."""
    _refuses(aws, _filtered("middle", "a"))


@behaviour(s3_guide("notification-how-to-filtering"))
def s3_overlapping_filters(aws: Aws) -> None:
    """S3 refuses notifications of one event with overlapping prefixes."""
    _refuses(aws, _filtered("prefix", "a"), _filtered("prefix", "ab"))


@behaviour(
    s3_guide("notification-how-to-event-types-and-destinations"),
    differs="The upstream never sends this event, so localbus refuses it.",
)
def s3_tagging(aws: Aws) -> None:
    """S3 sends a notification of an object's new tags."""
    queue = aws.queue(opened=True)
    bucket = _bucket(aws, QueueConfigurations=[{"QueueArn": queue.arn, "Events": ["s3:ObjectTagging:*"]}])
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    aws.client("s3").put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})

    holds(any("ObjectTagging:Put" in body for body in queue.bodies(2)), _NOTHING)


@behaviour(s3_guide("NotificationHowTo"))
def s3_to_a_topic(aws: Aws) -> None:
    """S3 publishes an object's notification to a topic that allows it."""
    arn, queue = _subscribed(aws)
    bucket = _bucket(aws, TopicConfigurations=_created(TopicArn=arn))
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")

    holds(any('"Records"' in body for body in queue.bodies(2)), _NOTHING)


@behaviour(s3_guide("EventBridge"))
def s3_to_the_default_bus(aws: Aws) -> None:
    """S3 puts an event on the default bus."""
    queue, name = aws.queue(opened=True), aws.name()
    aws.events.put_rule(Name=name, EventPattern='{"source": ["aws.s3"]}')
    aws.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue.arn}])
    bucket = _bucket(aws, EventBridgeConfiguration={})
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")

    found = queue.document(_NOTHING)
    aws.events.remove_targets(Rule=name, Ids=["1"])
    aws.events.delete_rule(Name=name)
    same("says", found["detail-type"], "Object Created")


@behaviour(steps_guide("connect-sqs"))
def states_to_a_queue(aws: Aws) -> None:
    """A Step Functions task sends to a queue."""
    queue = aws.queue()
    _run(aws, "sqs:sendMessage", {"QueueUrl": queue.url, "MessageBody": {"n": 1}})

    same("sends", queue.document(_NOTHING), {"n": 1})


@behaviour(steps_guide("connect-sqs"))
def states_to_a_computed_queue(aws: Aws) -> None:
    """A Step Functions task sends to a queue that its input names."""
    queue = aws.queue()
    _run(aws, "sqs:sendMessage", {"QueueUrl.$": "$.url", "MessageBody": "m"}, json.dumps({"url": queue.url}))

    same("sends", queue.bodies(1), ["m"])


@behaviour(steps_guide("connect-to-resource"))
def states_with_a_task_token(aws: Aws) -> None:
    """A Step Functions task waits until its token comes back from a queue."""
    queue = aws.queue()
    body = {"token.$": "$$.Task.Token"}
    execution = _run(aws, "sqs:sendMessage.waitForTaskToken", {"QueueUrl": queue.url, "MessageBody": body})
    steps = aws.client("stepfunctions")
    steps.send_task_success(taskToken=queue.document(_NOTHING)["token"], output='{"n": 1}')

    def succeeded() -> bool:
        return bool(steps.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")

    eventually(succeeded, "does not go on", 5)


@behaviour(steps_guide("connect-sns"))
def states_to_a_topic(aws: Aws) -> None:
    """A Step Functions task publishes to a topic."""
    arn, queue = _subscribed(aws)
    _run(aws, "sns:publish", {"TopicArn": arn, "Message": "m"})

    same("publishes", queue.bodies(1), ["m"])


@behaviour(
    steps_guide("connect-sns"),
    differs="The upstream's sns:publish drops the attributes, so localbus refuses such a state machine.",
)
def states_to_a_topic_with_attributes(aws: Aws) -> None:
    """A Step Functions task publishes message attributes."""
    arn, queue = _subscribed(aws)
    attribute = {"k": {"DataType": "String", "StringValue": "v"}}
    _run(aws, "sns:publish", {"TopicArn": arn, "Message": "m", "MessageAttributes": attribute})

    found = queue.take(1)
    holds(found and "k" in found[0].get("MessageAttributes", {}), "sends no attributes")


@behaviour(steps_guide("connect-eventbridge"))
def states_to_a_bus(aws: Aws) -> None:
    """A Step Functions task puts an event on a bus."""
    queue, bus, name = aws.queue(opened=True), aws.name(), aws.name()
    aws.events.create_event_bus(Name=bus)
    aws.events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["s"]}')
    aws.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "1", "Arn": queue.arn}])
    entry = {"Source": "s", "DetailType": "d", "Detail": {"n": 1}, "EventBusName": bus}
    _run(aws, "events:putEvents", {"Entries": [entry]})

    same("says", queue.document(_NOTHING)["detail"], {"n": 1})


@behaviour(cloudwatch_guide("Notify_Users_Alarm_Changes"))
def alarm_to_a_topic(aws: Aws) -> None:
    """An alarm that changes its state publishes to a topic."""
    (arn, queue), metrics, name = _subscribed(aws), aws.client("cloudwatch"), aws.name()
    given = {"MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum", "Threshold": 1}
    operator = "GreaterThanThreshold"
    metrics.put_metric_alarm(
        AlarmName=name, AlarmActions=[arn], ComparisonOperator=operator, EvaluationPeriods=1, **given
    )
    metrics.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")

    same("says", queue.document(_NOTHING)["NewStateValue"], "ALARM")


@behaviour(lambda_guide("invocation-async-retain-records"))
def function_dead_letter(aws: Aws) -> None:
    """A function's dead letter is the event of the invocation, with the error in attributes."""
    queue = aws.queue()
    _fail(aws, _failing_function(aws, DeadLetterConfig={"TargetArn": queue.arn}))

    found = queue.take(1, 15)

    holds(found, _NOTHING)
    names = sorted(found[0].get("MessageAttributes", {}))
    same("sends", json.loads(found[0]["Body"]), {"n": 1})
    holds({"ErrorCode", "ErrorMessage"} <= set(names), f"has the attributes {names}")


@behaviour(lambda_guide("invocation-async-retain-records"))
def function_on_failure(aws: Aws) -> None:
    """A queue as OnFailure gets the record of an invocation that failed."""
    queue = aws.queue()
    _fail(aws, _failing_function(aws), OnFailure={"Destination": queue.arn})

    same("sends", queue.document(_NOTHING, 15).get("requestPayload"), {"n": 1})


@behaviour(lambda_guide("invocation-async-retain-records"))
def function_dead_letters_to_fifo(aws: Aws) -> None:
    """A FIFO queue cannot be a function's dead-letter queue."""
    queue = aws.fifo()
    refused("InvalidParameterValueException", lambda: _failing_function(aws, DeadLetterConfig={"TargetArn": queue.arn}))


@behaviour(lambda_api("PutFunctionEventInvokeConfig"), differs="The upstream does not send on success.")
def function_on_success(aws: Aws) -> None:
    """A function can have a queue as OnSuccess."""
    destinations = {"OnSuccess": {"Destination": aws.queue().arn}}
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=_failing_function(aws), DestinationConfig=destinations
    )


@behaviour(events_guide("eb-pipes-sqs"), differs="The upstream has pipes from table streams only.")
def pipe_from_a_queue(aws: Aws) -> None:
    """A pipe moves messages from one queue to another."""
    source, target = aws.queue(), aws.queue()
    aws.client("pipes").create_pipe(Name=aws.name(), Source=source.arn, Target=target.arn, RoleArn=_ROLE)
    source.send()

    holds(target.bodies(1, 3), _NOTHING)


@behaviour(scheduler_guide("managing-targets-universal"), differs="The upstream has no universal targets.")
def schedule_with_a_universal_target(aws: Aws) -> None:
    """A schedule can call an action of SQS."""
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": _ROLE, "Input": "{}"}
    aws.client("scheduler").create_schedule(
        Name=aws.name(),
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
