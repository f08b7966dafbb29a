"""Smithy RPC v2 with CBOR: the action is in the path, input and output are CBOR maps.

SDKs may use it for CloudWatch. Source: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from localbus.errors import MalformedRequestError
from localbus.http.message import Request, Response
from localbus.protocol import cbor
from localbus.protocol.aws_json import JsonProtocol
from localbus.protocol.service_model import Operation, Params

_PATH: Final = re.compile(r"/service/([A-Za-z0-9_]+)/operation/([A-Za-z0-9_]+)")


def target_of(request: Request) -> tuple[str, str] | None:
    """Return the service's name in the model and the action, if the request is of this protocol."""
    if request.headers.get(b"smithy-protocol") != b"rpc-v2-cbor":
        return None
    found = _PATH.fullmatch(request.path)
    return (found[1], found[2]) if found is not None else None


class RpcCborProtocol(JsonProtocol):
    """Reads and writes the requests of one service: the same documents and errors as AWS JSON, in another form."""

    @staticmethod
    def _document(body: bytes) -> Any:
        try:
            return cbor.loads(body)
        except ValueError as exc:
            raise MalformedRequestError(f"The request body is not CBOR: {exc}.") from exc

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request; without output its body is empty."""
        return _response(200, result if operation.output is not None else None, request_id)

    def _error(
        self,
        status: int,
        code: str,
        message: str | None,
        request_id: str,
        query_error: str | None = None,
        *,
        members: Mapping[str, object] = MappingProxyType({}),
    ) -> Response:
        shape = self.service.api.error_shape(code)
        name = "Message" if shape is not None and "Message" in shape.members else "message"
        document: dict[str, Any] = {"__type": f"{self.service.namespace_of(code)}{code}", name: message or ""}
        response = _response(status, document | dict(members), request_id)
        if query_error:
            response.headers.append((b"x-amzn-query-error", query_error.encode()))
        return response


def _response(status: int, document: Params | None, request_id: str) -> Response:
    headers = [(b"x-amzn-RequestId", request_id.encode()), (b"smithy-protocol", b"rpc-v2-cbor")]
    if document is None:
        return Response(status, headers)
    return Response(status, [*headers, (b"Content-Type", b"application/cbor")], cbor.dumps(document))
