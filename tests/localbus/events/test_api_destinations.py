"""API destinations and their connections.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html and, there,
eb-target-connection.html.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from localbus.errors import AwsError
from localbus.events.connection import read_parameters
from localbus.http.message import Request
from support.events import Bench, Elsewhere

BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "pass"}}
API_KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"}}


def oauth(url: str) -> dict[str, Any]:
    """The parameters of an OAuth connection."""
    endpoint = {"AuthorizationEndpoint": f"{url}/token", "HttpMethod": "POST"}
    client = {"ClientParameters": {"ClientID": "id", "ClientSecret": "secret"}}
    more = {"OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all"}]}}
    return {"OAuthParameters": endpoint | client | more}


def destination(
    it: Bench, url: str, kind: str = "BASIC", auth: dict[str, Any] = BASIC, path: str = "/in", **changes: Any
) -> str:
    """Create a connection and a destination, and return its ARN."""
    connection = it.call("CreateConnection", Name="c", AuthorizationType=kind, AuthParameters=auth)
    given = {"ConnectionArn": connection["ConnectionArn"], "InvocationEndpoint": url + path, "HttpMethod": "POST"}
    return str(it.call("CreateApiDestination", Name="d", **given | changes)["ApiDestinationArn"])


@pytest.fixture
async def it() -> AsyncIterator[Bench]:
    """EventBridge without an upstream, and so without secrets."""
    bench = Bench()
    yield bench
    await bench.tasks.cancel_all()


async def test_an_endpoint_is_called(it: Bench, elsewhere: Elsewhere) -> None:
    """With parameters of target and connection; the connection takes precedence (API_HttpParameters.html)."""
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
    arn = destination(it, elsewhere.url, auth={**BASIC, "InvocationHttpParameters": more}, path="/in/*/of/*")

    assert await it.deliver(arn, InputPath="$.detail", HttpParameters=http) == "delivered"

    [request] = elsewhere.requests
    assert request.target.partition("?")[0] == "/in/a%20b/of/x%2Fy"
    assert request.query == {"both": "connection", "q": "a b"}
    headers = {name.decode(): value.decode() for name, value in request.headers.items()}
    assert headers["authorization"] == f"Basic {base64.b64encode(b'user:pass').decode()}"
    assert (headers["x-both"], headers["x-c"], headers["x-t"]) == ("connection", "1", "7")
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["user-agent"] == "Amazon/EventBridge/ApiDestinations"
    assert json.loads(request.body) == {"id": 7, "name": "a b", "extra": "v"}


async def test_an_endpoint_is_called_with_a_key(it: Bench, elsewhere: Elsewhere) -> None:
    """API_CreateConnectionApiKeyAuthRequestParameters.html."""
    await it.deliver(destination(it, elsewhere.url, "API_KEY", API_KEY))

    assert elsewhere.requests[0].header(b"x-key") == "k"


async def test_an_endpoint_is_called_with_a_token(it: Bench, elsewhere: Elsewhere) -> None:
    """Credentials are exchanged once, and again when the token is rejected (eb-target-connection.html)."""
    tokens = iter(["first", "second"])
    good = {"Bearer first"}

    def answer(request: Request) -> tuple[int, Any]:
        if request.path == "/token":
            return 200, {"access_token": next(tokens)}
        return (200 if request.header(b"authorization") in good else 401), {}

    elsewhere.answer = answer
    arn = destination(it, elsewhere.url, "OAUTH_CLIENT_CREDENTIALS", oauth(elsewhere.url))
    before = it.call("DescribeConnection", Name="c")["ConnectionState"]

    assert await it.deliver(arn) == "delivered"
    good.clear()
    good.add("Bearer second")
    assert await it.deliver(arn) == "retry_scheduled"
    done = asyncio.ensure_future(it.deliver(arn, "delivered"))
    it.clock.advance(2)
    assert await done == "delivered"

    form = dict(parse_qsl(elsewhere.requests[0].body.decode()))
    assert before == "AUTHORIZING"
    assert form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret", "scope": "all"}
    assert it.call("DescribeConnection", Name="c")["ConnectionState"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, "delivered") for status in (200, 202, 204)),
        *((status, "retry_scheduled") for status in (401, 407, 409, 429, 500, 503)),
        *((status, "dropped") for status in (301, 400, 404, 422)),
    ],
)
async def test_the_status_decides_on_retries(it: Bench, elsewhere: Elsewhere, status: int, outcome: str) -> None:
    """401, 407, 409, 429 and 5xx are retried (eb-api-destinations.html). What is not delivered is reported."""
    elsewhere.answer = lambda _request: (status, {})

    assert await it.deliver(destination(it, elsewhere.url)) == outcome
    assert [loss.event for loss in it.losses] == ([] if outcome == "delivered" else [outcome])


async def test_headers_that_are_not_the_users(it: Bench, elsewhere: Elsewhere) -> None:
    """Of those that connection and target give, some are removed and some are AWS's (eb-api-destinations.html)."""
    connection = {"HeaderParameters": [{"Key": "user-agent", "Value": "x"}, {"Key": "Date", "Value": "x"}]}
    removed = (
        "A-IM Accept-Charset Cache-Control Content-Encoding Content-MD5 Forwarded From If-Match Max-Forwards Origin"
    )
    removed += " Pragma Referer TE Via Warning Range Accept-Encoding Content-Length Host"
    given = dict.fromkeys([*removed.split(), "Accept", "Cookie"], "x")
    arn = destination(it, elsewhere.url, auth={**BASIC, "InvocationHttpParameters": connection})

    await it.deliver(arn, HttpParameters={"HeaderParameters": given | {"content-type": "text/csv"}})

    [request] = elsewhere.requests
    headers = {name.decode(): value.decode() for name, value in request.headers.items()}
    assert headers == {
        "accept": "x",
        "accept-encoding": "gzip,deflate",
        "authorization": headers["authorization"],
        "connection": "close",
        "content-length": str(len(request.body)),
        "content-type": "text/csv",
        "cookie": "x",
        "host": elsewhere.url.removeprefix("http://"),
        "range": "bytes=0-1048575",
        "user-agent": "Amazon/EventBridge/ApiDestinations",
    }


