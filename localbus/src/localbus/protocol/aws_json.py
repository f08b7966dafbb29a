"""AWS JSON 1.0 and 1.1: the action is in X-Amz-Target, input and output are JSON objects.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from localbus.errors import AwsError, MalformedRequestError, UnknownActionError
from localbus.http.message import Response
from localbus.input_values import timestamp
from localbus.protocol.constraints import is_recursive
from localbus.protocol.json_codec import read_request, write_answer
from localbus.protocol.service import Service
from localbus.protocol.service_model import Operation, Params
from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape

Reader = Callable[[Any], Any]

_LARGEST = sys.float_info.max

_CORAL = "com.amazon.coral.service#"
# Errors of the framework in front of every AWS service, in its own namespace.
_CORAL_CODES = {
    "InvalidParameterValueException",
    "MissingRequiredParameterException",
    "AccessDeniedException",
    "SerializationException",
    "UnknownOperationException",
}


class JsonProtocol:
    """Reads and writes the requests of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._content_type = f"application/x-amz-json-{service.json_version}"
        self._readers: dict[str, Reader] = {}

    def read(self, action: str, body: bytes) -> tuple[Operation, Params]:
        """Return the action and its input in Python values of the model's types."""
        operation = self.service.api.operation(action)
        document = self._document(body) if body else {}
        reader = self._readers.get(action)
        if reader is None:
            shape = operation.input
            reader = self._readers[action] = reader_of(shape) if shape is not None else lambda _: {}
        params: Params = reader(document)
        return operation, params

    @staticmethod
    def _document(body: bytes) -> Any:
        try:
            return read_request(body)
        except (ValueError, RecursionError) as exc:
            raise MalformedRequestError("The request body is not JSON.") from exc

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request; without output its body is empty."""
        body = write_answer(result) if operation.output else b""
        return Response(200, self._headers(request_id), body)

    def write_error(self, error: Exception, request_id: str) -> Response:
        """Return the response to a failed request."""
        match error:
            case UnknownActionError():
                return self._error(404, "UnknownOperationException", None, request_id)
            case MalformedRequestError():
                return self._error(400, "SerializationException", str(error), request_id)
            case AwsError():
                spec = self.service.api.error_spec(error.code)
                fault = f"{spec.query_code};{spec.fault}" if self.service.api.query_compatible else None
                return self._error(spec.status, error.code, error.message, request_id, fault, members=error.members)
            case _:
                return self._error(500, "InternalFailure", "Internal error: see the log of localbus.", request_id)

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
        namespace = _CORAL if code in _CORAL_CODES else self.service.namespace_of(code)
        document = {"__type": f"{namespace}{code}"} | ({"message": message} if message else {}) | dict(members)
        headers = self._headers(request_id)
        if query_error:
            headers.append((b"x-amzn-query-error", query_error.encode()))
        return Response(status, headers, write_answer(document))

    def _headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", self._content_type.encode())]


def reader_of(shape: Shape) -> Reader:
    """Return a function that converts a JSON value to the shape's type, or raises MalformedRequestError.

    A value that may contain others of its type is returned as it is: its service reads it.
    """
    if is_recursive(shape):
        return _as_it_is
    if isinstance(shape, StructureShape):
        return _compile_structure(shape)
    if isinstance(shape, ListShape):
        return _compile_list(shape)
    if isinstance(shape, MapShape):
        return _compile_map(shape)
    return _SCALARS[shape.type_name]


def _as_it_is(value: Any) -> Any:
    return value


def _compile_structure(shape: StructureShape) -> Reader:
    readers = {name: reader_of(member) for name, member in shape.members.items()}

    def structure(value: Any) -> Params:
        if not isinstance(value, dict):
            raise not_a("Structure", value)
        return {k: readers[k](item) for k, item in value.items() if item is not None and k in readers}

    return structure


def _compile_list(shape: ListShape) -> Reader:
    read = reader_of(shape.member)

    def items(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise not_a("List", value)
        return [read(item) for item in value if item is not None]

    return items


def _compile_map(shape: MapShape) -> Reader:
    read = reader_of(shape.value)

    def mapping(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise not_a("Map", value)
        return {key: read(item) for key, item in value.items() if item is not None}

    return mapping


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise not_a("String", value)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise not_a("Integer", value)


def _number(value: Any) -> float:
    if type(value) in {int, float} and abs(value) <= _LARGEST:
        return float(value)
    raise not_a("Double", value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise not_a("Boolean", value)


def blob(value: Any) -> bytes:
    """Return the bytes of a base64 text. Raises MalformedRequestError."""
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MalformedRequestError("A blob is not base64.") from exc


def _timestamp(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            return timestamp(value)
        return datetime.fromtimestamp(_number(value), UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise not_a("Timestamp", value) from exc


_SCALARS: dict[str, Reader] = {
    "string": _text,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "blob": blob,
    "timestamp": _timestamp,
}


def not_a(expected: str, value: object) -> MalformedRequestError:
    """Build the error for a JSON value of another type."""
    kinds: dict[type, str] = {str: "STRING_VALUE", bool: "TRUE_VALUE" if value else "FALSE_VALUE", dict: "START_OBJECT"}
    kinds |= {list: "START_ARRAY", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", type(None): "NULL_VALUE"}
    return MalformedRequestError(f"{kinds[type(value)]} cannot be converted to {expected}")
