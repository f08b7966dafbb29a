"""Connections and API destinations."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import events_api, events_guide
from support.web_server import Received

GROUP = Group("EventBridge", "API destinations")
behaviour = GROUP.behaviour
_BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "pass"}}
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


def _connect(aws: Aws, name: str, kind: str = "BASIC", auth: dict[str, Any] | None = None) -> dict[str, Any]:
    """Create a connection, by default with a name and a password."""
    given = {"Name": name, "AuthorizationType": kind, "AuthParameters": auth or _BASIC}
    answer: dict[str, Any] = aws.events.create_connection(**given)
    return answer


def _connection(aws: Aws) -> str:
    """Create a connection with a name and a password, and return its name."""
    name = aws.name()
    _connect(aws, name)
    return name


def _called(aws: Aws, kind: str = "BASIC", auth: dict[str, Any] | None = None, **target: Any) -> Received:
    """Return the request that an API destination receives for an event."""
    with aws.web() as web:
        given = {"InvocationEndpoint": f"{web.url}/in", "HttpMethod": "POST", "Name": aws.name()}
        arn = aws.events.create_api_destination(
            ConnectionArn=_connect(aws, aws.name(), kind, auth)["ConnectionArn"], **given
        )
        aws.rule(arn["ApiDestinationArn"], RoleArn=_ROLE, **target)
        aws.put({"a": 1})
        request: Received = eventually(lambda: web.requests, "calls nothing")[0]
        return request


@behaviour(events_api("DescribeConnection"))
def secrets_stay(aws: Aws) -> None:
    """A connection shows no passwords."""
    shown = aws.events.describe_connection(Name=_connection(aws))["AuthParameters"]

    same("shows", shown, {"BasicAuthParameters": {"Username": "user"}})


@behaviour(events_api("CreateConnection"))
def authorized(aws: Aws) -> None:
    """A connection with a name and a password is AUTHORIZED."""
    name = _connection(aws)

    eventually(
        lambda: aws.events.describe_connection(Name=name)["ConnectionState"] == "AUTHORIZED", "is not AUTHORIZED", 3
    )


@behaviour(events_api("DescribeConnection", recorded=True))
def authorizing(aws: Aws) -> None:
    """A connection by OAuth starts as AUTHORIZING, and already has a time of authorization."""
    client = {"ClientID": "i", "ClientSecret": "s"}
    oauth = {"AuthorizationEndpoint": "https://example.com/oauth", "HttpMethod": "POST", "ClientParameters": client}
    name = aws.name()

    answer = _connect(aws, name, "OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": oauth})

    same("begins as", (answer["ConnectionState"], "LastAuthorizedTime" in answer), ("AUTHORIZING", False))
    holds("LastAuthorizedTime" in aws.events.describe_connection(Name=name), "shows no time")


@behaviour(events_api("CreateConnection", recorded=True))
def connection_of_nonsense(aws: Aws) -> None:
    """A connection with an authorization type that does not exist is rejected."""
    refused("ValidationException", _connect, aws=aws, name=aws.name(), kind="INVALID")


@behaviour(events_api("CreateConnection"))
def connection_twice(aws: Aws) -> None:
    """A connection whose name is in use is rejected (ResourceAlreadyExistsException)."""
    refused("ResourceAlreadyExistsException", _connect, aws=aws, name=_connection(aws))


@behaviour(events_api("DescribeConnection", recorded=True))
def missing_connection(aws: Aws) -> None:
    """A connection that does not exist is ResourceNotFoundException."""
    refused("ResourceNotFoundException", aws.events.describe_connection, Name=aws.name())


@behaviour(events_api("CreateApiDestination"))
def destination_without_connection(aws: Aws) -> None:
    """A destination with a connection that does not exist is ResourceNotFoundException."""
    connection = f"arn:aws:events:us-east-1:{ACCOUNT}:connection/none/0f0e0d0c-0b0a-0908-0706-050403020100"
    given = {"ConnectionArn": connection, "InvocationEndpoint": "https://example.com", "HttpMethod": "POST"}

    refused("ResourceNotFoundException", aws.events.create_api_destination, Name=aws.name(), **given)


@behaviour(events_guide("eb-api-destinations"))
def called(aws: Aws) -> None:
    """A destination is called with the event as JSON."""
    request = _called(aws, InputPath="$.detail")

    same("posts", (request.path, json.loads(request.body)), ("/in", {"a": 1}))
    holds(request.headers.get("content-type", "").startswith("application/json"), "has another content type")


@behaviour(events_guide("eb-target-connection"))
def basic(aws: Aws) -> None:
    """BASIC adds the header Authorization with name and password."""
    same("sends", _called(aws).headers.get("authorization"), f"Basic {base64.b64encode(b'user:pass').decode()}")


@behaviour(events_guide("eb-target-connection"))
def api_key(aws: Aws) -> None:
    """API_KEY adds the key in the header that the connection names."""
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}}

    same("sends", _called(aws, "API_KEY", key).headers.get("x-key"), "secret")


@behaviour(events_api("HttpParameters"))
def connection_first(aws: Aws) -> None:
    """A header of the connection overrides the target's header of the same name."""
    header = {"HeaderParameters": [{"Key": "X-Both", "Value": "connection", "IsValueSecret": False}]}
    auth = {**_BASIC, "InvocationHttpParameters": header}
    request = _called(aws, auth=auth, HttpParameters={"HeaderParameters": {"X-Both": "target", "X-T": "t"}})

    same("sends", (request.headers.get("x-both"), request.headers.get("x-t")), ("connection", "t"))