@pytest.mark.parametrize(
    ("retry_after", "after_s"),
    [
        ("30", 30),
        ("0", None),
        ("soon", None),
        ("-1", "dropped"),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("90000", "dropped"),  # a day is the policy's limit
    ],
)
async def test_retry_after_is_respected(it: Bench, elsewhere: Elsewhere, retry_after: str, after_s: Any) -> None:
    """The longer delay of it and the policy counts, and a negative one ends the retries (eb-api-destinations.html)."""
    elsewhere.answer = lambda _request: (503, {})
    elsewhere.headers = [(b"Retry-After", retry_after.encode())]

    outcome = await it.deliver(destination(it, elsewhere.url))

    details: list[Any] = [entry.detail for entry in it.journal.entries(event="retry_scheduled")]
    found: Any = details[0]["after_s"] if details else outcome
    assert found == after_s if after_s is not None else found <= 1


async def test_a_connection_keeps_its_secret_in_secrets_manager(elsewhere: Elsewhere) -> None:
    """Under its SecretArn, until it is deleted or deauthorized (eb-target-connection.html; the value is recorded)."""
    it = Bench(elsewhere.url)
    secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:events!connection/c/1-abcdef"
    elsewhere.answer = lambda _request: (200, {"ARN": secret})
    invocation = {"HeaderParameters": [{"Key": "a", "Value": "b", "IsValueSecret": True}]}
    auth = {**BASIC, "InvocationHttpParameters": invocation}

    await it.call("CreateConnection", Name="c", AuthorizationType="BASIC", AuthParameters=auth)
    shown = it.call("DescribeConnection", Name="c")
    await it.call("UpdateConnection", Name="c", AuthorizationType="API_KEY", AuthParameters=API_KEY)
    await it.call("DeauthorizeConnection", Name="c")
    await it.call("UpdateConnection", Name="c", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=oauth("x"))
    await it.call("DeleteConnection", Name="c")
    await it.tasks.cancel_all()

    calls = [(request.header(b"x-amz-target"), json.loads(request.body)) for request in elsewhere.requests]
    targets = [target.removeprefix("secretsmanager.") for target, _ in calls]
    assert targets == ["CreateSecret", "PutSecretValue", "DeleteSecret", "CreateSecret", "DeleteSecret"]
    assert shown["SecretArn"] == secret
    assert calls[0][1]["Name"].startswith("events!connection/c/")
    basic, key, oauth_secret = (json.loads(calls[number][1]["SecretString"]) for number in (0, 1, 3))
    assert basic == {"username": "user", "password": "pass", "invocation_http_parameters": invocation}
    assert key["api_key_value"] == "k"
    assert (oauth_secret["client_secret"], oauth_secret["http_method"]) == ("secret", "POST")
    assert calls[4][1] == {"SecretId": secret, "ForceDeleteWithoutRecovery": True}


