"""Requests in the protocols of AWS's SDKs, also of values that no SDK would send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from fuzz.examples import ACCOUNT, REGION, Embedded
from localbus.http.message import Request
from localbus.protocol.aws_query import FORM_NAMES

SQS_BY_QUERY = "sqs by Query"


@cache
def model(service: str) -> ServiceModel:
    """Load the model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def plain(value: Any) -> Any:
    """Return a value with each embedded document as text."""
    match value:
        case Embedded():
            return json.dumps(plain(value.value))
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def request_of(service: str, action: str, params: Any, account: str = ACCOUNT) -> Request:
    """Return the request. `service` may be SQS_BY_QUERY."""
    name = "sqs" if service == SQS_BY_QUERY else service
    operation = model(name).operation_model(action)
    scope = f"AWS4-HMAC-SHA256 Credential={account}/20260101/{REGION}/{name}/aws4_request"
    headers = {b"authorization": scope.encode(), b"host": b"localhost"}
    protocol = "query" if service == SQS_BY_QUERY else model(name).metadata["protocol"]
    document = plain(params)
    if protocol == "json":
        headers[b"x-amz-target"] = f"{model(name).metadata['targetPrefix']}.{action}".encode()
        return Request("POST", "/", headers, [], json.dumps(document).encode())
    if protocol == "query":
        pairs = _flat(operation.input_shape, document, "", FORM_NAMES.get(name, {}))
        headers[b"content-type"] = b"application/x-www-form-urlencoded"
        form = [("Action", action), ("Version", _version(name)), *pairs]
        return Request("POST", "/", headers, [], urlencode(form, errors="replace").encode())
    return _rest(operation, document, headers)


def _version(service: str) -> str:
    version: str = model(service).metadata["apiVersion"]
    return version


def _flat(shape: Shape | None, value: Any, name: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a form; the type of the value counts, not the shape's."""
    if isinstance(value, dict):
        members = shape.members if isinstance(shape, StructureShape) else {}
        if isinstance(shape, MapShape):
            flat = shape.serialization.get("flattened") or names
            entry = name if flat else f"{name}.entry"
            key_name, value_name = ("Name", "Value") if names else ("key", "value")
            for number, (key, item) in enumerate(value.items(), 1):
                key_place, value_place = ("Key", "Value") if name == "Tag" else (key_name, value_name)
                yield f"{entry}.{number}.{key_place}", key
                yield from _flat(shape.value, item, f"{entry}.{number}.{value_place}", names)
            return
        for key, item in value.items():
            inner = members.get(key)
            yield from _flat(inner, item, f"{name}.{_name(key, inner, names)}".lstrip("."), names)
    elif isinstance(value, list):
        inner = shape.member if isinstance(shape, ListShape) else None
        flat = names or (isinstance(shape, ListShape) and shape.serialization.get("flattened"))
        item_name = inner.serialization.get("name", "member") if inner is not None else "member"
        for number, item in enumerate(value, 1):
            yield from _flat(inner, item, f"{name}.{number}" if flat else f"{name}.{item_name}.{number}", names)
        if not value:
            yield name, ""
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _name(member: str, shape: Shape | None, names: dict[str, str]) -> str:
    if member == "Entries" and isinstance(shape, ListShape):
        return str(shape.member.name)
    named: str = shape.serialization.get("name", member) if shape is not None else member
    return names.get(member, named)


def _rest(operation: OperationModel, document: Any, headers: dict[bytes, bytes]) -> Request:
    given = dict(document) if isinstance(document, dict) else {}
    path, query = operation.http["requestUri"], []
    for name, member in operation.input_shape.members.items() if operation.input_shape is not None else ():
        location, key = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            text = given.pop(name, "")
            path = path.replace(f"{{{key}}}", quote(_text(text), safe="", errors="replace"))
        elif location == "querystring" and name in given:
            value = given.pop(name)
            query += [
                (key, _text(item)) for item in (value if isinstance(value, list) else [value]) if item is not None
            ]
    target = path + (f"?{urlencode(query, errors='replace')}" if query else "")
    body = json.dumps(given if isinstance(document, dict) else document).encode()
    return Request(operation.http["method"], target, headers, [], body if operation.http["method"] != "GET" else b"")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def shown(request: Request) -> str:
    """Return a request as a curl command that repeats it."""
    target = request.header(b"x-amz-target")
    headers = [f"-H 'X-Amz-Target: {target}'"] if target else []
    headers += [
        f"-H {name.decode()}:{value.decode('latin-1')!r}"
        for name, value in request.headers.items()
        if name not in {b"host", b"x-amz-target"}
    ]
    body = request.body.decode("utf-8", "backslashreplace").replace("'", "'\\''")
    return f"curl -X {request.method} \"$ENDPOINT{request.target}\" {' '.join(headers)} --data-binary '{body}'"
