"""The calls that every order needs, at a fraction of the usual cost, behind the methods of the same client.

aiobotocore resolves the endpoint, runs hooks, walks the service model and derives the signing key for every call. Here
only the first call of an operation takes that way; its request becomes the template of the next ones. An outcome other
than success goes back to aiobotocore, which continues as if it had sent that attempt: what an error means, retries,
their quota and the exceptions stay its own.
"""

import binascii
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from botocore import xform_name
from botocore.parsers import ResponseParserError

from orderboard_aws_client.http_connections import Connections, Response
from orderboard_aws_client.lean import AIOHTTPSession, create_parser
from orderboard_aws_client.request_metrics import CountRequests
from orderboard_aws_client.signed_template import SignedTemplate
from orderboard_aws_client.wire_format import (
    Decode,
    Encode,
    json_request,
    json_response,
    publish_batch_request,
    publish_batch_response,
    same_document,
)

_JSON: Final = (json_request, json_response)
_OPERATIONS: Final[Mapping[str, Mapping[str, tuple[Encode, Decode]]]] = {
    "sns": {"PublishBatch": (publish_batch_request, publish_batch_response)},
    "events": {"PutEvents": _JSON},
    "sqs": {"ReceiveMessage": _JSON, "DeleteMessageBatch": _JSON, "ChangeMessageVisibilityBatch": _JSON},
    "dynamodb": {"BatchExecuteStatement": _JSON},
}
_OTHER_ENDPOINT: Final = "EndpointId"  # a parameter of PutEvents
# The parameter of a batch operation that holds its messages, events or statements.
_ENTRIES: Final = ("Entries", "PublishBatchRequestEntries", "Statements")
_OK: Final = 200
_LESSONS: Final = 5  # calls that may teach nothing until an operation stays with aiobotocore
_QUOTA: Final = 500  # successes that fill botocore's retry quota


@dataclass
class _FirstAttempt:
    """The first attempt of a call by aiobotocore: its request, or the outcome that it is to continue with."""

    request: Any = None
    outcome: Any = None


_first_attempt: ContextVar[_FirstAttempt | None] = ContextVar("_first_attempt", default=None)


def entries_of(parameters: Mapping[str, Any]) -> int:
    """Return the number of messages, events or statements of a call; 1 for other operations."""
    return next((len(parameters[name]) for name in _ENTRIES if name in parameters), 1)


def speed_up(client: Any, credentials: Any, count: CountRequests) -> "Endpoints":
    """Replace the hot methods of an aiobotocore client by HotCalls; count is called for each of their requests.

    Return their connections, which the caller closes.
    """
    endpoints = Endpoints(client)
    service = client.meta.service_model.service_name
    for operation in _OPERATIONS.get(service, {}):
        setattr(client, xform_name(operation), HotCall(client, operation, credentials, count, endpoints))
    return endpoints


class Endpoints:
    """The connections of a client by URL. Its hot calls share them."""

    def __init__(self, client: Any) -> None:
        self._http: Any = client._endpoint.http_session
        self._config = client.meta.config
        self._connections: dict[str, Connections] = {}

    def at(self, url: str) -> Connections | None:
        """Return the connections to a URL; None if aiobotocore's session does more: a proxy, a client certificate."""
        http, config = self._http, self._config
        is_known = type(http) is AIOHTTPSession
        if not is_known or http._cert_file or http._proxy_config.proxy_url_for(url):
            return None
        if url not in self._connections:
            self._connections[url] = Connections(
                url,
                connect_timeout_s=config.connect_timeout,
                read_timeout_s=config.read_timeout,
                verify=http._verify,
            )
        return self._connections[url]

    def close(self) -> None:
        """Close all connections that wait for a request."""
        for connections in self._connections.values():
            connections.close()


