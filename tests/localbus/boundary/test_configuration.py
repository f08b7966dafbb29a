"""The targets that a configuration names, and the configurations that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.boundary.configuration import Configuration, Sender
from localbus.boundary.names import Name, names_in
from localbus.boundary.requests import reader_of
from localbus.boundary.state_machine import read_definition
from localbus.boundary.templates import senders_in
from localbus.errors import AwsError
from localbus.http.message import Request
from localbus.protocol.service import Caller

ME = Caller()
SCOPE = "us-east-1:000000000000"
QUEUE_ARN, TOPIC_ARN = f"arn:aws:sqs:{SCOPE}:work", f"arn:aws:sns:{SCOPE}:orders"
BUS_ARN, TABLE_ARN = f"arn:aws:events:{SCOPE}:event-bus/shop", f"arn:aws:dynamodb:{SCOPE}:table/t/stream/1"
QUEUE = Name("sqs", "000000000000", "us-east-1", "work")
TOPIC = Name("sns", "000000000000", "us-east-1", "orders")
BUS = Name("events", "000000000000", "us-east-1", "shop")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'"{QUEUE_ARN}"', {QUEUE}),
        (f"<Queue>{QUEUE_ARN}.fifo</Queue>", {QUEUE._replace(name="work.fifo")}),
        (f"{TOPIC_ARN}, {BUS_ARN}", {TOPIC, BUS}),
        ("https://sqs.eu-west-1.amazonaws.com/000000000000/work", {QUEUE._replace(region="eu-west-1")}),
        ("http://localhost:4566/queue/eu-west-1/000000000000/work", {QUEUE._replace(region="eu-west-1")}),
        ("http://127.0.0.1:4566/000000000000/work", {QUEUE}),
        (f"{TOPIC_ARN}:1c2d3e4f", set()),
        ("arn:aws:s3:::work", set()),
    ],
)
def test_names(text: str, found: set[Name]) -> None:
    """ARNs and queue URLs name queues, topics and buses; a subscription's ARN names none."""
    assert set(names_in(text, ME)) == found


def request(service: str, method: str, target: str, body: object) -> Request:
    """A signed request."""
    scope = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {b"authorization": scope.encode()}
    return Request(method, target, headers, [], content)


def read(service: str, method: str, target: str, body: object) -> Configuration:
    """Read a configuration as the boundary does."""
    made = request(service, method, target, body)
    reader = reader_of(made, service)
    assert reader is not None
    return reader(made, ME)


INTEGRATION = "arn:aws:apigateway:us-east-1:sqs:path/000000000000/work"
FUNCTIONS, CONFIGS = "/2015-03-31/functions", "/2019-09-25/functions/f/event-invoke-config"
NOTIFICATION = (
    "<N><QueueConfiguration><Event>s3:ObjectCreated:*</Event>"
    f"<Queue>{QUEUE_ARN}</Queue></QueueConfiguration><EventBridgeConfiguration/></N>"
).encode()


def on_failure(arn: str) -> dict[str, Any]:
    """A function's configuration with a destination."""
    return {"DestinationConfig": {"OnFailure": {"Destination": arn}}}


def scheduled(arn: str, dead_letters: str = "", **target: str) -> dict[str, Any]:
    """A schedule with a target."""
    return {"Target": {"Arn": arn, **target} | ({"DeadLetterConfig": {"Arn": dead_letters}} if dead_letters else {})}


ON_FAILURE = on_failure(QUEUE_ARN)
FUNCTION_ARN = f"arn:aws:lambda:{SCOPE}:function:f"
IN_TOKYO = {"ScheduleExpressionTimezone": "Asia/Tokyo"}


@pytest.mark.parametrize(
    ("service", "method", "target", "body", "found"),
    [
        ("s3", "PUT", "/b?notification", NOTIFICATION, {QUEUE, BUS._replace(name="default")}),
        ("scheduler", "POST", "/schedules/s", {"Target": {"Arn": BUS_ARN}}, {BUS}),
        ("lambda", "POST", FUNCTIONS, {"FunctionName": "f", "DeadLetterConfig": {"TargetArn": QUEUE_ARN}}, {QUEUE}),
        ("lambda", "POST", FUNCTIONS, {"Environment": {"Variables": {"QUEUE": QUEUE_ARN}}}, set()),
        ("lambda", "PUT", f"{FUNCTIONS}/f/configuration", {"DeadLetterConfig": {"TargetArn": TOPIC_ARN}}, {TOPIC}),
        ("lambda", "PUT", CONFIGS, ON_FAILURE, {QUEUE}),
        ("iot", "POST", "/rules/r", {"actions": [{"sqs": {"queueUrl": "http://x/000000000000/work"}}]}, {QUEUE}),
        ("ses", "POST", "/", f"SnsTopic={TOPIC_ARN}&Action=a".encode(), {TOPIC}),
        ("apigateway", "PUT", "/restapis/a", {"uri": INTEGRATION}, {QUEUE}),
    ],
)  # fmt: skip
def test_targets(service: str, method: str, target: str, body: object, found: set[Name]) -> None:
    """Each service's configuration names its targets."""
    assert read(service, method, target, body).targets == found


