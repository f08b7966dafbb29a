"""Targets beyond the engine: functions and logs of the upstream, and HTTP endpoints of anyone.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html, eb-api-destinations.html and
eb-target-connection.html there, and eb-use-resource-based.html for the permission to invoke a function.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qsl

import pytest
from localbus.background_tasks import BackgroundTasks
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.events.api import service
from localbus.events.state import EventBridge
from localbus.http.message import Request, Response
from localbus.http.server import HttpServer
from localbus.journal import Journal
from localbus.protocol.service import Caller
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

ME = Caller()
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LOG_ARN = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g:*"
RULE_ARN = "arn:aws:events:us-east-1:000000000000:rule/r"

Answer = Callable[[Request], tuple[int, Any]]


class Elsewhere:
    """A server that notes what it is asked and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answer = lambda _request: (200, {})
        self._server = HttpServer(self)

    def wants_stream(self, _request: Request) -> bool:
        """Bodies are taken whole."""
        return False

    def handle(self, request: Request) -> Response:
        """Note and answer."""
        self.requests.append(request)
        status, document = self.answer(request)
        return Response(status, [], json.dumps(document).encode())

    async def start(self) -> str:
        """Listen, and say where."""
        return f"http://127.0.0.1:{await self._server.start('127.0.0.1', 0)}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def paths(self) -> list[tuple[str, str]]:
        """What was asked."""
        return [(request.method, request.path) for request in self.requests]


class Bench:
    """EventBridge under a manual clock with a world around it."""

    def __init__(self, elsewhere: Elsewhere, url: str) -> None:
        self.elsewhere = elsewhere
        self.url = url
        self.clock = ManualClock()
        self.journal = Journal()
        self.tasks = BackgroundTasks(self.clock)
        sqs = Sqs(self.clock, self.journal)
        self.publish_to_topic = Mock()
        self.events = EventBridge(
            self.clock, self.journal, sqs, UpstreamCalls(url), self.tasks, publish_to_topic=self.publish_to_topic
        )
        self.actions = service(self.events).actions

    def call(self, action: str, **params: Any) -> Any:
        """Do an action."""
        return self.actions[action](params, ME)

    async def deliver(self, arn: str, until: str = "", **target: Any) -> str:
        """Put an event that a rule sends to this target, wait until something has come of it, and say what."""
        self.call("PutRule", Name="r", EventPattern='{"source": ["s"]}')
        role = {"RoleArn": "arn:aws:iam::000000000000:role/r"} if ":api-destination/" in arn else {}
        self.call("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": arn, **role, **target}])
        entry = {"Source": "s", "DetailType": "t", "Detail": '{"id": 7, "name": "a b"}'}
        wanted = {until} if until else {"delivered", "dropped", "retry_scheduled"}
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def follow(entry: Any) -> None:
            if entry.event in wanted and not found.done():
                found.set_result(entry.event)

        stop = self.journal.follow(follow)
        self.call("PutEvents", Entries=[entry])
        try:
            return await asyncio.wait_for(found, 5)
        finally:
            stop()

    def reason(self) -> str:
        """Why the last event was not delivered."""
        entries = [one for one in self.journal.entries() if one.event in {"undelivered", "retry_scheduled"}]
        return str(entries[-1].detail)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """A bench while it is needed."""
    elsewhere = Elsewhere()
    made = Bench(elsewhere, await elsewhere.start())
    try:
        yield made
    finally:
        await made.tasks.cancel_all()
        await elsewhere.stop()


