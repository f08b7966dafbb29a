"""REST with JSON: the action is in method and path, the input in path, query string and body.
Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from localbus.errors import AwsError, MalformedRequestError, UnknownActionError
from localbus.http.message import Request, Response
from localbus.input_values import whole_number
from localbus.protocol.aws_json import Reader, reader_of
from localbus.protocol.json_codec import read_request, write_answer
from localbus.protocol.service import Service
from localbus.protocol.service_model import Operation, Params
from localbus.protocol.shapes import ListShape, Shape, StructureShape

_LABEL = re.compile(r"\{(\w+)\+?\}")


class _Route(NamedTuple):
    name: str
    method: str
    path: re.Pattern[str]
    status: int
    read_body: Reader


class RestJsonProtocol:
    """Reads and writes the requests of one service. `paths` matches those that localbus has; others go upstream."""

    def __init__(self, service: Service, paths: re.Pattern[str]) -> None:
        self.service = service
        self._paths = paths
        self._routes: dict[str, _Route] = {}

    def is_for(self, request: Request) -> bool:
        """Return whether a request to this path is for localbus."""
        return self._paths.fullmatch(request.path) is not None

    def action(self, request: Request) -> str | None:
        """Return the action of method and path, if localbus has it."""
        if not self.is_for(request):
            return None
        self._routes = self._routes or {route.name: route for route in _routes(self.service)}
        for route in self._routes.values():
            if route.method == request.method and route.path.fullmatch(request.path):
                return route.name
        return None

    def read(self, action: str, request: Request) -> tuple[Operation, Params]:
        """Return the action and its input in Python values of the model's types."""
        operation = self.service.api.operation(action)
        route = self._routes[action]
        try:
            document = read_request(request.body) if request.body else {}
        except (ValueError, RecursionError) as exc:
            raise MalformedRequestError("Could not parse request body into json.") from exc
        params: Params = route.read_body(document)
        found = route.path.fullmatch(request.path)
        labels = found.groupdict() if found is not None else {}
        return operation, params | dict(_from_head(operation.input, labels, request))

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request; without output its body is empty."""
        status = self._routes[operation.name].status
        return Response(status, _headers(request_id), write_answer(result) if operation.output else b"")

    def write_error(self, error: Exception, request_id: str) -> Response:
        """Return the response to a failed request."""
        match error:
            case AwsError():
                return self._error(
                    self.service.api.error_spec(error.code).status, error.code, error.message, request_id
                )
            case MalformedRequestError():
                return self._error(400, "InvalidRequestContentException", str(error), request_id)
            case UnknownActionError():
                return self._error(404, "UnknownOperationException", error.action, request_id)
            case _:
                return self._error(500, "ServiceException", "Internal error: see the log of localbus.", request_id)

    def _error(self, status: int, code: str, message: str, request_id: str) -> Response:
        kind = {} if code == "ValidationException" else {"Type": "User" if status < 500 else "Service"}
        headers = [*_headers(request_id), (b"x-amzn-ErrorType", code.encode())]
        return Response(status, headers, write_answer({**kind, self._message_member(code): message}))

    def _message_member(self, code: str) -> str:
        """Return `Message` or `message`, as the error's shape has it."""
        shape = self.service.api.error_shape(code)
        return "Message" if shape is not None and "Message" in shape.members else "message"


def _routes(service: Service) -> Iterator[_Route]:
    """Yield the route of each action."""
    for name in service.actions:
        operation = service.api.operation(name)
        parts = _LABEL.split(operation.http["requestUri"].rstrip("/"))
        path = "".join(rf"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        status = int(operation.http.get("responseCode", 200))
        read_body = reader_of(operation.input) if operation.input is not None else lambda _: {}
        yield _Route(name, operation.http["method"], re.compile(rf"{path}/?"), status, read_body)


def _from_head(shape: StructureShape | None, labels: dict[str, str], request: Request) -> Iterator[tuple[str, Any]]:
    """Yield the members in path and query string."""
    query = parse_qs(request.target.partition("?")[2], keep_blank_values=True)
    for name, member in shape.members.items() if shape is not None else ():
        location, key = member.traits.get("location"), member.wire_name(name)
        if location == "uri" and key in labels:
            yield name, labels[key]
        elif location == "querystring" and key in query:
            yield name, _from_text(member, query[key])


def _from_text(shape: Shape, values: list[str]) -> Any:
    if isinstance(shape, ListShape):
        return values
    if shape.type_name in {"integer", "long"}:
        try:
            return whole_number(values[-1])
        except ValueError as exc:
            raise MalformedRequestError(f"{values[-1]!r} is not a number.") from exc
    return values[-1]


def _headers(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", b"application/json")]