class HotCall:
    """The method of a client for one operation."""

    def __init__(
        self, client: Any, operation: str, credentials: Any, count: CountRequests, endpoints: Endpoints
    ) -> None:
        model = client.meta.service_model
        self._usual = getattr(client, xform_name(operation))
        self._http = client._endpoint.http_session
        self._events = client.meta.events
        service = model.service_id.hyphenize()  # as in the names of botocore's events, for the counts too
        self._event = f"{service}.{operation}"
        self._model = model.operation_model(operation)
        self._credentials = credentials
        self._count = partial(count, service, operation)
        self._encode, self._decode = _OPERATIONS[model.service_name][operation]
        self._template: SignedTemplate | None = None
        self._endpoints = endpoints
        self._connections: Connections | None = None
        self._quota_missing = 0
        self._lessons = _LESSONS
        self._events.register(f"before-send.{self._event}", self._before_send)

    async def __call__(self, **parameters: Any) -> Any:
        """Call the operation. Results and exceptions are aiobotocore's."""
        credentials = await self._credentials.get_frozen_credentials()
        template = self._template
        if template is None or not template.fits(credentials):
            return await self._learn(parameters, credentials)
        if _OTHER_ENDPOINT in parameters or (body := self._encode(parameters)) is None:
            return await self._usual(**parameters)
        try:
            response, content = await self._sent(template, body, credentials)
        except Exception as exc:  # noqa: BLE001 - aiobotocore knows which of them to retry
            return await self._continue(exc, parameters)
        if response.status_code != _OK or not _is_intact(response.headers, content):
            return await self._continue(response, parameters)
        try:
            parsed = self._decode(content)
            if parsed is None:
                parsed = await self._parse(response.headers, content)
        except (ValueError, SyntaxError, ResponseParserError):
            return await self._continue(response, parameters)
        self._count(1, entries_of(parameters))
        if self._quota_missing:
            self._quota_missing -= 1
            await self._events.emit(f"after-call.{self._event}", http_response=response, parsed=parsed, context={})
        return parsed

    async def _sent(self, template: SignedTemplate, body: bytes, credentials: Any) -> tuple[Any, bytes]:
        """Send a request; return the response and its content."""
        if self._connections is not None:
            response = await self._connections.post(template.message(body, credentials))
            return response, response.content
        of_aiohttp = await self._http.send(template.request(body, credentials))
        return of_aiohttp, await of_aiohttp.content

    async def _learn(self, parameters: dict[str, Any], credentials: Any) -> Any:
        """Let aiobotocore call, and keep its request as the template if ours would have been equal."""
        if not self._lessons:
            return await self._usual(**parameters)
        attempt = _FirstAttempt()
        result = await self._as_first(attempt, parameters)
        self._lessons -= 1
        request = attempt.request
        if request is not None and same_document(self._encode(parameters), request.body):
            self._template = SignedTemplate.of(request, credentials)
            if self._template is not None:
                self._connections = self._endpoints.at(self._template.url)
                self._lessons = _LESSONS
        return result

    async def _continue(self, outcome: Any, parameters: dict[str, Any]) -> Any:
        """Let aiobotocore go on from this response or exception."""
        self._quota_missing = _QUOTA
        if isinstance(outcome, Response):
            outcome = outcome.for_botocore(self._template.url if self._template else "")
        return await self._as_first(_FirstAttempt(outcome=outcome), parameters)

    async def _as_first(self, attempt: _FirstAttempt, parameters: dict[str, Any]) -> Any:
        token = _first_attempt.set(attempt)
        try:
            return await self._usual(**parameters)
        finally:
            _first_attempt.reset(token)

    def _before_send(self, request: Any, **_: Any) -> Any:
        """Botocore's hook: a response that it returns, or an exception that it raises, is that of the attempt."""
        attempt = _first_attempt.get()
        if attempt is None or attempt.request is not None:
            return None
        attempt.request = request
        if isinstance(attempt.outcome, Exception):
            self._count(1, 0)  # the hooks after this one do not run
            raise attempt.outcome
        return attempt.outcome

    async def _parse(self, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
        response = {"headers": headers, "status_code": _OK, "body": content, "context": {}}
        parsed: dict[str, Any] = await create_parser(self._model.service_model.resolved_protocol).parse(
            response, self._model.output_shape
        )
        return parsed


def _is_intact(headers: Mapping[str, str], content: bytes) -> bool:
    """Return False if DynamoDB's checksum differs."""
    checksum = headers.get("x-amz-crc32")
    return checksum is None or checksum == str(binascii.crc32(content))