def policy(**condition: Any) -> tuple[int, Any]:
    """The answer to GetPolicy of a function that EventBridge may invoke."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION_ARN,
        "Condition": condition or {"ArnLike": {"AWS:SourceArn": RULE_ARN}},
    }
    return 200, {"Policy": json.dumps({"Statement": [statement]})}


def function(may: tuple[int, Any], invoked: int = 202) -> Answer:
    """An upstream with one function."""

    def answer(request: Request) -> tuple[int, Any]:
        if request.path.endswith("/policy"):
            return may
        return (invoked, {}) if request.path.endswith("/invocations") else (200, {})

    return answer


async def test_a_function_is_invoked_at_the_upstream() -> None:
    """Asynchronously, with the event, by the account and in the region of its ARN (targets: Lambda function)."""
    async with bench() as it:
        it.elsewhere.answer = function(policy())

        outcome = await it.deliver(FUNCTION_ARN, InputPath="$.detail")

        invocation = it.elsewhere.requests[-1]
        assert outcome == "delivered"
        assert (invocation.method, invocation.path) == ("POST", f"/2015-03-31/functions/{FUNCTION_ARN}/invocations")
        assert invocation.header(b"x-amz-invocation-type") == "Event"
        assert "Credential=000000000000/" in invocation.header(b"authorization")
        assert "/us-east-1/lambda/" in invocation.header(b"authorization")
        assert invocation.body == b'{"id":7,"name":"a b"}'


@pytest.mark.parametrize("may", [(404, {}), policy(ArnLike={"AWS:SourceArn": RULE_ARN + "x"})])
async def test_a_function_without_a_permission_is_not_invoked(may: tuple[int, Any]) -> None:
    """It must name the rule, and the journal says that it does not (eb-use-resource-based.html)."""
    async with bench() as it:
        it.elsewhere.answer = function(may)

        outcome = await it.deliver(FUNCTION_ARN)

        assert outcome == "dropped"
        text = f"the policy of {FUNCTION_ARN} does not allow events.amazonaws.com to invoke it for {RULE_ARN}"
        assert it.reason() == f"NO_PERMISSIONS: {text}"
        assert ("POST", f"/2015-03-31/functions/{FUNCTION_ARN}/invocations") not in it.elsewhere.paths()


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (function(policy(), 429), "retry_scheduled", "THROTTLING"),
        (function(policy(), 500), "retry_scheduled", "ERROR_FROM_TARGET"),
        (function(policy(), 400), "dropped", "SDK_CLIENT_ERROR"),
        (lambda _request: (404, {}), "dropped", "NO_RESOURCE"),
    ],
)
async def test_what_the_upstream_says_decides(answer: Answer, outcome: str, code: str) -> None:
    """Throttling and failures are tried again; a function that is not there is not (eb-rule-retry-policy.html)."""
    async with bench() as it:
        it.elsewhere.answer = answer

        assert await it.deliver(FUNCTION_ARN) == outcome
        assert code in it.reason()


async def test_an_upstream_that_is_away_is_tried_again() -> None:
    """When it is back, the event arrives."""
    async with bench() as it:
        await it.elsewhere.stop()

        outcome = await it.deliver(FUNCTION_ARN)

        assert outcome == "retry_scheduled"
        assert "CONNECTION_FAILURE" in it.reason()


async def test_a_log_group_gets_the_event() -> None:
    """In a stream of the rule's own, which is made once (targets: CloudWatch log group)."""
    async with bench() as it:
        for _ in range(2):
            assert await it.deliver(LOG_ARN) == "delivered"

        made, first, second = it.elsewhere.requests
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


async def test_a_log_event_can_be_made_by_a_transformer() -> None:
    """A timestamp and a message are what logs take (eb-transform-target-input.html)."""
    async with bench() as it:
        template = {"InputTemplate": '{"timestamp": <t>, "message": "<n>"}', "InputPathsMap": {"t": "$.time"}}
        template["InputPathsMap"] = {"t": "$.time", "n": "$.detail.name"}

        await it.deliver(LOG_ARN, InputTransformer=template)

        [event] = json.loads(it.elsewhere.requests[-1].body)["logEvents"]
        assert event["message"] == "a b"


async def test_a_log_group_that_is_not_there() -> None:
    """There is nothing to try again."""
    async with bench() as it:
        it.elsewhere.answer = lambda _request: (400, {"__type": "ResourceNotFoundException"})

        assert await it.deliver(LOG_ARN) == "dropped"
        assert it.reason().startswith("NO_RESOURCE")


# SNS


async def test_a_topic_is_published_to_by_sns() -> None:
    """With the rule as principal; an error of SNS is the reason for the dead letter."""
    async with bench() as it:
        topic = "arn:aws:sns:us-east-1:000000000000:t"

        assert await it.deliver(topic, Input='"hello"') == "delivered"
        it.publish_to_topic.side_effect = AwsError("AuthorizationError", "no")
        assert await it.deliver(topic) == "dropped"

        arn, message, principal, _trace_header = it.publish_to_topic.call_args_list[0].args
        assert (arn, message, principal.context["aws:SourceArn"]) == (topic, {"Message": '"hello"'}, RULE_ARN)
        assert it.reason() == "NO_PERMISSIONS: no"


# API destinations

BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "pass"}}