@pytest.mark.parametrize(
    ("service", "target", "body", "what"),
    [
        ("lambda", CONFIGS, {"DestinationConfig": {"OnSuccess": {"Destination": QUEUE_ARN}}}, "OnSuccess"),
        ("lambda", CONFIGS, {"DestinationConfig": {"OnFailure": {"Destination": BUS_ARN}}}, "A bus as the destination"),
        ("lambda", CONFIGS, on_failure("arn:aws:s3:::bucket"), "A bucket as the destination"),
        ("lambda", f"{CONFIGS}?Qualifier=live", ON_FAILURE, "alias live"),
        ("pipes", "/v1/pipes/p", {"Source": QUEUE_ARN, "Target": TOPIC_ARN}, "A pipe from sqs"),
        ("scheduler", "/schedules/s", scheduled("arn:aws:scheduler:::aws-sdk:sqs:sendMessage"), "sqs:sendMessage"),
        ("scheduler", "/schedules/s", scheduled("arn:aws:scheduler:::aws-sdk:lambda:invoke"), "lambda:invoke"),
        ("scheduler", "/schedules/s", scheduled(f"arn:aws:kinesis:{SCOPE}:stream/s"), "A schedule for kinesis"),
        ("scheduler", "/schedules/s", scheduled(f"{TOPIC_ARN}.fifo"), "A FIFO topic"),
        ("scheduler", "/schedules/s", scheduled(FUNCTION_ARN, QUEUE_ARN), "The dead-letter queue"),
        ("scheduler", "/schedules/s", scheduled(FUNCTION_ARN, Input="<aws.scheduler.execution-id>"), "A context attr"),
        ("scheduler", "/schedules/s", scheduled(QUEUE_ARN.replace("us-east-1", "eu-west-1")), "of another account or"),
        ("scheduler", "/schedules/s", scheduled(BUS_ARN.replace("000000000000", "111122223333")), "of another account"),
        ("scheduler", "/schedules/s", {"ScheduleExpression": "cron(0 22-2 * * ? *)"}, "22-2"),
        ("scheduler", "/schedules/s", {"ScheduleExpression": "cron(0 9 ? NOV-FEB MON-FRI *)"}, "NOV-FEB"),
        ("scheduler", "/schedules/s", {"ScheduleExpression": "cron(0 9 ? * L *)"}, "the weekday L"),
        ("scheduler", "/schedules/s", {"ScheduleExpression": "cron(0 9 * * ? *)", **IN_TOKYO}, "time zone Asia/Tokyo"),
        ("scheduler", "/schedules/s", {"ScheduleExpression": "at(2030-01-01T00:00:00)", **IN_TOKYO}, "Asia/Tokyo"),
    ],
)
def test_refused(service: str, target: str, body: object, what: str) -> None:
    """A message that the upstream would accept and never send is refused; the error names it."""
    with pytest.raises(AwsError, match="is not implemented: the message would be lost") as raised:
        read(service, "PUT", target, body)

    assert (raised.value.code, what in raised.value.message) == ("NotImplemented", True)


@pytest.mark.parametrize(
    "expression",
    ["cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(71 8 1 * ? *)", "cron()", "rate(10 seconds)",
     "rate()", "rate(10)", "rate(-10 minutes)", "rate( 10 minutes )", " rate(10 minutes)", "at(2021-12-31T23:59:59Z)",
     "at(2021-12-31)", "at(2021-13-31T00:00:00)", "rate(0 minutes)", "tomorrow"],
)  # fmt: skip
def test_invalid_times_of_schedules(expression: str) -> None:
    """An expression that never runs is invalid.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, the text as AWS answered.
    """
    with pytest.raises(AwsError, match="Invalid Schedule Expression") as raised:
        read("scheduler", "POST", "/schedules/s", {"ScheduleExpression": expression, "Target": {"Arn": QUEUE_ARN}})

    assert (raised.value.code, raised.value.message.endswith(f" {expression}.")) == ("ValidationException", True)


