"""The Query protocol with JSON answers, for clients that accept `application/json` (API Gateway, older SDKs).

The documents have the structure of the XML with the model's names; an absent member is null. Maps of SQS are lists of
names and values, as in its XML; those of other services are objects. AWS does not document this. The envelope,
`messages`, lists of attributes, nulls and errors are recorded from AWS; the rest follows them and what clients expect.
"""

from __future__ import annotations

from typing import Any

from localbus.http.message import Response
from localbus.protocol.aws_query import QueryProtocol
from localbus.protocol.json_codec import write_answer
from localbus.protocol.service_model import Operation, Params
from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape

_LOWERED = {"Messages": "messages", "QueueUrls": "queueUrls"}


class QueryJsonProtocol(QueryProtocol):
    """Reads forms and writes JSON. A request without an action still gets XML."""

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request."""
        inner: Params = {"ResponseMetadata": {"RequestId": request_id}}
        if operation.output is not None:
            inner[operation.result_wrapper or f"{operation.name}Result"] = self._json(operation.output, result)
        return _answer(200, {f"{operation.name}Response": inner}, request_id)

    def _error(self, status: int, code: str, message: str, fault: str, request_id: str) -> Response:
        error = {"Code": code, "Message": message, "Type": fault}
        return _answer(status, {"Error": error, "RequestId": request_id}, request_id)

    def _json(self, shape: Shape, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(shape, StructureShape):
            return {
                _LOWERED.get(name, name) if self._names else name: self._json(member, value.get(name))
                for name, member in shape.members.items()
            }
        if isinstance(shape, ListShape):
            return [self._json(shape.member, item) for item in value]
        if isinstance(shape, MapShape):
            return self._json_map(shape, value)
        return value

    def _json_map(self, shape: MapShape, value: Params) -> Any:
        values = {key: self._json(shape.value, item) for key, item in value.items()}
        if not self._names:
            return values
        key_name = "Key" if shape.name == "TagMap" else "Name"
        return [{key_name: key, "Value": item} for key, item in values.items()]


def _answer(status: int, document: Params, request_id: str) -> Response:
    headers = [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", b"application/json")]
    return Response(status, headers, write_answer(document))
