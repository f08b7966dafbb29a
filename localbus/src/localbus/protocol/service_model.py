"""A service's API as botocore's model describes it: its actions, their inputs, and what is wrong with a given input.

Nothing here knows a protocol: `json_protocol` and `query_protocol` read a request into Python values of the model's
types, and `violations` then says which of the model's constraints these values break.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from localbus.errors import UnknownActionError
from localbus.protocol.model_text import shown

Params = dict[str, Any]
Path = tuple[str | int, ...]


class Violation(NamedTuple):
    """One broken constraint. `path` leads to the value from the top: member names, and positions counted from 1."""

    path: Path
    constraint: str
    value: object
    missing: bool = False

    @property
    def member(self) -> str:
        """The path in the form of AWS's validation errors, such as `entries.1.member.source`."""
        parts = (f"{part}.member" if isinstance(part, int) else part[:1].lower() + part[1:] for part in self.path)
        return ".".join(parts)

    def __str__(self) -> str:
        value = "null" if self.missing else f"'{self.value}'"
        return f"Value {value} at '{self.member}' failed to satisfy constraint: {self.constraint}"


def describe(violations: list[Violation]) -> str:
    """The message of AWS's ValidationException for these violations."""
    plural = "" if len(violations) == 1 else "s"
    return f"{len(violations)} validation error{plural} detected: {'; '.join(map(str, violations))}"


Check = Callable[[Any, Path], Iterator[Violation]]


@dataclass(frozen=True)
class ErrorSpec:
    """How an error is sent: its HTTP status, the Query protocol's code for it, and whose fault it is."""

    status: int = 400
    query_code: str = ""
    fault: str = "Sender"


class Operation:
    """One action of a service with the check of its input, compiled once."""

    def __init__(self, model: OperationModel, *, with_enums: bool) -> None:
        self.name: str = model.name
        self.input: StructureShape | None = model.input_shape
        self.output: StructureShape | None = model.output_shape
        self.result_wrapper: str | None = self.output.serialization.get("resultWrapper") if self.output else None
        self._check = _Compiler(with_enums=with_enums).check(self.input, ()) if self.input is not None else None

    def violations(self, params: Params) -> list[Violation]:
        """Every constraint of the model that the input breaks."""
        return list(self._check(params, ())) if self._check else []


@cache
def _load(name: str) -> ServiceModel:
    """A service's model, read once a process: nobody changes it, and tests make many engines."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@dataclass
class Api:
    """A service's model: operations by name, error forms, and the names by which requests find it."""

    name: str
    error_specs: Mapping[str, ErrorSpec] = field(default_factory=dict)
    with_enums: bool = True  # False where the service takes values that its own model does not list

    def __post_init__(self) -> None:
        self.model = _load(self.name)
        self._operations: dict[str, Operation] = {}

    @cached_property
    def target_prefix(self) -> str | None:
        """What stands before the action in X-Amz-Target."""
        prefix: str | None = self.model.metadata.get("targetPrefix")
        return prefix

    @cached_property
    def version(self) -> str:
        """The API version, which a Query request names."""
        version: str = self.model.metadata["apiVersion"]
        return version

    @cached_property
    def query_compatible(self) -> bool:
        """Whether JSON answers also carry the Query protocol's error code."""
        return "awsQueryCompatible" in self.model.metadata

    def operation(self, name: str) -> Operation:
        """The action of that name; raises UnknownActionError when AWS has none."""
        found = self._operations.get(name)
        if found is None:
            if name not in self.model.operation_names:
                raise UnknownActionError(name)
            found = self._operations[name] = Operation(self.model.operation_model(name), with_enums=self.with_enums)
        return found

    def error_spec(self, code: str) -> ErrorSpec:
        """How this error is sent: from the service's own table, else from the model, else a plain 400."""
        spec = self.error_specs.get(code)
        if spec is not None:
            return spec if spec.query_code else ErrorSpec(spec.status, code, spec.fault)
        for shape in self.model.error_shapes:
            if shape.name == code:
                trait = shape.metadata.get("error", {})
                fault = "Sender" if trait.get("senderFault", True) else "Receiver"
                return ErrorSpec(trait.get("httpStatusCode", 400), trait.get("code", code), fault)
        if code == "NotImplemented":
            return ErrorSpec(501, code, "Receiver")
        return ErrorSpec(400, code)


