"""The OpenAPI document as a judge: whether a body is valid, and whether a response is one that it describes."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import unquote

from fuzz.order_api.connection import Request, Response
from jsonschema import Draft202012Validator

MAX_BODY_BYTES: Final = 64 * 1024
_PROBLEM: Final = "application/problem+json"
_OUTSIDE: Final = {400, 404, 405, 413}  # other paths and methods than those of the document
_ODDLY_FRAMED: Final = {*_OUTSIDE, 415, 422}
_INSIDE: Final = re.compile(r"Traceback|site-packages|\.py\b|object at 0x|pydantic|botocore|<class |NoneType")
_KEY: Final = re.compile(rb"[\x21-\x7e]{1,255}")
_CANCELLATION: Final = re.compile(rb"/orders/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/cancellation")


class InvalidBodyError(ValueError):
    """The body is not a strict JSON document that fits the schema."""


class Description:
    """The OpenAPI document of a running order-api."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = json.loads(json.dumps(document).replace('$"', '\\\\Z"'))  # Python's $ matches before a newline
        self._validators: dict[str, Draft202012Validator] = {}
        self._templates = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]
        ]

    def parsed(self, body: bytes, schema: str) -> dict[str, Any]:
        """Return the object in a body; raise InvalidBodyError."""
        try:
            value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse)
            json.dumps(value, ensure_ascii=False).encode()  # no lone surrogate
        except (ValueError, RecursionError) as exc:
            raise InvalidBodyError(str(exc)) from exc
        for error in self._validator(f"#/components/schemas/{schema}").iter_errors(value):
            raise InvalidBodyError(error.message)
        assert isinstance(value, dict)
        return value

    def parsed_command(self, body: bytes, *, cancels: bool) -> dict[str, Any]:
        """Return the object in the body of an order or a cancellation, whose body is optional."""
        if not cancels:
            return self.parsed(body, "OrderRequest")
        return {} if not body or body.strip(b" \t\r\n") == b"null" else self.parsed(body, "CancellationRequest")

    def accepts(self, request: Request) -> bool:
        """Return whether a POST of a command is to be accepted."""
        cancellation = _CANCELLATION.fullmatch(request.target)
        if request.target != b"/orders" and cancellation is None:
            return False
        types, keys = request.values(b"content-type"), request.values(b"idempotency-key")
        if len(types) > 1 or (request.body and not (types and _is_json(types[0]))):
            return False
        codings = request.values(b"content-encoding") if request.body else []
        if any(coding.lower() != b"identity" for coding in codings):
            return False
        if cancellation is None and (len(keys) > 1 or not all(map(_KEY.fullmatch, keys))):
            return False
        try:
            self.parsed_command(request.body, cancels=cancellation is not None)
        except InvalidBodyError:
            return False
        return len(request.body) <= MAX_BODY_BYTES

    def fault(self, request: Request, response: Response) -> str | None:
        """Return what is wrong with a response, whatever the request was; None if nothing is."""
        status, headers = response.status, response.headers
        text = response.body.decode("utf-8", "replace")
        if status >= 500 and not (status == 503 and "retry-after" in headers):
            return f"status {status}"
        if request.framing is not None and status == 400 and headers["content-type"].startswith("text/plain"):
            return None  # the HTTP server's own, to what is not HTTP
        if headers.get("x-content-type-options") != "nosniff" or not headers.get("x-correlation-id"):
            return "a header that every response has is missing"
        if status >= 400 and (found := _INSIDE.search(text)):
            return f"{found[0]!r} in the response"
        described = None if request.framing is not None else self._operation(request)
        if described is None:
            known = _OUTSIDE if request.framing is None else _ODDLY_FRAMED
            return self._problem_fault(response, known) if status >= 400 else None
        return self._described_fault(described["responses"], response, head=request.method == "HEAD")

    def _operation(self, request: Request) -> dict[str, Any] | None:
        path = unquote(re.split(b"[?#]", request.target)[0].decode("latin-1"))
        for pattern, template in self._templates:
            if pattern.fullmatch(path):
                operation: dict[str, Any] | None = self._document["paths"][template].get(request.method.lower())
                return operation
        return None

    def _described_fault(self, responses: dict[str, Any], response: Response, *, head: bool) -> str | None:
        described = responses.get(str(response.status))
        if described is None:
            return f"status {response.status} is not described"
        missing = [name for name, each in described.get("headers", {}).items() if each.get("required")]
        if missing := [name for name in missing if name.lower() not in response.headers]:
            return f"header {missing[0]} is missing"
        content = described.get("content", {})
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if media_type not in content:
            return f"content type {media_type!r} is not described"
        return None if head else self._schema_fault(content[media_type].get("schema", {}), response)

    def _problem_fault(self, response: Response, known: set[int]) -> str | None:
        if response.status not in known:
            return f"status {response.status} for what the document does not describe"
        if response.headers.get("content-type") != _PROBLEM:
            return f"content type {response.headers.get('content-type')!r} of a problem"
        return self._schema_fault({"$ref": "#/components/schemas/Problem"}, response) if response.body else None

    def _schema_fault(self, schema: dict[str, Any], response: Response) -> str | None:
        try:
            value = json.loads(response.body)
        except ValueError as exc:
            return f"the body is not JSON: {exc}"
        if response.status >= 400 and value.get("status") != response.status:
            return "the problem has another status"
        errors = self._validator(schema["$ref"]).iter_errors(value) if "$ref" in schema else ()
        return next((f"the body does not fit its schema: {error.message}" for error in errors), None)

    def _validator(self, reference: str) -> Draft202012Validator:
        if reference not in self._validators:
            schema = {"$ref": reference, "components": self._document["components"]}
            self._validators[reference] = Draft202012Validator(schema)
        return self._validators[reference]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _is_json(content_type: bytes) -> bool:
    media_type, _, parameters = content_type.decode("latin-1").lower().replace('"', "").partition(";")
    return media_type.strip() == "application/json" and parameters.strip() in {"", "charset=utf-8"}
