"""The AWS Query protocol: a web form has the `Action` and the input in flat names, and the answer is XML.

SNS has only this protocol; older SDKs and plain `curl` use it for SQS.
Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from localbus.errors import AwsError, MalformedRequestError, UnknownActionError
from localbus.http.message import Response
from localbus.input_values import NOT_IN_XML, decimal_number, timestamp, whole_number
from localbus.protocol.service import Service
from localbus.protocol.service_model import Operation, Params
from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape

# The current model of SQS lacks the names that lists and maps have in a form; the documentation has them:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html (examples)
FORM_NAMES = {
    "sqs": {
        "AWSAccountIds": "AWSAccountId",
        "Actions": "ActionName",
        "AttributeNames": "AttributeName",
        "Attributes": "Attribute",
        "MessageAttributeNames": "MessageAttributeName",
        "MessageAttributes": "MessageAttribute",
        "MessageSystemAttributeNames": "MessageSystemAttributeName",
        "MessageSystemAttributes": "MessageSystemAttribute",
        "Messages": "Message",
        "QueueUrls": "QueueUrl",
        "TagKeys": "TagKey",
        "Tags": "Tag",
        "queueUrls": "QueueUrl",
        "tags": "Tag",
    }
}
_BY_MEMBER_SHAPE = {"Entries", "Successful", "Failed", "Results"}
_DEEPEST = 12
_MAP_KEYS = {"Tag": ("Key", "Value")}


class QueryProtocol:
    """Reads and writes the requests of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._names = FORM_NAMES.get(service.name, {})
        self._members: dict[str, list[tuple[str, str, Shape]]] = {}

    def read(self, action: str, form: Mapping[str, str]) -> tuple[Operation, Params]:
        """Return the action and its input in Python values of the model's types."""
        operation = self.service.api.operation(action)
        if operation.input is None:
            return operation, {}
        params = self._structure(operation.input, _tree(form))
        if self._names and "Entries" in operation.input.members:
            params.setdefault("Entries", [])  # a form has no other way to send an empty batch
        return operation, params

    def write(self, operation: Operation, result: Params, request_id: str) -> Response:
        """Return the response to a successful request."""
        name = operation.name
        inner = ""
        if operation.output is not None:
            wrapper = operation.result_wrapper or f"{name}Result"
            members = "".join(self._xml_members(operation.output, result))
            inner = f"<{wrapper}>{members}</{wrapper}>" if members else f"<{wrapper}/>"
        return self._document(
            200, f"{name}Response", f"{inner}<ResponseMetadata>{_request_id(request_id)}</ResponseMetadata>", request_id
        )

    def write_error(self, error: Exception, request_id: str) -> Response:
        """Return the response to a failed request."""
        match error:
            case UnknownActionError(action=""):
                return self._document(404, "UnknownOperationException", "", request_id)
            case UnknownActionError():
                message = f"The action {error.action} is not valid for this endpoint."
                return self._error(400, "InvalidAction", message, "Sender", request_id)
            case MalformedRequestError():
                return self._error(400, "MalformedInput", str(error), "Sender", request_id)
            case AwsError():
                spec = self.service.api.error_spec(error.code)
                return self._error(spec.status, spec.query_code, error.query_message, spec.fault, request_id)
            case _:
                message = "Internal error: see the log of localbus."
                return self._error(500, "InternalFailure", message, "Receiver", request_id)

    def _error(self, status: int, code: str, message: str, fault: str, request_id: str) -> Response:
        detail = "<Detail/>" if self.service.name == "sqs" else ""
        error = f"<Type>{fault}</Type><Code>{_text(code)}</Code><Message>{_text(message)}</Message>{detail}"
        return self._document(status, "ErrorResponse", f"<Error>{error}</Error>{_request_id(request_id)}", request_id)

    def _document(self, status: int, name: str, inner: str, request_id: str) -> Response:
        xmlns = self.service.xmlns or self.service.api.metadata.get("xmlNamespace", "")
        text = f'<?xml version="1.0"?><{name} xmlns="{xmlns}">{inner}</{name}>'
        headers = [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", b"text/xml")]
        return Response(status, headers, text.encode("utf-8", "replace"))

    def _name(self, member: str, shape: Shape) -> str:
        """Return the name of a member in a form or in XML."""
        if member in _BY_MEMBER_SHAPE and self._names and isinstance(shape, ListShape):
            return str(shape.member.name)
        name: str = shape.wire_name(self._names.get(member, member))
        return name

    def _members_of(self, shape: StructureShape) -> list[tuple[str, str, Shape]]:
        """Return each member with its name in a form or in XML, and its shape."""
        members = self._members.get(shape.name)
        if members is None:
            found = [(name, self._name(name, member), member) for name, member in shape.members.items()]
            members = self._members[shape.name] = found
        return members

    # From the form to values

    def _structure(self, shape: StructureShape, tree: Any) -> Params:
        if not isinstance(tree, dict):
            raise MalformedRequestError(f"Unexpected text in place of a {shape.name}.")
        values: Params = {}
        for member, name, member_shape in self._members_of(shape):
            branch = tree.get(name)
            if branch is not None:
                values[member] = self._value(member_shape, branch)
        return values

    def _value(self, shape: Shape, tree: Any) -> Any:
        if isinstance(shape, StructureShape):
            return self._structure(shape, tree)
        if isinstance(shape, ListShape):
            flat = shape.traits.get("flattened")
            inner = tree if flat else _branch(tree, shape.member.wire_name("member"))
            return [self._value(shape.member, item) for item in _numbered(inner)]
        if isinstance(shape, MapShape):
            inner = tree if shape.traits.get("flattened") else _branch(tree, "entry")
            return dict(self._pair(shape, item) for item in _numbered(inner))
        if not isinstance(tree, str):
            raise MalformedRequestError(f"Unexpected structure in place of a {shape.type_name}.")
        return _scalar(shape.type_name, tree)

    def _pair(self, shape: MapShape, tree: Any) -> tuple[str, Any]:
        for key, value in (_map_names(shape), ("Name", "Value"), ("Key", "Value"), ("key", "value")):
            if isinstance(tree, dict) and isinstance(tree.get(key), str):
                return tree[key], self._value(shape.value, tree.get(value, ""))
        raise MalformedRequestError("An entry of a map has no name.")

    # From values to XML

    def _xml_members(self, shape: StructureShape, values: Params) -> Iterator[str]:
        for member, name, member_shape in self._members_of(shape):
            value = values.get(member)
            if value is not None:
                yield from self._xml(name, member_shape, value)

    def _xml(self, name: str, shape: Shape, value: Any) -> Iterator[str]:
        if isinstance(shape, StructureShape):
            yield f"<{name}>{''.join(self._xml_members(shape, value))}</{name}>"
        elif isinstance(shape, ListShape):
            flat = shape.traits.get("flattened")
            item_name = name if flat else shape.member.wire_name("member")
            items = "".join(part for item in value for part in self._xml(item_name, shape.member, item))
            yield items if flat else f"<{name}>{items}</{name}>"
        elif isinstance(shape, MapShape):
            flat = shape.traits.get("flattened")
            pairs = (self._xml_pair(name if flat else "entry", shape, key, item) for key, item in value.items())
            yield "".join(pairs) if flat else f"<{name}>{''.join(pairs)}</{name}>"
        else:
            yield f"<{name}>{_text(_plain(value))}</{name}>"

    def _xml_pair(self, entry: str, shape: MapShape, key: str, value: Any) -> str:
        default = ("Name", "Value") if self._names else ("key", "value")
        key_name, value_name = _MAP_KEYS.get(entry, default)
        key_name = shape.key.wire_name(key_name)
        value_name = shape.value.wire_name(value_name)
        inner = "".join(self._xml(value_name, shape.value, value))
        return f"<{entry}><{key_name}>{_text(key)}</{key_name}>{inner}</{entry}>"


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    """Return flat names as a tree: `Tag.1.Key=a` becomes `{"Tag": {"1": {"Key": "a"}}}`."""
    tree: dict[str, Any] = {}
    branches: dict[str, dict[str, Any]] = {}
    for name, value in form.items():
        path, dot, leaf = name.rpartition(".")
        branch = branches.get(path) if dot else tree
        if branch is None:
            branch = branches[path] = _grow(tree, path)
        if isinstance(branch.get(leaf), dict):
            raise MalformedRequestError(f"{name} is both a value and a structure.")
        branch[leaf] = value
    return tree


def _grow(tree: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the branch at that path, added if it is new; one deeper than any input is left out of the tree."""
    steps = path.split(".", _DEEPEST)
    if len(steps) > _DEEPEST:
        return {}
    for step in steps:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise MalformedRequestError(f"{path} is both a value and a structure.")
        tree = below
    return tree


def _branch(tree: Any, name: str) -> Any:
    """Return the branch of that name; an empty list is sent as an empty text."""
    return tree.get(name, {}) if isinstance(tree, dict) else {}


def _numbered(tree: Any) -> list[Any]:
    """Return the branches 1, 2, 3, ... in their order."""
    if not isinstance(tree, dict):
        return []
    places = [key for key in tree if key.isascii() and key.isdigit() and len(key) < 8]
    return [tree[key] for key in sorted(places, key=int)]


def _map_names(shape: MapShape) -> tuple[str, str]:
    return shape.key.wire_name("key"), shape.value.wire_name("value")


def _scalar(type_name: str, text: str) -> Any:
    try:
        match type_name:
            case "integer" | "long":
                return whole_number(text)
            case "float" | "double":
                return decimal_number(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "blob":
                return base64.b64decode(text, validate=True)
            case "timestamp":
                return timestamp(text)
    except (ValueError, KeyError, binascii.Error) as exc:
        raise MalformedRequestError(f"{text[:40]!r} is not a valid {type_name}.") from exc
    return text


def _plain(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(value)


def _text(value: str) -> str:
    if not value.isprintable():
        value = NOT_IN_XML.sub("\ufffd", value)  # an error may quote anything
    return html.escape(value, quote=False).replace('"', "&quot;").replace("\r", "&#xD;")


def _request_id(request_id: str) -> str:
    return f"<RequestId>{request_id}</RequestId>"
