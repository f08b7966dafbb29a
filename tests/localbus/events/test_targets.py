"""Targets in the upstream and in SNS: functions, logs and topics. `test_api_destinations` covers HTTP endpoints.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html and, for the permission to invoke a
function, eb-use-resource-based.html there.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.errors import AwsError
from localbus.http.message import Request
from support.events import RULE_ARN, TOPIC_ARN, Answer, Bench, Elsewhere

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LOG_ARN = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g:*"
MACHINE_ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
INVOCATION = ("POST", f"/2015-03-31/functions/{FUNCTION_ARN}/invocations")


def policy(source_arn: str = RULE_ARN) -> tuple[int, Any]:
    """The answer to GetPolicy of a function that a rule may invoke."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION_ARN,
        "Condition": {"ArnLike": {"AWS:SourceArn": source_arn}},
    }
    return 200, {"Policy": json.dumps({"Statement": [statement]})}


def function(permission: tuple[int, Any], invoked: int = 202) -> Answer:
    """An upstream with one function."""

    def answer(request: Request) -> tuple[int, Any]:
        if request.path.endswith("/policy"):
            return permission
        return (invoked, {}) if request.path.endswith("/invocations") else (200, {})

    return answer


async def test_a_function_is_invoked(it: Bench, elsewhere: Elsewhere) -> None:
    """Asynchronously, with the event, in the account and region of its ARN (targets: Lambda function)."""
    elsewhere.answer = function(policy())

    outcome = await it.deliver(FUNCTION_ARN, InputPath="$.detail")

    invocation = elsewhere.requests[-1]
    assert outcome == "delivered"
    assert (invocation.method, invocation.path) == INVOCATION
    assert invocation.header(b"x-amz-invocation-type") == "Event"
    assert "Credential=000000000000/" in invocation.header(b"authorization")
    assert "/us-east-1/lambda/" in invocation.header(b"authorization")
    assert invocation.body == b'{"id":7,"name":"a b"}'


@pytest.mark.parametrize("permission", [(404, {}), policy(RULE_ARN + "x")])
async def test_a_function_without_permission_is_not_invoked(
    it: Bench, elsewhere: Elsewhere, permission: tuple[int, Any]
) -> None:
    """Its policy must name the rule, and the journal has the reason (eb-use-resource-based.html)."""
    elsewhere.answer = function(permission)

    outcome = await it.deliver(FUNCTION_ARN)

    assert outcome == "dropped"
    text = f"the policy of {FUNCTION_ARN} does not allow events.amazonaws.com to invoke it for {RULE_ARN}"
    assert it.reason() == f"NO_PERMISSIONS: {text}"
    assert INVOCATION not in elsewhere.paths()


@pytest.mark.parametrize(
    ("arn", "answer", "expected"),
    [
        (FUNCTION_ARN, function(policy(), 429), ("retry_scheduled", "THROTTLING")),
        (FUNCTION_ARN, function(policy(), 500), ("retry_scheduled", "ERROR_FROM_TARGET")),
        (FUNCTION_ARN, function(policy(), 400), ("dropped", "SDK_CLIENT_ERROR")),
        (FUNCTION_ARN, lambda _request: (404, {}), ("dropped", "NO_RESOURCE")),
        (LOG_ARN, lambda _request: (400, {"__type": "ResourceNotFoundException"}), ("dropped", "NO_RESOURCE")),
    ],
)
async def test_the_answer_decides_on_retries(
    it: Bench, elsewhere: Elsewhere, arn: str, answer: Answer, expected: tuple[str, str]
) -> None:
    """Throttling and server errors are retried, a missing resource is not (eb-rule-retry-policy.html)."""
    elsewhere.answer = answer

    assert (await it.deliver(arn), it.reason().partition(":")[0]) == expected


async def test_an_unreachable_upstream_is_retried(it: Bench, elsewhere: Elsewhere) -> None:
    """A failed connection may recover."""
    await elsewhere.stop()

    outcome = await it.deliver(FUNCTION_ARN)

    assert outcome == "retry_scheduled"
    assert it.reason().startswith("CONNECTION_FAILURE")


async def test_a_log_group_receives_the_event(it: Bench, elsewhere: Elsewhere) -> None:
    """In a stream of the rule, which is created once (targets: CloudWatch log group)."""
    for _ in range(2):
        assert await it.deliver(LOG_ARN) == "delivered"

    made, first, second = elsewhere.requests
    assert made.header(b"x-amz-target") == "Logs_20140328.CreateLogStream"
    stream = json.loads(made.body)
    assert stream["logGroupName"] == "/aws/events/g"
    for request in (first, second):
        assert request.header(b"x-amz-target") == "Logs_20140328.PutLogEvents"
        given = json.loads(request.body)
        assert {name: given[name] for name in stream} == stream
        [event] = given["logEvents"]
        assert event["timestamp"] == 1_700_000_000_000
        assert json.loads(event["message"])["detail"] == {"id": 7, "name": "a b"}


