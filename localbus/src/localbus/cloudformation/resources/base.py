"""What CloudFormation must know of a type of resource, and how it calls the services that make one.

One class a type; the classes are in the modules named after what they make. Nothing here knows stacks.
"""

from __future__ import annotations

import json
import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localbus.cloudformation.template.parameters import as_text
from localbus.errors import AwsError
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Params

Properties = Mapping[str, Any]

_RANDOM = string.ascii_uppercase + string.digits
_RANDOM_LENGTH = 12


class InvalidPropertiesError(Exception):
    """Properties that the type has not, or that it lacks; each entry says where and what."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Made:
    """A resource that is there: its physical id, which is also its `Ref`, and what `Fn::GetAtt` gives."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """Where a resource is made: the services, for whom, the stack, and the resource's name in it.

    `free_name` is told the ARN of a queue that is deleted, so that its name can be used again: AWS's CloudFormation
    takes the minute over a deletion for which SQS keeps the name back.
    """

    services: Mapping[str, Service]
    caller: Caller
    stack_name: str
    stack_id: str
    logical_id: str
    free_name: Callable[[str], None]

    async def call(self, service: str, operation: str, **params: Any) -> Params:
        """An action of a service, by the same door as a request that comes from outside."""
        found = self.services[service]
        given = {name: value for name, value in params.items() if value is not None}
        result = found.call(found.api.operation(operation), given, self.caller)
        return await result if isinstance(result, Awaitable) else result

    def shape(self, service: str, operation: str) -> StructureShape:
        """The input of an action, to which `fit` fits a template's values."""
        shape = self.services[service].api.operation(operation).input
        assert shape is not None  # noqa: S101 (every action that makes something has an input)
        return shape

    def own_tags(self) -> dict[str, str]:
        """The tags that CloudFormation itself gives to what it makes; which types show them differs.

        Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
        """
        known = {"logical-id": self.logical_id, "stack-id": self.stack_id, "stack-name": self.stack_name}
        return {f"aws:cloudformation:{name}": value for name, value in known.items()}

    def new_name(self, most: int, suffix: str = "") -> str:
        """A name as CloudFormation makes one up: of the stack, the resource and chance."""
        end = f"-{''.join(secrets.choice(_RANDOM) for _ in range(_RANDOM_LENGTH))}{suffix}"
        room = most - len(end)
        first = f"{self.stack_name}-{self.logical_id}"
        if len(first) > room:  # both parts stay recognisable
            half = (room - 1) // 2
            first = f"{self.stack_name[:half]}-{self.logical_id[: room - 1 - len(self.stack_name[:half])]}"
        return f"{first}{end}"


class ResourceType(ABC):
    """A type of resource. A change to one of `replacing` makes another resource in its place.

    A property is one value, unless it stands in `documents` (a structure, or its text), in `lists` (of values) or in
    `structures` (a list of them, with the keys that each must have).
    """

    name: ClassVar[str]
    properties: ClassVar[frozenset[str]]
    required: ClassVar[frozenset[str]] = frozenset()
    documents: ClassVar[frozenset[str]] = frozenset()
    lists: ClassVar[frozenset[str]] = frozenset()
    structures: ClassVar[Mapping[str, tuple[str, ...]]] = {"Tags": ("Key", "Value")}
    replacing: ClassVar[frozenset[str]] = frozenset()
    attributes: ClassVar[frozenset[str]] = frozenset()
    name_property: ClassVar[str | None] = None
    takes_tags: ClassVar[bool] = False

    def checked(self, properties: Properties) -> Params:
        """The properties, with all that is one value as text. Raises InvalidPropertiesError."""
        problems = [
            f"#: extraneous key [{name}] is not permitted" for name in properties if name not in self.properties
        ]
        problems += [f"#: required key [{name}] not found" for name in sorted(self.required) if name not in properties]
        problems += [problem for name, value in properties.items() for problem in self._wrong(name, value)]
        if problems:
            raise InvalidPropertiesError(problems)
        return {name: value if name in self.documents else _texts(value) for name, value in properties.items()}

    def _wrong(self, name: str, value: Any) -> Iterator[str]:
        """What is wrong with the kind of a value."""
        where = f"#/{name}"
        if name in self.documents:
            return
        if name in self.structures and isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    missing = [key for key in self.structures[name] if key not in item]
                    yield from (f"{where}/{place}: required key [{key}] not found" for key in missing)
                    wrong = [key for key, one in item.items() if isinstance(one, list | dict)]
                    yield from (f"{where}/{place}/{key}: expected type: String, found: JSONArray" for key in wrong)
                else:
                    yield f"{where}/{place}: expected type: JSONObject, found: {_kind(item)}"
        elif name in self.structures or (name in self.lists and not isinstance(value, list)):
            yield f"{where}: expected type: JSONArray, found: {_kind(value)}"
        elif name in self.lists:
            wrong = [item for item in value if isinstance(item, list | dict)]
            yield from (f"{where}: expected type: String, found: {_kind(item)}" for item in wrong)
        elif isinstance(value, list | dict) and name in self.properties:
            yield f"{where}: expected type: String, found: {_kind(value)}"

    def must_replace(self, old: Properties, new: Properties) -> bool:
        """Whether the change needs another resource in the place of this one."""
        return any(old.get(name) != new.get(name) for name in self.replacing)

    @abstractmethod
    async def create(self, site: Site, properties: Properties) -> Made:
        """Make one. Raises AwsError."""

    @abstractmethod
    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """Change one in its place. Raises AwsError."""

    @abstractmethod
    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """Take one away; one that is gone is fine. Raises AwsError."""


