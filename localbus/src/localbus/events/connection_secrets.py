"""The secrets of connections in the Secrets Manager of the upstream.

Without an upstream, or with one that has no Secrets Manager (501), a connection works without a secret, and its
SecretArn leads nowhere.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from __future__ import annotations

import json
from typing import Any

from localbus.errors import AwsError
from localbus.events.connection import Connection
from localbus.http.client import NoAnswerError
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

_NOT_BUILT = 501


class ConnectionSecrets:
    """Keeps one secret for each authorized connection. Its actions raise AwsError if the upstream fails."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream

    @property
    def are_kept(self) -> bool:
        """True if the engine has a Secrets Manager."""
        return self._upstream.is_configured

    async def store(self, connection: Connection) -> None:
        """Create the secret of a connection, or replace its value."""
        value = {"SecretString": json.dumps(_value_of(connection))}
        if connection.has_secret:
            await self._call("PutSecretValue", connection, {"SecretId": connection.secret_arn, **value})
            return
        name = connection.secret_arn.partition(":secret:")[2].rpartition("-")[0]
        key = connection.given.get("KmsKeyIdentifier")
        given = {"Name": name, **value, **({"KmsKeyId": key} if key else {})}
        answer = await self._call("CreateSecret", connection, given)
        if "ARN" in answer:
            connection.secret_arn, connection.has_secret = str(answer["ARN"]), True

    async def remove(self, connection: Connection) -> None:
        """Delete the secret of a connection, if it has one."""
        if connection.has_secret:
            given = {"SecretId": connection.secret_arn, "ForceDeleteWithoutRecovery": True}
            await self._call("DeleteSecret", connection, given)
            connection.has_secret = False

    async def _call(self, action: str, connection: Connection, params: Params) -> Params:
        try:
            status, answer = await self._upstream.json(f"secretsmanager.{action}", connection.secret_arn, params)
        except (NoAnswerError, TimeoutError) as exc:
            raise _failed(action, connection, exc) from exc
        gone = action == "DeleteSecret" and str(answer.get("__type", "")).endswith("ResourceNotFoundException")
        if status == _NOT_BUILT:
            return {}
        if status >= 300 and not gone:
            raise _failed(action, connection, answer.get("message") or answer.get("Message") or status)
        return answer


def _failed(action: str, connection: Connection, reason: object) -> AwsError:
    return AwsError("InternalException", f"{action} of the secret of connection {connection.name} failed: {reason}")


def _value_of(connection: Connection) -> dict[str, Any]:
    """Return the secret as AWS stores it (recorded)."""
    parameters = connection.given["AuthParameters"]
    value: dict[str, Any]
    match connection.given["AuthorizationType"]:
        case "BASIC":
            basic = parameters["BasicAuthParameters"]
            value = {"username": basic["Username"], "password": basic["Password"]}
        case "API_KEY":
            key = parameters["ApiKeyAuthParameters"]
            value = {"api_key_name": key["ApiKeyName"], "api_key_value": key["ApiKeyValue"]}
        case _:
            oauth = parameters["OAuthParameters"]
            client = oauth["ClientParameters"]
            value = {
                "client_id": client["ClientID"],
                "client_secret": client["ClientSecret"],
                "authorization_endpoint": oauth["AuthorizationEndpoint"],
                "http_method": oauth["HttpMethod"],
            }
            if "OAuthHttpParameters" in oauth:
                value["oauth_http_parameters"] = oauth["OAuthHttpParameters"]
    if "InvocationHttpParameters" in parameters:
        value["invocation_http_parameters"] = parameters["InvocationHttpParameters"]
    return value