async def test_a_log_stream_that_is_gone_is_replaced(it: Bench, elsewhere: Elsewhere) -> None:
    """After its group was deleted and created again; the event is in a new stream."""
    await it.deliver(LOG_ARN)
    gone = json.loads(elsewhere.requests[0].body)["logStreamName"]

    def answer(request: Request) -> tuple[int, Any]:
        is_gone = json.loads(request.body)["logStreamName"] == gone
        return (400, {"__type": "ResourceNotFoundException"}) if is_gone else (200, {})

    elsewhere.answer = answer

    assert await it.deliver(LOG_ARN) == "delivered"
    assert elsewhere.requests[-1].header(b"x-amz-target") == "Logs_20140328.PutLogEvents"


async def test_a_transformer_can_make_a_log_event(it: Bench, elsewhere: Elsewhere) -> None:
    """Of a timestamp and a message (eb-transform-target-input.html)."""
    paths = {"t": "$.time", "n": "$.detail.name"}
    template = '{"timestamp": <t>, "message": "<n>"}'

    await it.deliver(LOG_ARN, InputTransformer={"InputTemplate": template, "InputPathsMap": paths})

    [event] = json.loads(elsewhere.requests[-1].body)["logEvents"]
    assert event["message"] == "a b"


async def test_a_state_machine_is_started(it: Bench, elsewhere: Elsewhere) -> None:
    """With the input of the target; the journal has the execution's ARN (eb-targets.html)."""
    role = {"RoleArn": "arn:aws:iam::000000000000:role/r"}
    elsewhere.answer = lambda _request: (200, {"executionArn": "arn:of-it"})
    assert await it.deliver(MACHINE_ARN, InputPath="$.detail", **role) == "delivered"
    elsewhere.answer = lambda _request: (400, {"__type": "StateMachineDoesNotExist"})
    assert await it.deliver(MACHINE_ARN, **role) == "dropped"

    assert elsewhere.requests[0].header(b"x-amz-target") == "AWSStepFunctions.StartExecution"
    given = json.loads(elsewhere.requests[0].body)
    assert given == {"stateMachineArn": MACHINE_ARN, "input": '{"id":7,"name":"a b"}'}
    [delivered] = it.journal.entries(event="delivered")
    assert delivered.detail == {"rule": RULE_ARN, "execution": "arn:of-it"}
    assert it.reason().startswith("NO_RESOURCE")


@pytest.mark.parametrize(
    ("arn", "missing"),
    [
        ("kinesis:us-east-1:000000000000:stream/s", "Kinesis streams"),
        ("firehose:us-east-1:000000000000:deliverystream/s", "Firehose streams"),
        ("ecs:us-east-1:000000000000:cluster/c", "ECS tasks"),
        ("batch:us-east-1:000000000000:job-queue/q", "Batch job queues"),
        ("execute-api:us-east-1:000000000000:a/prod/POST/p", "API Gateway REST APIs"),
        ("codebuild:us-east-1:000000000000:project/p", "CodeBuild projects"),
        ("codepipeline:us-east-1:000000000000:p", "CodePipeline pipelines"),
        ("ssm:us-east-1::document/d", "Systems Manager actions"),
        ("events:us-east-1:000000000000:target/create-snapshot", "EC2 actions"),
    ],
)
def test_a_target_that_is_not_built_is_refused(bench: Bench, arn: str, missing: str) -> None:
    """At PutTargets, with its name, so that no event is lost (eb-targets.html)."""
    with pytest.raises(AwsError, match=f"^NotImplemented: .*{missing}"):
        bench.rule({"Arn": f"arn:aws:{arn}"})


async def test_a_topic_is_published_to_by_sns(it: Bench) -> None:
    """With the rule as principal; the journal has the message's id; an error of SNS is the dead letter's reason."""
    assert await it.deliver(TOPIC_ARN, Input='"hello"') == "delivered"
    [delivered] = it.journal.entries(event="delivered")
    assert delivered.detail == {"rule": RULE_ARN, "message_id": "published-1"}
    it.error = AwsError("AuthorizationErrorException", "no")
    assert await it.deliver(TOPIC_ARN) == "dropped"

    [(arn, message, principal, _trace_header)] = it.published
    assert (arn, message, principal.context["aws:SourceArn"]) == (TOPIC_ARN, {"Message": '"hello"'}, RULE_ARN)
    assert it.reason() == "NO_PERMISSIONS: no"