def destination(it: Bench, kind: str = "BASIC", auth: dict[str, Any] | None = None, path: str = "/in") -> str:
    """A connection and a destination by it."""
    connection = it.call("CreateConnection", Name="c", AuthorizationType=kind, AuthParameters=auth or BASIC)
    made = it.call(
        "CreateApiDestination",
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=it.url + path,
        HttpMethod="POST",
    )
    return str(made["ApiDestinationArn"])


async def test_an_endpoint_is_called() -> None:
    """With parameters of target and connection, of which the connection's count (API_HttpParameters.html)."""
    more = {
        "HeaderParameters": [{"Key": "X-Both", "Value": "connection"}, {"Key": "X-C", "Value": "1"}],
        "QueryStringParameters": [{"Key": "both", "Value": "connection"}],
        "BodyParameters": [{"Key": "extra", "Value": "v", "IsValueSecret": False}],
    }
    http = {
        "PathParameterValues": ["$.detail.name", "x/y"],
        "HeaderParameters": {"X-Both": "target", "X-T": "$.detail.id"},
        "QueryStringParameters": {"both": "target", "q": "$.detail.name"},
    }
    async with bench() as it:
        arn = destination(it, auth={**BASIC, "InvocationHttpParameters": more}, path="/in/*/of/*")

        assert await it.deliver(arn, InputPath="$.detail", HttpParameters=http) == "delivered"

        [request] = it.elsewhere.requests
        assert request.target.partition("?")[0] == "/in/a%20b/of/x%2Fy"
        assert request.query == {"both": "connection", "q": "a b"}
        headers = {name.decode(): value.decode() for name, value in request.headers.items()}
        assert headers["authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"
        assert (headers["x-both"], headers["x-c"], headers["x-t"]) == ("connection", "1", "7")
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert headers["user-agent"] == "Amazon/EventBridge/ApiDestinations"
        assert json.loads(request.body) == {"id": 7, "name": "a b", "extra": "v"}


async def test_an_endpoint_is_called_with_a_key() -> None:
    """API_CreateConnectionApiKeyAuthRequestParameters.html."""
    async with bench() as it:
        arn = destination(it, "API_KEY", {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"}})

        await it.deliver(arn)

        assert it.elsewhere.requests[0].header(b"x-key") == "k"


async def test_an_endpoint_is_called_with_a_token() -> None:
    """Credentials are exchanged once, and again when the token no longer does (eb-target-connection.html)."""
    tokens = iter(["first", "second"])
    good = {"Bearer first"}

    def answer(request: Request) -> tuple[int, Any]:
        if request.path == "/token":
            return 200, {"access_token": next(tokens)}
        return (200 if request.header(b"authorization") in good else 401), {}

    async with bench() as it:
        it.elsewhere.answer = answer
        oauth = {
            "AuthorizationEndpoint": it.url + "/token",
            "HttpMethod": "POST",
            "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
            "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all"}]},
        }
        arn = destination(it, "OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": oauth})
        before = it.call("DescribeConnection", Name="c")["ConnectionState"]

        assert await it.deliver(arn) == "delivered"
        good.clear()
        good.add("Bearer second")
        assert await it.deliver(arn) == "retry_scheduled"
        done = asyncio.ensure_future(it.deliver(arn, until="delivered"))
        it.clock.advance(2)
        assert await done == "delivered"

        form = dict(parse_qsl(it.elsewhere.requests[0].body.decode()))
        assert before == "AUTHORIZING"
        assert form == {
            "grant_type": "client_credentials",
            "client_id": "id",
            "client_secret": "secret",
            "scope": "all",
        }
        assert it.call("DescribeConnection", Name="c")["ConnectionState"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, "delivered") for status in (200, 202, 204)),
        *((status, "retry_scheduled") for status in (401, 407, 409, 429, 500, 503)),
        *((status, "dropped") for status in (301, 400, 404, 422)),
    ],
)
async def test_an_endpoints_status_decides(status: int, outcome: str) -> None:
    """401, 407, 409, 429 and 5xx are tried again (eb-api-destinations.html)."""
    async with bench() as it:
        it.elsewhere.answer = lambda _request: (status, {})

        assert await it.deliver(destination(it)) == outcome


async def test_an_endpoint_is_called_so_often_a_second() -> None:
    """What comes faster waits (API_CreateApiDestination.html, InvocationRateLimitPerSecond)."""
    async with bench() as it:
        arn = destination(it)
        it.call("UpdateApiDestination", Name="d", InvocationRateLimitPerSecond=2)
        for _ in range(2):
            assert await it.deliver(arn) == "delivered"

        third = asyncio.ensure_future(it.deliver(arn))
        await asyncio.sleep(0)
        before = len(it.elsewhere.requests)
        it.clock.advance(1)

        assert await third == "delivered"
        assert (before, len(it.elsewhere.requests)) == (2, 3)