@pytest.mark.parametrize(
    "expression",
    ["cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "cron(0 18 ? * MON-FRI *)", "cron(0-59/10 0-23/2 ? * * *)",
     "cron(0 10 LW * ? *)", "cron(0 10 ? * 6L *)", "at(2022-12-31T23:59:59)", "rate(1 minutes)", "rate(10 day)"],
)  # fmt: skip
def test_valid_times_of_schedules(expression: str) -> None:
    """Expressions that AWS accepts."""
    given = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": "UTC", "Target": {"Arn": QUEUE_ARN}}

    assert read("scheduler", "POST", "/schedules/s", given).targets == {QUEUE}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (scheduled("banana"), "Provided Arn is not in correct format."),
        (scheduled(QUEUE_ARN, "banana"), "Value 'banana' at 'target.deadLetterConfig.arn' failed to satisfy"),
        (scheduled(QUEUE_ARN, f"{QUEUE_ARN}.fifo"), "at 'target.deadLetterConfig.arn' failed to satisfy"),
    ],
)
def test_invalid_targets_of_schedules(body: object, reason: str) -> None:
    """A target is an ARN, a dead-letter queue a standard queue.

    Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeadLetterConfig.html
    """
    with pytest.raises(AwsError, match=reason) as raised:
        read("scheduler", "POST", "/schedules/s", body)

    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [
        (FUNCTIONS, {"DeadLetterConfig": {"TargetArn": f"{QUEUE_ARN}.fifo"}}, "standard queues"),
        (f"{FUNCTIONS}/f/configuration", {"DeadLetterConfig": {"TargetArn": f"{TOPIC_ARN}.fifo"}}, "standard queues"),
        (CONFIGS, on_failure(f"{QUEUE_ARN}.fifo"), "standard queues"),
        (CONFIGS, on_failure(FUNCTION_ARN), "a destination for itself"),
        (CONFIGS, on_failure(f"{FUNCTION_ARN}:live"), "a destination for itself"),
    ],
)
def test_invalid_targets_of_functions(target: str, body: object, reason: str) -> None:
    """A function does not send to FIFO queues and topics, nor to itself.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    with pytest.raises(AwsError, match=reason) as raised:
        read("lambda", "POST" if target == FUNCTIONS else "PUT", target, body)

    assert raised.value.code == "InvalidParameterValueException"


def test_a_function_as_destination() -> None:
    """Another function is a target of the upstream's, whose existence is to be checked."""
    found = read("lambda", "PUT", CONFIGS, on_failure(f"{FUNCTION_ARN}2"))

    assert (found.functions, found.targets) == ({f"{FUNCTION_ARN}2"}, set())


@pytest.mark.parametrize(
    ("service", "target", "body", "what"),
    [
        ("pipes", "/v1/pipes/p", {"Source": TABLE_ARN, "Target": TOPIC_ARN}, "A pipe from the stream of a table"),
        (
            "iot",
            "/rules/r",
            {"actions": [{"dynamoDBv2": {"putItem": {"tableName": "t"}}}]},
            "A rule of IoT with a table",
        ),
        ("iot", "/rules/r", {"actions": [{"dynamoDB": {"tableName": "t"}}]}, "A rule of IoT with a table"),
        ("appsync", "/v1/apis/a/datasources", {"type": "AMAZON_DYNAMODB"}, "A table as a data source of AppSync"),
        (
            "apigateway",
            "/restapis/a",
            {"uri": "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem"},
            "An integration of API Gateway with a table",
        ),
        (
            "states",
            "/",
            {"definition": '{"Resource": "arn:aws:states:::dynamodb:putItem"}'},
            "Step Functions' dynamodb:putItem",
        ),
        (
            "states",
            "/",
            {"definition": '{"Resource": "arn:aws:states:::aws-sdk:dynamodb:query"}'},
            "Step Functions' aws-sdk:dynamodb:query",
        ),
    ],
)
def test_tables_that_the_upstream_does_not_reach(service: str, target: str, body: object, what: str) -> None:
    """The upstream would use a table of its, with none of the items; the error names what is refused."""
    with pytest.raises(AwsError, match="tables are localbus's, and the upstream does not reach them") as raised:
        read(service, "PUT", target, body)

    assert (raised.value.code, raised.value.message.startswith(f"{what} is not")) == ("NotImplemented", True)