async def test_a_connection_whose_secret_cannot_be_stored_is_not_created(elsewhere: Elsewhere) -> None:
    """Nor is one deleted whose secret stays."""
    it = Bench(elsewhere.url)
    elsewhere.answer = lambda _request: (400, {"__type": "LimitExceededException", "message": "enough"})

    with pytest.raises(AwsError, match="CreateSecret of the secret of connection c failed: enough"):
        await it.call("CreateConnection", Name="c", AuthorizationType="BASIC", AuthParameters=BASIC)

    assert it.call("ListConnections")["Connections"] == []


async def test_an_upstream_without_secrets_manager_is_enough(elsewhere: Elsewhere) -> None:
    """The connection works without a secret."""
    it = Bench(elsewhere.url)
    elsewhere.answer = lambda _request: (501, {"__type": "NotImplemented"})

    await it.call("CreateConnection", Name="c", AuthorizationType="BASIC", AuthParameters=BASIC)

    assert it.call("DeleteConnection", Name="c")["ConnectionState"] == "DELETING"


async def test_calls_are_limited_to_a_rate(it: Bench, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events above the rate wait (API_CreateApiDestination.html, InvocationRateLimitPerSecond)."""
    waits = asyncio.Event()

    def call_at(when: float, callback: Callable[[], None], call_at: Any = it.clock.call_at) -> Any:
        waits.set()
        return call_at(when, callback)

    monkeypatch.setattr(it.clock, "call_at", call_at)
    arn = destination(it, elsewhere.url, InvocationRateLimitPerSecond=2)
    for _ in range(2):
        assert await it.deliver(arn) == "delivered"

    third = asyncio.ensure_future(it.deliver(arn))
    await asyncio.wait([third, waiting := asyncio.ensure_future(waits.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert (third.done(), waiting.done(), len(elsewhere.requests)) == (False, True, 2)
    it.clock.advance(1)

    assert await third == "delivered"
    assert len(elsewhere.requests) == 3


async def test_an_endpoint_can_be_called_with_head(it: Bench, elsewhere: Elsewhere) -> None:
    """Any method but CONNECT and TRACE is allowed, and an answer without a body too (eb-api-destinations.html)."""
    arn = destination(it, elsewhere.url, HttpMethod="HEAD")

    assert await it.deliver(arn) == "delivered"
    assert elsewhere.paths() == [("HEAD", "/in")]


# Actions


def test_secrets_are_never_returned(bench: Bench) -> None:
    """Also after another type of authorization has replaced the first one (API_DescribeConnection.html)."""
    destination(bench, "http://x")
    before = bench.call("DescribeConnection", Name="c")
    bench.call("UpdateConnection", Name="c", AuthorizationType="API_KEY", AuthParameters=API_KEY)
    after = bench.call("DescribeConnection", Name="c")

    assert (before["ConnectionState"], after["ConnectionState"]) == ("AUTHORIZED", "AUTHORIZED")
    assert before["AuthParameters"] == {"BasicAuthParameters": {"Username": "user"}}
    assert after["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}}
    assert [one["AuthorizationType"] for one in bench.call("ListConnections")["Connections"]] == ["API_KEY"]


def test_a_destination_is_active_while_its_connection_is_authorized(bench: Bench) -> None:
    """UpdateApiDestination, DeauthorizeConnection, DeleteConnection, DeleteApiDestination."""
    arn = destination(bench, "http://x")
    created = bench.call("DescribeApiDestination", Name="d")
    bench.call("UpdateApiDestination", Name="d", HttpMethod="PUT", Description="x")
    changed = bench.call("DescribeApiDestination", Name="d")
    bench.call("DeauthorizeConnection", Name="c")

    assert (created["ApiDestinationState"], changed["ApiDestinationState"]) == ("ACTIVE", "ACTIVE")
    assert (changed["HttpMethod"], changed["Description"]) == ("PUT", "x")
    assert changed["InvocationRateLimitPerSecond"] == 300
    assert bench.call("DescribeApiDestination", Name="d")["ApiDestinationState"] == "INACTIVE"
    assert bench.call("ListConnections", ConnectionState="AUTHORIZED")["Connections"] == []
    assert [one["ApiDestinationArn"] for one in bench.call("ListApiDestinations")["ApiDestinations"]] == [arn]
    assert bench.call("DeleteConnection", Name="c")["ConnectionState"] == "DELETING"
    bench.call("DeleteApiDestination", Name="d")
    assert bench.call("ListConnections")["Connections"] == bench.call("ListApiDestinations")["ApiDestinations"] == []


async def test_a_connection_has_an_authorization_time_from_the_start(it: Bench, elsewhere: Elsewhere) -> None:
    """Also without a token (recorded from DescribeConnection, ListConnections and UpdateConnection)."""
    destination(it, elsewhere.url, "OAUTH_CLIENT_CREDENTIALS", oauth(elsewhere.url))

    described = it.call("DescribeConnection", Name="c")

    assert described["ConnectionState"] == "AUTHORIZING"
    assert described["LastAuthorizedTime"] == described["CreationTime"]


NO_CONNECTION = "arn:aws:events:us-east-1:000000000000:connection/no/1"
ENDPOINT = {"InvocationEndpoint": "http://x", "HttpMethod": "POST"}


@pytest.mark.parametrize(
    ("action", "params", "code", "message"),
    [
        ("CreateConnection", {"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": BASIC},
         "ResourceAlreadyExistsException", "Connection c already exists."),
        ("CreateConnection", {"Name": "x", "AuthorizationType": "API_KEY", "AuthParameters": BASIC},
         "ValidationException", "ApiKeyAuthParameters must be provided for authorization type API_KEY."),
        ("DescribeConnection", {"Name": "x"}, "ResourceNotFoundException",
         "Failed to describe the connection(s). Connection 'x' does not exist."),
        ("CreateApiDestination", {"Name": "x", "ConnectionArn": NO_CONNECTION, **ENDPOINT},
         "ResourceNotFoundException", "Connection 'no' does not exist."),
        ("DescribeApiDestination", {"Name": "x"}, "ResourceNotFoundException",
         "Failed to describe the api-destination(s). An api-destination 'x' does not exist."),
    ],
)  # fmt: skip
def test_an_invalid_request_is_rejected(
    bench: Bench, action: str, params: dict[str, Any], code: str, message: str
) -> None:
    """API_CreateConnection.html, API_CreateApiDestination.html."""
    destination(bench, "http://x")

    with pytest.raises(AwsError) as raised:
        bench.call(action, **params)

    assert raised.value.code == code
    assert raised.value.message.endswith(message)


def test_a_parameter_without_a_key_is_not_sent() -> None:
    """Key and Value are optional (API_ConnectionHeaderParameter); what has no name cannot be sent."""
    given = {"HeaderParameters": [{"Value": "v"}, {"Key": "k"}], "QueryStringParameters": [{}]}

    found = read_parameters(given)

    assert (found.headers, found.query, found.body) == ({"k": ""}, {}, {})