async def test_an_endpoint_can_be_asked_for_its_head() -> None:
    """Any method but CONNECT and TRACE will do; an answer without a body is an answer (eb-api-destinations.html)."""
    async with bench() as it:
        arn = destination(it)
        it.call("UpdateApiDestination", Name="d", HttpMethod="HEAD")

        assert await it.deliver(arn) == "delivered"
        assert it.elsewhere.paths() == [("HEAD", "/in")]


async def test_connections_and_destinations_come_and_go() -> None:
    """Create, Describe, List, Update, Deauthorize, Delete; secrets are never shown."""
    async with bench() as it:
        arn = destination(it)
        described = it.call("DescribeConnection", Name="c")
        state = it.call("DescribeApiDestination", Name="d")["ApiDestinationState"]
        it.call("UpdateApiDestination", Name="d", HttpMethod="PUT", Description="x")
        key = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}
        it.call("UpdateConnection", Name="c", AuthorizationType="API_KEY", AuthParameters=key)
        changed = it.call("DescribeApiDestination", Name="d")
        it.call("DeauthorizeConnection", Name="c")

        assert described["AuthParameters"] == {"BasicAuthParameters": {"Username": "user"}}
        assert described["ConnectionState"] == "AUTHORIZED"
        assert (state, changed["ApiDestinationState"]) == ("ACTIVE", "ACTIVE")
        assert (changed["HttpMethod"], changed["Description"]) == ("PUT", "x")
        assert changed["InvocationRateLimitPerSecond"] == 300
        assert it.call("DescribeApiDestination", Name="d")["ApiDestinationState"] == "INACTIVE"
        assert it.call("DescribeConnection", Name="c")["AuthParameters"] == {
            "ApiKeyAuthParameters": {"ApiKeyName": "k"}  # and no more what another type wanted
        }
        assert [one["AuthorizationType"] for one in it.call("ListConnections")["Connections"]] == ["API_KEY"]
        assert it.call("ListConnections", ConnectionState="AUTHORIZED")["Connections"] == []
        assert [one["ApiDestinationArn"] for one in it.call("ListApiDestinations")["ApiDestinations"]] == [arn]

        assert it.call("DeleteConnection", Name="c")["ConnectionState"] == "DELETING"
        it.call("DeleteApiDestination", Name="d")
        for action, message in (
            ("DescribeConnection", "Failed to describe the connection(s). Connection 'c' does not exist."),
            (
                "DescribeApiDestination",
                "Failed to describe the api-destination(s). An api-destination 'd' does not exist.",
            ),
        ):
            with pytest.raises(AwsError) as raised:
                it.call(action, Name="c" if "Connection" in action else "d")
            assert (raised.value.code, raised.value.message) == ("ResourceNotFoundException", message)


async def test_a_connection_has_a_time_of_authorization_from_the_start() -> None:
    """Also one that has no token yet (recorded of DescribeConnection, ListConnections and UpdateConnection)."""
    async with bench() as it:
        client = {"ClientID": "i", "ClientSecret": "s"}
        endpoint = {"AuthorizationEndpoint": it.url, "HttpMethod": "POST", "ClientParameters": client}
        given = {"Name": "c", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS"}
        it.call("CreateConnection", **given, AuthParameters={"OAuthParameters": endpoint})

        described = it.call("DescribeConnection", Name="c")

        assert described["ConnectionState"] == "AUTHORIZING"
        assert described["LastAuthorizedTime"] == described["CreationTime"]


async def test_what_is_wrong_with_connections() -> None:
    """API_CreateConnection.html, API_CreateApiDestination.html."""
    async with bench() as it:
        destination(it)
        for action, given, code in (
            ("CreateConnection", {"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": BASIC}, "AlreadyExists"),
            ("CreateConnection", {"Name": "x", "AuthorizationType": "API_KEY", "AuthParameters": BASIC}, "Validation"),
            (
                "CreateApiDestination",
                {
                    "Name": "x",
                    "ConnectionArn": "arn:aws:events:us-east-1:000000000000:connection/no/1",
                    "InvocationEndpoint": "http://x",
                    "HttpMethod": "POST",
                },
                "ResourceNotFound",
            ),
        ):
            with pytest.raises(AwsError, match=code):
                it.call(action, **given)