def _texts(value: Any) -> Any:
    """A value, or the values in lists and structures, as text."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    return as_text(value)


def already_exists(type_name: str, identifier: str) -> AwsError:
    """A name that is taken by something that is not this resource."""
    text = f"Resource of type '{type_name}' with identifier '{identifier}' already exists."
    return AwsError("AlreadyExists", text)


def text_of(value: Any) -> str:
    """A property as an attribute of SQS and SNS: a document as JSON, everything else as it reads."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else as_text(value)


def tags_of(properties: Properties) -> list[dict[str, str]]:
    """The tags as most services take them."""
    return [{"Key": as_text(tag["Key"]), "Value": as_text(tag.get("Value"))} for tag in properties.get("Tags", [])]


def fit(shape: Shape, value: Any, where: str = "#") -> Any:
    """A template's value in the types of an action's input: "5" where a number is asked for, and so on.

    Raises InvalidPropertiesError for what the shape does not have.
    """
    if isinstance(shape, StructureShape):
        return _fit_structure(shape, value, where)
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [fit(shape.member, item, f"{where}/{place}") for place, item in enumerate(items)]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            raise InvalidPropertiesError([f"{where}: expected type: JSONObject, found: {_kind(value)}"])
        return {key: fit(shape.value, item, f"{where}/{key}") for key, item in value.items()}
    return _fit_scalar(shape.type_name, value, where)


def _fit_structure(shape: StructureShape, value: Any, where: str) -> Params:
    if not isinstance(value, dict):
        raise InvalidPropertiesError([f"{where}: expected type: JSONObject, found: {_kind(value)}"])
    problems = [f"{where}: extraneous key [{name}] is not permitted" for name in value if name not in shape.members]
    problems += [f"{where}: required key [{name}] not found" for name in shape.required_members if name not in value]
    if problems:
        raise InvalidPropertiesError(problems)
    return {name: fit(shape.members[name], item, f"{where}/{name}") for name, item in value.items()}


def _fit_scalar(type_name: str, value: Any, where: str) -> Any:
    try:
        match type_name:
            case "integer" | "long":
                return int(as_text(value))
            case "float" | "double":
                return float(as_text(value))
            case "boolean":
                return {"true": True, "false": False}[as_text(value).lower()]
    except (ValueError, KeyError) as exc:
        kind = {"integer": "Integer", "long": "Integer", "boolean": "Boolean"}.get(type_name, "Number")
        raise InvalidPropertiesError([f"{where}: expected type: {kind}, found: {_kind(value)}"]) from exc
    return text_of(value)


def _kind(value: Any) -> str:
    return {dict: "JSONObject", list: "JSONArray", bool: "Boolean", int: "Integer"}.get(type(value), "String")