@pytest.mark.parametrize(
    ("method", "target", "service"),
    [("PUT", "/b/key", "s3"), ("GET", "/b?notification", "s3"), ("POST", f"{FUNCTIONS}/f/invocations", "lambda"),
     ("POST", "/", "dynamodb"), ("DELETE", "/schedules/s", "scheduler")],
)  # fmt: skip
def test_requests_that_pass_unread(method: str, target: str, service: str) -> None:
    """Objects, invocations and reads are streamed to the upstream."""
    assert reader_of(request(service, method, target, b""), service) is None


def machine(resource: str, arguments: dict[str, Any], member: str = "Parameters") -> str:
    """A definition with one task."""
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", member: arguments, "End": True}
    return json.dumps({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [{"States": {"B": task}}]}}})


@pytest.mark.parametrize(
    ("definition", "targets", "all_of"),
    [
        (machine("sqs:sendMessage", {"QueueUrl": "http://x/000000000000/work"}), {QUEUE}, set()),
        (machine("sqs:sendMessage.waitForTaskToken", {"QueueUrl.$": "$.url"}), set(), {"sqs"}),
        (machine("aws-sdk:sqs:sendMessage", {"QueueUrl": "{% $states.input.url %}"}, "Arguments"), set(), {"sqs"}),
        (machine("sns:publish", {"TopicArn": TOPIC_ARN}), {TOPIC}, set()),
        (machine("sns:publish", {"TargetArn.$": "$.topic"}), set(), {"sns"}),
        (machine("events:putEvents", {"Entries": [{"EventBusName": "shop"}, {"EventBusName": BUS_ARN}]}), {BUS}, set()),
        (machine("events:putEvents", {"Entries": [{}]}), {BUS._replace(name="default")}, set()),
        (machine("events:putEvents", {"Entries.$": "$.entries"}), set(), {"events"}),
        (machine("lambda:invoke", {"Payload": {"queue": QUEUE_ARN}}), set(), set()),
        ("not JSON with arn:aws:states:::sqs:sendMessage", set(), {"sqs", "sns", "events"}),
    ],
)
def test_definitions(definition: str, targets: set[Name], all_of: set[str]) -> None:
    """A definition names its targets, or may send to any where it computes them."""
    found = Configuration(Sender("states"))

    read_definition(definition, found, ME)

    assert (found.targets, found.all_of) == (targets, all_of)


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [("aws-sdk:sqs:receiveMessage", {}), ("aws-sdk:eventbridge:putRule", {}), ("sns:publish", {"PhoneNumber": "+1"}),
     ("sns:publish", {"MessageStructure": "json"}), ("sns:publish", {"MessageAttributes": {}}),
     ("aws-sdk:sfn:createStateMachine", {}), ("aws-sdk:cloudwatch:putMetricAlarm", {}),
     ("aws-sdk:lambda:updateFunctionConfiguration", {"DeadLetterConfig": {"TargetArn.$": "$.queue"}})],
)  # fmt: skip
def test_refused_tasks(resource: str, arguments: dict[str, Any]) -> None:
    """A task that would not reach the queues and topics here, or configures a sender out of sight, is refused."""
    with pytest.raises(AwsError, match="Step Functions"):
        read_definition(machine(resource, arguments), Configuration(Sender("states")), ME)


def test_tasks_that_configure_no_sender() -> None:
    """A function without dead letters sends nothing."""
    found = Configuration(Sender("states"))

    for resource in ("aws-sdk:lambda:createFunction", "aws-sdk:sfn:startExecution"):
        read_definition(machine(resource, {}), found, ME)

    assert (found.targets, found.all_of) == (set(), set())


def test_templates() -> None:
    """Resources of the upstream's part of a stack name their targets, also by substitutions and joins."""
    definition = machine("sqs:sendMessage", {"QueueUrl": "${Url}"})
    join = {"Fn::Join": ["", [machine("sns:publish", {"TopicArn": TOPIC_ARN})[:-1], "", {"Ref": "F"}]]}
    resources: dict[str, Any] = {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": QUEUE_ARN}},
        "Steps": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": definition,
                "DefinitionSubstitutions": {"Url": "http://x/000000000000/work"},
            },
        },
        "Joined": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": join}},
    }

    steps, joined = senders_in(resources, ME)

    assert (steps.targets, joined.targets) == ({QUEUE}, {TOPIC})