@behaviour(events_guide("eb-api-destinations"))
def forbidden_headers(aws: Aws) -> None:
    """User-Agent and Range cannot be overridden, Referer, Via and Date are removed, Accept-Encoding is added."""
    given = {"User-Agent": "x", "Range": "x", "Referer": "x", "Via": "x", "Accept-Charset": "x", "X-Own": "x"}
    headers = _called(aws, HttpParameters={"HeaderParameters": given}).headers

    same("User-Agent", headers.get("user-agent"), "Amazon/EventBridge/ApiDestinations")
    same("Range", headers.get("range"), "bytes=0-1048575")
    same("Accept-Encoding", headers.get("accept-encoding"), "gzip,deflate")
    same("keeps", sorted(headers.keys() & {"referer", "via", "accept-charset", "x-own"}), ["x-own"])


@behaviour(events_api("CreateConnection", recorded=True))
def secret_of_a_connection(aws: Aws) -> None:
    """A connection's secret is in Secrets Manager under its SecretArn, as long as the connection exists."""
    name = _connection(aws)
    arn = aws.events.describe_connection(Name=name)["SecretArn"]
    secrets = aws.client("secretsmanager")
    found = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    same("holds", found, {"username": "user", "password": "pass"})

    aws.events.delete_connection(Name=name)

    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId=arn)


@behaviour(events_api("CreateConnection"))
def method_in_small_letters(aws: Aws) -> None:
    """The method of an OAuth connection may be in small letters."""
    oauth: dict[str, Any] = {"AuthorizationEndpoint": "https://example.com/oauth", "HttpMethod": "post"}
    oauth |= {"ClientParameters": {"ClientID": "i", "ClientSecret": "s"}}

    _connect(aws, aws.name(), "OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": oauth})


@behaviour(events_api("CreateConnection", recorded=True))
def order_of_violations(aws: Aws) -> None:
    """A name with spaces that is too long is reported for its characters first, then for its length."""
    message = refused("ValidationException", _connect, aws=aws, name="a b" * 30)

    same("order", re.findall("regular expression|length", message), ["regular expression", "length"])


@behaviour(
    events_api("CreateApiDestination", recorded=True),
    differs="Errors list the values of an enum in the order of the service model, AWS in an order of no rule",
)
def order_of_methods(aws: Aws) -> None:
    """An invalid HTTP method is reported with the valid ones in this order: HEAD, POST, PATCH, DELETE and so on."""
    arn = _connect(aws, aws.name())["ConnectionArn"]
    given = {"Name": aws.name(), "ConnectionArn": arn, "InvocationEndpoint": "https://a.example", "HttpMethod": "GOT"}

    valid = "[HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS]"
    refused("ValidationException", aws.events.create_api_destination, says=valid, **given)