class _Compiler:
    """Turns shapes into checks; None where the model asks for nothing."""

    def __init__(self, *, with_enums: bool) -> None:
        self._with_enums = with_enums

    def check(self, shape: Shape, within: tuple[str, ...]) -> Check | None:
        """A check for values of this shape, which lies within these others."""
        if shape.name in within:  # a recursive shape, of which these services have none in their inputs
            return None
        within = (*within, shape.name)
        if isinstance(shape, StructureShape):
            return self._structure(shape, within)
        if isinstance(shape, ListShape):
            return self._list(shape, within)
        if isinstance(shape, MapShape):
            return self._map(shape, within)
        if shape.type_name in {"integer", "long", "float", "double"}:
            return _compile_range(shape)
        return self._text(shape) if shape.type_name in {"string", "blob"} else None

    def _structure(self, shape: StructureShape, within: tuple[str, ...]) -> Check | None:
        required = tuple(shape.required_members)
        checks = {name: check for name, member in shape.members.items() if (check := self.check(member, within))}
        if not required and not checks:
            return None

        def check_structure(value: Params, path: Path) -> Iterator[Violation]:
            for name in required:
                if name not in value:
                    yield Violation((*path, name), "Member must not be null", None, missing=True)
            for name, check in checks.items():
                if name in value:
                    yield from check(value[name], (*path, name))

        return check_structure

    def _list(self, shape: ListShape, within: tuple[str, ...]) -> Check | None:
        own = _compile_length(shape)
        check = self.check(shape.member, within)
        if own is None and check is None:
            return None

        def check_list(value: list[Any], path: Path) -> Iterator[Violation]:
            if own:
                yield from (broken._replace(value=shown(value, shape)) for broken in own(value, path))
            if check:
                for position, item in enumerate(value, 1):
                    yield from check(item, (*path, position))

        return check_list

    def _map(self, shape: MapShape, within: tuple[str, ...]) -> Check | None:
        own, key_check, value_check = (
            _compile_length(shape),
            self.check(shape.key, within),
            self.check(shape.value, within),
        )
        if own is None and key_check is None and value_check is None:
            return None

        def check_map(value: dict[str, Any], path: Path) -> Iterator[Violation]:
            if own:
                yield from (broken._replace(value=shown(value, shape)) for broken in own(value, path))
            for key, item in value.items():
                if key_check:
                    yield from key_check(key, path)
                if value_check:
                    yield from value_check(item, (*path, key))

        return check_map

    def _text(self, shape: Shape) -> Check | None:
        enum = (shape.metadata.get("enum") or []) if self._with_enums else []
        length, pattern = _compile_length(shape), _pattern(shape)
        if length is None and not enum and pattern is None:
            return None
        allowed = frozenset(enum)

        def check_text(value: Any, path: Path) -> Iterator[Violation]:
            if length:
                yield from length(value, path)
            if allowed and value not in allowed:
                yield Violation(path, f"Member must satisfy enum value set: [{', '.join(enum)}]", value)
            if pattern and not pattern.fullmatch(value):
                yield Violation(path, f"Member must satisfy regular expression pattern: {pattern.pattern}", value)

        return check_text


def _compile_length(shape: Shape) -> Check | None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is None and high is None:
        return None

    def check_length(value: Any, path: Path) -> Iterator[Violation]:
        if low is not None and len(value) < low:
            yield Violation(path, f"Member must have length greater than or equal to {low}", value)
        if high is not None and len(value) > high:
            yield Violation(path, f"Member must have length less than or equal to {high}", value)

    return check_length


def _compile_range(shape: Shape) -> Check | None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is None and high is None:
        return None

    def check_range(value: float, path: Path) -> Iterator[Violation]:
        if low is not None and value < low:
            yield Violation(path, f"Member must have value greater than or equal to {low}", value)
        if high is not None and value > high:
            yield Violation(path, f"Member must have value less than or equal to {high}", value)

    return check_range


def _pattern(shape: Shape) -> re.Pattern[str] | None:
    """The model's pattern; one that only Java's regular expressions know is not checked."""
    try:
        return re.compile(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    except re.error:
        return None
