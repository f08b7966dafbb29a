"""Routes requests to services by protocol and credentials. Requests for other services are proxied to the upstream."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from localbus.errors import AwsError, MalformedRequestError, UnknownActionError
from localbus.http.message import Handler, Request, Response, uncompressed
from localbus.ids import new_id
from localbus.protocol.api_faults import ApiFaults
from localbus.protocol.api_faults import answer as answer_with
from localbus.protocol.aws_json import JsonProtocol
from localbus.protocol.aws_query import QueryProtocol
from localbus.protocol.aws_query_json import QueryJsonProtocol
from localbus.protocol.rest_json import RestJsonProtocol
from localbus.protocol.rpc_cbor import RpcCborProtocol, target_of
from localbus.protocol.service import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller, Service
from localbus.protocol.service_model import Operation, Params
from localbus.protocol.unsupported import unsupported

log = logging.getLogger("localbus")

QUEUE_PATH = re.compile(r"/(?:queue/[a-z0-9-]+/)?[0-9]{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?/?")
_DEVELOPER_PATHS = ("/_localbus", "/_aws/sqs/messages", "/SimpleNotificationService-")
_NOT_OF_A_QUEUE = {"CreateQueue", "ListQueues"}  # AWS rejects these actions at a queue's URL
_SCOPE = re.compile(r"Credential=([^/,\s]+)/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_ACCOUNT = re.compile(r"[0-9]{12}")

Protocol = JsonProtocol | QueryProtocol | RestJsonProtocol


class Router:
    """The engine's HTTP application: its services, its developer API (`/_localbus/...`), and the upstream."""

    def __init__(
        self,
        services: Sequence[Service],
        developer_api: Handler,
        upstream: Handler | None = None,
        faults: ApiFaults | None = None,
        rest: Sequence[RestJsonProtocol] = (),
        *,
        account_of_key: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._by_name = {service.name: service for service in services}
        self._by_target = {s.api.target_prefix: JsonProtocol(s) for s in services if s.json_version}
        self._cbor = {s.api.target_prefix: RpcCborProtocol(s) for s in services if s.api.speaks_cbor}
        self._query = {service.name: QueryProtocol(service) for service in services}
        self._query_json = {service.name: QueryJsonProtocol(service) for service in services}
        self._rest = rest
        self._developer_api = developer_api
        self._upstream = upstream
        self._faults = faults or ApiFaults()
        self._account_of_key = account_of_key
        self._accounts: dict[str, str] = {}  # of the access keys that the upstream issued

    def wants_stream(self, request: Request) -> bool:
        """Return whether the request certainly goes upstream: then it may be handled before its body is complete."""
        if request.target.startswith("/_") or request.is_form or self._service_by_head(request) is not None:
            return False
        return self._cbor_target(request) is None and not any(protocol.is_for(request) for protocol in self._rest)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer by the service of the request."""
        if request.target.startswith(_DEVELOPER_PATHS):
            return self._developer_api(request)
        if b"content-encoding" in request.headers and not self.wants_stream(request):
            request = uncompressed(request)
        if b"smithy-protocol" in request.headers and (answer := self._by_cbor(request)) is not None:
            return answer
        return self._by_rest(request) or self._by_target_or_form(request)

    def _by_rest(self, request: Request) -> Response | Awaitable[Response] | None:
        """Return the answer of a service that is found by method and path."""
        for protocol in self._rest:
            action = protocol.action(request)
            if action is not None:
                return self._answer(protocol, request, partial(protocol.read, action, request))
        return None

    def _by_cbor(self, request: Request) -> Response | Awaitable[Response] | None:
        """Return the answer of a service that is found by the path of Smithy's RPC."""
        target = self._cbor_target(request)
        if target is None:
            return None
        protocol, action = target
        return self._answer(protocol, request, lambda: protocol.read(action, request.body))

    def _cbor_target(self, request: Request) -> tuple[RpcCborProtocol, str] | None:
        target = target_of(request)
        protocol = self._cbor.get(target[0]) if target is not None else None
        return (protocol, target[1]) if target is not None and protocol is not None else None

    def _by_target_or_form(self, request: Request) -> Response | Awaitable[Response]:
        target = request.header(b"x-amz-target")
        if target:
            prefix, _, action = target.rpartition(".")
            protocol = self._by_target.get(prefix)
            if protocol is not None:
                return self._answer(protocol, request, lambda: protocol.read(action, request.body))
            return self._proxy(request)
        name = self._service_by_head(request) or self._service_by_form(request)
        if name is None or (name == "sts" and self._knows_more_of_sts(request)):
            return self._proxy(request)
        query = (self._query_json if "application/json" in request.header(b"accept") else self._query)[name]
        form = request.form
        action = form.get("Action", "")
        if name == "sqs" and QUEUE_PATH.fullmatch(request.path):
            form = {"QueueUrl": request.path} | form
            if action in _NOT_OF_A_QUEUE:
                return query.write_error(UnknownActionError(action), caller_of(request).request_id)
        return self._answer(query, request, lambda: query.read(action, form))

    def _answer(
        self, protocol: Protocol, request: Request, read: Callable[[], tuple[Operation, Params]]
    ) -> Response | Awaitable[Response]:
        caller = caller_of(request)
        if self._account_of_key is not None and caller.account == DEFAULT_ACCOUNT and issued_key_of(request):
            return self._answer_by_issued_key(protocol, request, caller, read)
        return self._answer_to(protocol, caller, read)

    async def _answer_by_issued_key(
        self, protocol: Protocol, request: Request, caller: Caller, read: Callable[[], tuple[Operation, Params]]
    ) -> Response:
        """Answer a request with an access key of the upstream's, such as that of an assumed role, in its account."""
        assert self._account_of_key is not None  # noqa: S101 (the caller has checked it)
        key = issued_key_of(request)
        account = self._accounts.get(key) or await self._account_of_key(key)
        if account is not None:
            self._accounts[key] = account
            caller = replace(caller, account=account)
        answer = self._answer_to(protocol, caller, read)
        return await answer if isinstance(answer, Awaitable) else answer

    def _answer_to(
        self, protocol: Protocol, caller: Caller, read: Callable[[], tuple[Operation, Params]]
    ) -> Response | Awaitable[Response]:
        try:
            operation, params = read()
        except Exception as exc:  # noqa: BLE001 (the boundary: every failure is answered)
            return _failure(protocol, exc, caller)

        def do() -> Response | Awaitable[Response]:
            return _do(protocol, operation, params, caller)

        fault = self._faults.pick(operation.name) if self._faults.rules else None
        if fault is None:
            return do()
        name = protocol.service.name
        return answer_with(fault, name, do, lambda error: protocol.write_error(error, caller.request_id))

    def _service_by_head(self, request: Request) -> str | None:
        """Return the service by the target, the credential scope, the host or a queue's path, if localbus has it."""
        prefix = request.header(b"x-amz-target").rpartition(".")[0]
        if prefix:
            protocol = self._by_target.get(prefix)
            return protocol.service.name if protocol else None
        scope = _scope(request)
        if scope is not None:
            return scope[2] if scope[2] in self._by_name else None
        label = request.header(b"host").partition(".")[0]
        if label in self._by_name:
            return label
        return "sqs" if "sqs" in self._by_name and QUEUE_PATH.fullmatch(request.path) else None

    def _knows_more_of_sts(self, request: Request) -> bool:
        """Return whether an upstream is to answer: it has roles and sessions, and knows the keys that it issued."""
        known = self._by_name["sts"].actions
        return self._upstream is not None and (request.form.get("Action") not in known or issued_key_of(request) != "")

    def _service_by_form(self, request: Request) -> str | None:
        """Return the service of an unsigned form: by its API version, else by its action."""
        action, version = request.form.get("Action"), request.form.get("Version")
        if not action or _scope(request) is not None:
            return None
        for service in self._by_name.values():
            if version == service.api.version or (not version and action in service.api.operation_names):
                return service.name
        return None

    def _proxy(self, request: Request) -> Response | Awaitable[Response]:
        if self._upstream is not None:
            return self._upstream(request)
        scope = _scope(request)
        if scope is None and request.method == "GET" and request.target in {"/", "/_localstack/health"}:
            return self._developer_api(request)
        return unsupported(request, scope[2] if scope else None)


def issued_key_of(request: Request) -> str:
    """Return an access key as AWS issues them: to a user (AKIA) or for a session (ASIA); empty text for others."""
    text = request.header(b"authorization")
    return (_scope(request) or ("",))[0] if "=ASIA" in text or "=AKIA" in text else ""


def caller_of(request: Request) -> Caller:
    """Return the sender of a request. An access key of twelve digits is an account, as in other local engines."""
    scope = _scope(request)
    key, region, _ = scope or ("", DEFAULT_REGION, "")
    account = key if _ACCOUNT.fullmatch(key) else DEFAULT_ACCOUNT
    base_url = request.base_url or f"http://{request.header(b'host') or 'localhost'}"
    trace_header = request.header(b"x-amzn-trace-id")
    signed = scope is not None
    return Caller(
        account, region, base_url, new_id(), signed=signed, trace_header=trace_header, headers=request.headers
    )


def service_of(request: Request) -> str | None:
    """Return the service in the credential scope of a request."""
    scope = _scope(request)
    return scope[2] if scope else None


def _scope(request: Request) -> tuple[str, str, str] | None:
    """Return access key, region and service of the signature, in the header or in a presigned URL."""
    text = request.header(b"authorization")
    if not text and "X-Amz-Credential" in request.target:
        text = f"Credential={request.query.get('X-Amz-Credential', '')}"
    found = _SCOPE.search(text) if text else None
    return (found[1], found[2], found[3]) if found else None


def _do(protocol: Protocol, operation: Operation, params: Params, caller: Caller) -> Response | Awaitable[Response]:
    try:
        result = protocol.service.call(operation, params, caller)
        if isinstance(result, dict):
            return protocol.write(operation, result, caller.request_id)
    except Exception as exc:  # noqa: BLE001 (the same boundary)
        return _failure(protocol, exc, caller)
    return _later(protocol, operation, result, caller)


async def _later(protocol: Protocol, operation: Operation, result: Awaitable[Params], caller: Caller) -> Response:
    try:
        return protocol.write(operation, await result, caller.request_id)
    except Exception as exc:  # noqa: BLE001 (the same boundary, for an action that waited)
        return _failure(protocol, exc, caller)


def _failure(protocol: Any, error: Exception, caller: Caller) -> Response:
    if not isinstance(error, AwsError | MalformedRequestError | UnknownActionError):
        log.error("request.failed", exc_info=error, extra={"request_id": caller.request_id})
    response: Response = protocol.write_error(error, caller.request_id)
    return response
