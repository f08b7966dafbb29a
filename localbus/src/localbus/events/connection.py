"""Connections: the authorization of API destinations and the parameters that they add to each request.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
and https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from localbus.events.errors import invalid_parameter
from localbus.events.registry import Registry, pick
from localbus.http import client as http_client
from localbus.http.client import NoAnswerError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

AUTHORIZATION_TIMEOUT_S = 5
_PARAMETERS = ("HeaderParameters", "QueryStringParameters", "BodyParameters")  # as the fields of HttpParameters
_SECRETS = {"Password", "ApiKeyValue", "ClientSecret"}
_OF_TYPE = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}


@dataclass
class HttpParameters:
    """Headers, query parameters and body members that a connection adds to a request."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Connection:
    """A connection. `given` is the input of CreateConnection and UpdateConnection, secrets included."""

    name: str
    arn: str
    secret_arn: str
    given: Params
    created_at: float
    modified_at: float
    authorized_at: float  # set from the start, as AWS returns it
    has_secret: bool = False  # in the upstream's Secrets Manager
    state: str = "AUTHORIZED"
    token: str | None = None
    _authorizing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def summary(self) -> Params:
        """Return the connection as Create, Update, Deauthorize and Delete do."""
        return {
            "ConnectionArn": self.arn,
            "ConnectionState": self.state,
            "CreationTime": self.created_at,
            "LastModifiedTime": self.modified_at,
            "LastAuthorizedTime": self.authorized_at,
        }

    def list_item(self) -> Params:
        """Return the connection as ListConnections does."""
        return self.summary() | {"Name": self.name, "AuthorizationType": self.given["AuthorizationType"]}

    def details(self) -> Params:
        """Return the connection as DescribeConnection does, without its secrets."""
        parameters = _without_secrets(self.given["AuthParameters"])
        details = self.list_item() | {"SecretArn": self.secret_arn, "AuthParameters": parameters}
        return details | pick(self.given, "Description", "KmsKeyIdentifier")

    def document(self) -> Document:
        """Return the connection for the storage, with its secrets and its token."""
        return {
            "secret_arn": self.secret_arn,
            "given": self.given,
            "created_at": self.created_at,
            "modified_at": self.modified_at,
            "authorized_at": self.authorized_at,
            "has_secret": self.has_secret,
            "state": self.state,
            "token": self.token,
        }

    def http_parameters(self) -> HttpParameters:
        """Return the parameters of each request that the connection authorizes."""
        parameters = self.given["AuthParameters"]
        added = read_parameters(parameters.get("InvocationHttpParameters", {}))
        match self.given["AuthorizationType"]:
            case "BASIC":
                basic = parameters["BasicAuthParameters"]
                pair = f"{basic['Username']}:{basic['Password']}".encode()
                added.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            case "API_KEY":
                key = parameters["ApiKeyAuthParameters"]
                added.headers[key["ApiKeyName"]] = key["ApiKeyValue"]
            case "OAUTH_CLIENT_CREDENTIALS" if self.token:
                added.headers["Authorization"] = f"Bearer {self.token}"
        return added

    @property
    def uses_token(self) -> bool:
        """True if requests need a token from the authorization endpoint."""
        return bool(self.given["AuthorizationType"] == "OAUTH_CLIENT_CREDENTIALS")

    async def authorize(self, now: Callable[[], float]) -> None:
        """Get a token by the client credentials grant, once for all concurrent requests, and set the state."""
        async with self._authorizing:
            if self.token is None:
                await self._get_token()
        if self.token:
            self.authorized_at = now()

    async def _get_token(self) -> None:
        oauth = self.given["AuthParameters"]["OAuthParameters"]
        added = read_parameters(oauth.get("OAuthHttpParameters", {}))
        client = oauth["ClientParameters"]
        form = {
            "grant_type": "client_credentials",
            "client_id": client["ClientID"],
            "client_secret": client["ClientSecret"],
            **added.body,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **added.headers}
        url = with_query(oauth["AuthorizationEndpoint"], added.query)
        try:
            answer = await http_client.send(
                oauth["HttpMethod"].upper(), url, headers, urlencode(form).encode(), timeout_s=AUTHORIZATION_TIMEOUT_S
            )
            self.token = str(json.loads(answer.body)["access_token"]) if answer.status < 300 else None
        except (NoAnswerError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
            self.token = None
        self.state = "AUTHORIZED" if self.token else "DEAUTHORIZED"


def read_parameters(given: Params) -> HttpParameters:
    """Read the InvocationHttpParameters or OAuthHttpParameters of a connection."""
    return HttpParameters(
        *({one["Key"]: one.get("Value", "") for one in given.get(kind, []) if "Key" in one} for kind in _PARAMETERS)
    )


def with_query(url: str, query: dict[str, str]) -> str:
    """Append query parameters to a URL."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _without_secrets(parameters: Params) -> Params:
    public: Params = {}
    for name, value in parameters.items():
        if name in _SECRETS:
            continue
        if isinstance(value, list):
            public[name] = [
                {k: v for k, v in one.items() if not (k == "Value" and one.get("IsValueSecret"))} for one in value
            ]
        else:
            public[name] = _without_secrets(value) if isinstance(value, dict) else value
    return public


class Connections(Registry[Connection]):
    """The connections of all accounts."""

    kind = "events.connection"
    quota = 3_000
    in_use = "Connection {name} already exists."
    not_found = "Failed to {verb} the connection(s). Connection '{name}' does not exist."

    def create(self, given: Params, caller: Caller) -> Connection:
        """Create a connection. One with OAuth is not authorized yet."""
        name = given["Name"]
        self.require_new(name, caller)
        _check_parameters(given)
        now = self._clock.now()
        scope = f"{caller.region}:{caller.account}"
        arn = f"arn:aws:events:{scope}:connection/{name}/{new_id()}"
        secret_arn = f"arn:aws:secretsmanager:{scope}:secret:events!connection/{name}/{new_id()}-{new_id()[:6]}"
        connection = Connection(name, arn, secret_arn, given, now, now, now)
        if connection.uses_token:
            connection.state = "AUTHORIZING"
        return self.add(connection, caller)

    def update(self, given: Params, caller: Caller) -> Connection:
        """Replace the given settings of a connection."""
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
        self.save(connection)
        return connection

    def _restored(self, arn: str, stored: Document) -> Connection:
        return Connection(stored["given"]["Name"], arn, **stored)

    async def authorize(self, connection: Connection) -> None:
        """Get a token for a connection that has none, and set its state."""
        await connection.authorize(self._clock.now)
        self.save(connection)

    def deauthorize(self, connection: Connection) -> None:
        """Discard the token of a connection, which then authorizes no more requests."""
        connection.state, connection.token = "DEAUTHORIZED", None
        self.save(connection)

    def discard_token(self, connection: Connection) -> None:
        """Discard a token that was not accepted; the next request gets another."""
        connection.token = None
        self.save(connection)

    def delete(self, name: str, caller: Caller) -> Connection:
        """Delete a connection and return it."""
        connection = super().delete(name, caller)
        connection.state = "DELETING"
        return connection


def _check_parameters(given: Params) -> None:
    """Require the parameters of the authorization type."""
    needed = _OF_TYPE[given["AuthorizationType"]]
    if needed not in given["AuthParameters"]:
        reason = f"{needed} must be provided for authorization type {given['AuthorizationType']}."
        raise invalid_parameter("AuthParameters", reason)
