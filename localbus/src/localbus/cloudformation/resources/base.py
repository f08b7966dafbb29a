"""CloudFormation resource types, and the calls by which they create, update and delete resources.

One class a type, in the module of its service. Nothing here depends on stacks.
"""

from __future__ import annotations

import json
import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from localbus.cloudformation.template.parser import as_text
from localbus.errors import AwsError
from localbus.input_values import decimal_number, whole_number
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Params
from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape

Properties = Mapping[str, Any]

_NOT_FOUND = {
    "DashboardNotFoundError",
    "InvalidAddress",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
_RANDOM = string.ascii_uppercase + string.digits
_RANDOM_LENGTH = 12


class InvalidPropertiesError(Exception):
    """Properties that do not fit the type. Each problem starts with a JSON pointer."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PhysicalResource:
    """An existing resource: its physical id, which is also its `Ref`, and its `Fn::GetAtt` attributes."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class NestedStacks(Protocol):
    """The nested stacks, which know stacks, as resource types do not. All but `create` return the outputs."""

    async def create(self, context: ResourceContext, properties: Properties) -> str:
        """Start to create a stack. Returns its id."""

    async def created(self, stack_id: str) -> dict[str, str]:
        """Wait until it is created."""

    async def update(self, stack_id: str, properties: Properties) -> dict[str, str]:
        """Update it, except for the cleanup."""

    async def roll_back(self, stack_id: str) -> dict[str, str]:
        """Roll its update back."""

    async def delete(self, stack_id: str) -> None:
        """Delete it."""


@dataclass(frozen=True)
class ResourceContext:
    """The services, the caller and the stack of one resource, and the resource itself if it exists.

    `free_name` gets the ARN of a deleted queue and makes its name available at once: CloudFormation on AWS waits out
    the 60 seconds for which SQS reserves the name. `expect` gets the physical id of a resource before an action that
    makes it and waits before it answers: if the engine ends meanwhile, the resource is deleted after its restart.
    """

    services: Mapping[str, Service]
    caller: Caller
    stack_name: str
    stack_id: str
    free_name: Callable[[str], None]
    logical_id: str = ""
    resource: PhysicalResource = field(default=PhysicalResource(""))
    nested: NestedStacks | None = None
    expect: Callable[[str], None] = lambda _physical_id: None

    @property
    def physical_id(self) -> str:
        """The physical id of the existing resource."""
        return self.resource.physical_id

    async def call(self, service: str, operation: str, **params: Any) -> Params:
        """Call an action of a service as a client would. Raises AwsError."""
        found = self.services[service]
        given = {name: value for name, value in params.items() if value is not None}
        result = found.call(found.api.operation(operation), given, self.caller)
        return await result if isinstance(result, Awaitable) else result

    async def call_coerced(self, service: str, operation: str, properties: Properties, **params: Any) -> Params:
        """Call an action with properties coerced to its input's types. Raises InvalidPropertiesError and AwsError."""
        given: Params = coerce(self.shape(service, operation), properties)
        return await self.call(service, operation, **given, **params)

    async def call_if_exists(self, service: str, operation: str, **params: Any) -> Params | None:
        """Call an action; None if the resource does not exist. Raises AwsError for anything else."""
        try:
            return await self.call(service, operation, **params)
        except AwsError as exc:
            if exc.code not in _NOT_FOUND:
                raise
        return None

    async def retag(
        self,
        service: str,
        target: Params,
        old: Properties,
        new: Properties,
        operations: tuple[str, str] = ("TagResource", "UntagResource"),
    ) -> None:
        """Change the tags of `target` (the parameter that names it) from the old properties' to the new ones'."""
        tag, untag = operations
        before, after = tag_map(old), tag_map(new)
        removed = [key for key in before if key not in after]
        if removed:
            await self.call(service, untag, **target, TagKeys=removed)
        if after and after != before:
            is_list = isinstance(self.shape(service, tag).members["Tags"], ListShape)
            await self.call(service, tag, **target, Tags=tags_of(new) if is_list else after)

    def shape(self, service: str, operation: str) -> StructureShape:
        """The input shape of an action."""
        shape = self.services[service].api.operation(operation).input
        assert shape is not None  # noqa: S101 (every action that creates something has an input)
        return shape

    def system_tags(self) -> dict[str, str]:
        """The tags that CloudFormation itself adds. Resource types differ in whether they show them.

        Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
        """
        known = {"logical-id": self.logical_id, "stack-id": self.stack_id, "stack-name": self.stack_name}
        return {f"aws:cloudformation:{name}": value for name, value in known.items()}

    def new_name(self, max_length: int, suffix: str = "") -> str:
        """A generated name: the stack, the logical id and 12 random characters."""
        end = f"-{''.join(secrets.choice(_RANDOM) for _ in range(_RANDOM_LENGTH))}{suffix}"
        room = max_length - len(end)
        start = f"{self.stack_name}-{self.logical_id}"
        if len(start) > room:  # shorten both parts, so that both stay recognisable
            half = (room - 1) // 2
            start = f"{self.stack_name[:half]}-{self.logical_id[: room - 1 - len(self.stack_name[:half])]}"
        return f"{start}{end}"


class ResourceType(ABC):
    """A resource type. A change to a property in `create_only` replaces the resource.

    A property is a scalar unless it is in `documents` (a structure, or its JSON text), in `lists` (of scalars) or in
    `structures` (a list of structures, with their required keys).
    """

    name: str
    properties: frozenset[str]
    required: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    structures: ClassVar[Mapping[str, tuple[str, ...]]] = {"Tags": ("Key", "Value")}
    create_only: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    name_property: str | None = None
    takes_tags: bool = False
    always_updates: bool = False  # even if its properties are the same

    def has_attribute(self, name: str) -> bool:
        """True if `Fn::GetAtt` may name this attribute: a documented return value, or a property."""
        return name in self.attributes or name in self.properties

    def validated(self, properties: Properties) -> Params:
        """The properties, scalars as text. Raises InvalidPropertiesError."""
        problems = [
            f"#: extraneous key [{name}] is not permitted" for name in properties if name not in self.properties
        ]
        problems += [f"#: required key [{name}] not found" for name in sorted(self.required) if name not in properties]
        problems += [problem for name, value in properties.items() for problem in self._problems(name, value)]
        if problems:
            raise InvalidPropertiesError(problems)
        return {name: value if name in self.documents else _texts(value) for name, value in properties.items()}

    def _problems(self, name: str, value: Any) -> Iterator[str]:
        where = f"#/{name}"
        if name in self.documents:
            return
        if name in self.structures:
            yield from structures_problems(where, value, self.structures[name], flat=True)
        elif name in self.lists and not isinstance(value, list):
            yield expected(where, "JSONArray", value)
        elif name in self.lists:
            yield from (expected(where, "String", item) for item in value if isinstance(item, list | dict))
        elif isinstance(value, list | dict) and name in self.properties:
            yield expected(where, "String", value)

    def must_replace(self, old: Properties, new: Properties) -> bool:
        """True if the change needs a new physical resource."""
        return any(old.get(name) != new.get(name) for name in self.create_only)

    @abstractmethod
    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Create a resource. Raises AwsError."""

    async def stabilize(self, context: ResourceContext) -> PhysicalResource:
        """Wait until a created resource is stable. Raises AwsError."""
        return context.resource

    async def restore(self, context: ResourceContext, failed: Properties, before: Properties) -> PhysicalResource:
        """Undo an update. Raises AwsError."""
        return await self.update(context, failed, before)

    @abstractmethod
    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """Update a resource in place. Raises AwsError."""

    @abstractmethod
    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Delete a resource, unless it is gone already. Raises AwsError."""


def structures_problems(where: str, value: Any, required: Iterable[str], *, flat: bool) -> Iterator[str]:
    """The problems of a list of structures; the members of `flat` ones are scalars."""
    if not isinstance(value, list):
        yield expected(where, "JSONArray", value)
        return
    for place, item in enumerate(value):
        if isinstance(item, dict):
            yield from (f"{where}/{place}: required key [{key}] not found" for key in required if key not in item)
            wrong = [(key, one) for key, one in item.items() if flat and isinstance(one, list | dict)]
            yield from (expected(f"{where}/{place}/{key}", "String", one) for key, one in wrong)
        else:
            yield expected(f"{where}/{place}", "JSONObject", item)


def _texts(value: Any) -> Any:
    """A value, or the values in lists and structures, as text."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    return as_text(value)


def already_exists(type_name: str, identifier: str) -> AwsError:
    """The error for a name that another resource has."""
    text = f"Resource of type '{type_name}' with identifier '{identifier}' already exists."
    return AwsError("AlreadyExists", text)


def text_of(value: Any) -> str:
    """A property as an SQS or SNS attribute: structures as JSON, scalars as text."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else as_text(value)


def tags_of(properties: Properties) -> list[dict[str, str]]:
    """The tags as a list of Key and Value, as most services take them."""
    return [{"Key": as_text(tag["Key"]), "Value": as_text(tag.get("Value"))} for tag in properties.get("Tags", [])]


def tag_map(properties: Properties) -> dict[str, str]:
    """The tags by key, as SQS and Lambda take them."""
    return {tag["Key"]: tag["Value"] for tag in tags_of(properties)}


def coerce(shape: Shape, value: Any, where: str = "#") -> Any:
    """A template's value in the types of an action's input: "5" becomes a number where the shape has one, and so on.

    Raises InvalidPropertiesError for a value that does not fit the shape.
    """
    if isinstance(shape, StructureShape):
        return _coerce_structure(shape, value, where)
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [coerce(shape.member, item, f"{where}/{place}") for place, item in enumerate(items)]
    if isinstance(shape, MapShape):
        _check_object(value, where)
        return {key: coerce(shape.value, item, f"{where}/{key}") for key, item in value.items()}
    return _coerce_scalar(shape.type_name, value, where)


def _coerce_structure(shape: StructureShape, value: Any, where: str) -> Params:
    _check_object(value, where)
    problems = [f"{where}: extraneous key [{name}] is not permitted" for name in value if name not in shape.members]
    problems += [f"{where}: required key [{name}] not found" for name in shape.required_members if name not in value]
    if problems:
        raise InvalidPropertiesError(problems)
    return {name: coerce(shape.members[name], item, f"{where}/{name}") for name, item in value.items()}


def _check_object(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise InvalidPropertiesError([expected(where, "JSONObject", value)])


def _coerce_scalar(type_name: str, value: Any, where: str) -> Any:
    try:
        match type_name:
            case "integer" | "long":
                return whole_number(as_text(value))
            case "float" | "double":
                return decimal_number(as_text(value))
            case "boolean":
                return {"true": True, "false": False}[as_text(value).lower()]
    except (ValueError, KeyError) as exc:
        kind = {"integer": "Integer", "long": "Integer", "boolean": "Boolean"}.get(type_name, "Number")
        raise InvalidPropertiesError([expected(where, kind, value)]) from exc
    return text_of(value)


def expected(where: str, kind: str, value: Any) -> str:
    """The problem of a value of another type."""
    found = {dict: "JSONObject", list: "JSONArray", bool: "Boolean", int: "Integer"}.get(type(value), "String")
    return f"{where}: expected type: {kind}, found: {found}"
