"""Connections: how an API destination is authorized, and what goes with each request to it.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
and https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.http import client as http_client
from localbus.http.client import NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

AUTHORIZATION_TIMEOUT_S = 5
_PARAMETERS = {"HeaderParameters": "headers", "QueryStringParameters": "query", "BodyParameters": "body"}
_OF_TYPE = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}


@dataclass
class Extras:
    """What goes with a request beside what the target itself sends."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Connection:
    """One connection. `given` is as CreateConnection and UpdateConnection had it, with its secrets."""

    name: str
    arn: str
    secret_arn: str
    given: Params
    created_at: float
    modified_at: float
    authorized_at: float  # also where it has not worked yet, as AWS shows it
    state: str = "AUTHORIZED"
    token: str | None = None
    _authorizing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def brief(self) -> Params:
        """What actions other than Describe answer."""
        return {
            "ConnectionArn": self.arn,
            "ConnectionState": self.state,
            "CreationTime": self.created_at,
            "LastModifiedTime": self.modified_at,
            "LastAuthorizedTime": self.authorized_at,
        }

    def listed(self) -> Params:
        """The connection in a list."""
        return self.brief() | {"Name": self.name, "AuthorizationType": self.given["AuthorizationType"]}

    def described(self) -> Params:
        """The whole connection without its secrets."""
        shown = self.listed() | {"SecretArn": self.secret_arn, "AuthParameters": _public(self.given["AuthParameters"])}
        return shown | {name: self.given[name] for name in ("Description", "KmsKeyIdentifier") if name in self.given}

    def extras(self) -> Extras:
        """What goes with each request that this connection authorizes."""
        parameters = self.given["AuthParameters"]
        extras = read_parameters(parameters.get("InvocationHttpParameters", {}))
        match self.given["AuthorizationType"]:
            case "BASIC":
                basic = parameters["BasicAuthParameters"]
                pair = f"{basic['Username']}:{basic['Password']}".encode()
                extras.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            case "API_KEY":
                key = parameters["ApiKeyAuthParameters"]
                extras.headers[key["ApiKeyName"]] = key["ApiKeyValue"]
            case "OAUTH_CLIENT_CREDENTIALS" if self.token:
                extras.headers["Authorization"] = f"Bearer {self.token}"
        return extras

    @property
    def uses_token(self) -> bool:
        """Whether requests need a token that the authorization endpoint gives."""
        return bool(self.given["AuthorizationType"] == "OAUTH_CLIENT_CREDENTIALS")

    async def authorize(self, now: Callable[[], float]) -> None:
        """Get a token by the client credentials grant, once for all who need it, and know then whether that worked."""
        async with self._authorizing:
            if self.token is None:
                await self._get_token()
        if self.token:
            self.authorized_at = now()

    async def _get_token(self) -> None:
        oauth = self.given["AuthParameters"]["OAuthParameters"]
        extras = read_parameters(oauth.get("OAuthHttpParameters", {}))
        client = oauth["ClientParameters"]
        form = {
            "grant_type": "client_credentials",
            "client_id": client["ClientID"],
            "client_secret": client["ClientSecret"],
            **extras.body,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **extras.headers}
        url = with_query(oauth["AuthorizationEndpoint"], extras.query)
        try:
            answer = await http_client.send(
                oauth["HttpMethod"], url, headers, urlencode(form).encode(), timeout_s=AUTHORIZATION_TIMEOUT_S
            )
            self.token = str(json.loads(answer.body)["access_token"]) if answer.status < 300 else None
        except (NoAnswerError, TimeoutError, ValueError, KeyError, TypeError):
            self.token = None
        self.state = "AUTHORIZED" if self.token else "DEAUTHORIZED"


def read_parameters(given: Params) -> Extras:
    """The three kinds of parameters that go with a request."""
    extras = Extras()
    for kind, name in _PARAMETERS.items():
        getattr(extras, name).update({one["Key"]: one.get("Value", "") for one in given.get(kind, [])})
    return extras


def with_query(url: str, query: dict[str, str]) -> str:
    """The address with more parameters."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _public(parameters: Params) -> Params:
    """The parameters without what is secret."""
    secret = {"Password", "ApiKeyValue", "ClientSecret"}
    shown: Params = {}
    for name, value in parameters.items():
        if name in secret:
            continue
        if isinstance(value, list):
            shown[name] = [
                {k: v for k, v in one.items() if not (k == "Value" and one.get("IsValueSecret"))} for one in value
            ]
        else:
            shown[name] = _public(value) if isinstance(value, dict) else value
    return shown


class Connections:
    """The connections of every account and region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connections: dict[tuple[str, str, str], Connection] = {}

    def create(self, given: Params, caller: Caller) -> Connection:
        """Make a connection. One by OAuth still has to be authorized."""
        name = given["Name"]
        key = (caller.account, caller.region, name)
        if key in self._connections:
            raise AwsError("ResourceAlreadyExistsException", f"Connection {name} already exists.")
        _check_parameters(given)
        now = self._clock.now()
        scope = f"{caller.region}:{caller.account}"
        arn = f"arn:aws:events:{scope}:connection/{name}/{new_id()}"
        secret_arn = f"arn:aws:secretsmanager:{scope}:secret:events!connection/{name}/{new_id()}-{new_id()[:6]}"
        connection = Connection(name, arn, secret_arn, given, now, now, now)
        if connection.uses_token:
            connection.state = "AUTHORIZING"
        self._connections[key] = connection
        return connection

    def update(self, given: Params, caller: Caller) -> Connection:
        """Change a connection: what is given replaces what was."""
        connection = self.find(given["Name"], caller, "update")
        changed = connection.given | given
        parameters = connection.given["AuthParameters"] | given.get("AuthParameters", {})
        others = set(_OF_TYPE.values()) - {_OF_TYPE[changed["AuthorizationType"]]}
        changed["AuthParameters"] = {name: one for name, one in parameters.items() if name not in others}
        _check_parameters(changed)
        connection.given = changed
        connection.modified_at = self._clock.now()
        connection.token = None
        if connection.uses_token:
            connection.state = "AUTHORIZING"
        else:
            connection.state, connection.authorized_at = "AUTHORIZED", self._clock.now()
        return connection

    def delete(self, name: str, caller: Caller) -> Connection:
        """Take a connection away."""
        connection = self.find(name, caller, "delete")
        del self._connections[(caller.account, caller.region, name)]
        connection.state = "DELETING"
        return connection

    def find(self, name: str, caller: Caller, verb: str) -> Connection:
        """The connection of that name; raises ResourceNotFoundException."""
        connection = self._connections.get((caller.account, caller.region, name))
        if connection is None:
            text = f"Failed to {verb} the connection(s). Connection '{name}' does not exist."
            raise AwsError("ResourceNotFoundException", text)
        return connection

    def by_arn(self, arn: str) -> Connection | None:
        """The connection of that ARN, if there is one."""
        return next((one for one in self._connections.values() if one.arn == arn), None)

    def of(self, caller: Caller) -> list[Connection]:
        """The caller's connections by name."""
        scope = (caller.account, caller.region)
        return [self._connections[key] for key in sorted(self._connections) if key[:2] == scope]


def _check_parameters(given: Params) -> None:
    """Each type of authorization wants its own parameters."""
    wanted = _OF_TYPE[given["AuthorizationType"]]
    parameters: dict[str, Any] = given["AuthParameters"]
    if wanted not in parameters:
        text = f"{wanted} must be provided for authorization type {given['AuthorizationType']}."
        raise AwsError("ValidationException", f"Parameter AuthParameters is not valid. Reason: {text}")
