"""Smithy RPC v2 with CBOR: the action is in the path, input and output are CBOR maps.

SDKs may use it for CloudWatch. Source: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from localbus.errors import AwsError, MalformedRequestError, UnknownActionError
from localbus.http.message import Request, Response
from localbus.protocol import cbor
from localbus.protocol.aws_json import reader_of
from localbus.protocol.service import Service
from localbus.protocol.service_model import Operation, Params

PATH: Final = re.compile(r"/service/([A-Za-z0-9_]+)/operation/([A-Za-z0-9_]+)")


def target_of(request: Request) -> tuple[str, str] | None:
    """Return the service's name in the model and the action, if the request is of this protocol."""
    if request.headers.get(b"smithy-protocol") != b"rpc-v2-cbor":
        return None
    found = PATH.fullmatch(request.path)
    return (found[1], found[2]) if found is not None else None


class RpcCborProtocol:
    """Reads and writes the requests of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def read(self, action: str, body: bytes) -> tuple[Operation, Params]:
        """Return the action and its input in Python values of the model's types."""
        operation = self.service.api.operation(action)
        try:
            document = cbor.loads(body) if body else {}
        except ValueError as exc:
            raise MalformedRequestError(f"The request body is not CBOR: {exc}.") from exc
        params: Params = reader_of(operation.input)(document) if operation.input is not None else {}
        return operation, params

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request; without output its body is empty."""
        return _response(200, result if operation.output is not None else None, request_id)

    def write_error(self, error: Exception, request_id: str) -> Response:
        """Return the response to a failed request."""
        match error:
            case UnknownActionError():
                return self._error(404, "UnknownOperationException", "", request_id)
            case MalformedRequestError():
                return self._error(400, "SerializationException", str(error), request_id)
            case AwsError():
                spec = self.service.api.error_spec(error.code)
                query_error = f"{spec.query_code};{spec.fault}" if self.service.api.query_compatible else ""
                return self._error(
                    spec.status, error.code, error.message, request_id, query_error, members=error.members
                )
            case _:
                return self._error(500, "InternalFailure", "Internal error: see the log of localbus.", request_id)

    def _error(
        self,
        status: int,
        code: str,
        message: str,
        request_id: str,
        query_error: str = "",
        *,
        members: Mapping[str, object] | None = None,
    ) -> Response:
        shape = self.service.api.error_shape(code)
        name = "Message" if shape is not None and "Message" in shape.members else "message"
        document: dict[str, Any] = {"__type": f"{self.service.namespace_of(code)}{code}", name: message}
        response = _response(status, document | dict(members or {}), request_id)
        if query_error:
            response.headers.append((b"x-amzn-query-error", query_error.encode()))
        return response


def _response(status: int, document: Params | None, request_id: str) -> Response:
    headers = [(b"x-amzn-RequestId", request_id.encode()), (b"smithy-protocol", b"rpc-v2-cbor")]
    if document is None:
        return Response(status, headers)
    return Response(status, [*headers, (b"Content-Type", b"application/cbor")], cbor.dumps(document))
