"""A service's API as botocore's model describes it, independent of any protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from sys import intern
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

from localbus.errors import UnknownActionError
from localbus.protocol.constraints import Violation, compile_check

Params = dict[str, Any]


@dataclass(frozen=True)
class ErrorSpec:
    """An error on the wire: its HTTP status, the Query protocol's code, and its fault (Sender or Receiver)."""

    status: int = 400
    query_code: str = ""
    fault: str = "Sender"


class Operation:
    """An action of a service with the check of its input, compiled once."""

    def __init__(self, model: OperationModel, *, with_enums: bool) -> None:
        self.name: str = model.name
        self.input: StructureShape | None = model.input_shape
        self.output: StructureShape | None = model.output_shape
        self.result_wrapper: str | None = self.output.serialization.get("resultWrapper") if self.output else None
        self._check = compile_check(self.input, with_enums=with_enums) if self.input is not None else None

    def violations(self, params: Params) -> list[Violation]:
        """Return every constraint of the model that the input breaks."""
        return list(self._check(params, ())) if self._check else []


@cache
def _load(name: str) -> ServiceModel:
    """Load a service's model, once a process because tests make many engines."""
    return ServiceModel(_lean(Loader().load_service_model(name, "service-2")), name)


def _lean(part: Any) -> Any:
    """Return a part of a model without documentation, in plain dictionaries, and each text once: half of its memory."""
    if isinstance(part, dict):
        return {key: _lean(one) for key, one in part.items() if key != "documentation" or not isinstance(one, str)}
    if isinstance(part, list):
        return [_lean(one) for one in part]
    return intern(part) if isinstance(part, str) else part


@dataclass
class Api:
    """A service's model: its operations, its errors, and the names by which requests find it."""

    name: str
    error_specs: Mapping[str, ErrorSpec] = field(default_factory=dict)
    with_enums: bool = True  # False where the service takes values that its own model does not list

    def __post_init__(self) -> None:
        self.model = _load(self.name)
        self._operations: dict[str, Operation] = {}

    @cached_property
    def target_prefix(self) -> str | None:
        """The part before the action in X-Amz-Target."""
        prefix: str | None = self.model.metadata.get("targetPrefix")
        return prefix

    @cached_property
    def version(self) -> str:
        """The API version in a Query request."""
        version: str = self.model.metadata["apiVersion"]
        return version

    @cached_property
    def query_compatible(self) -> bool:
        """True if JSON answers also carry the Query protocol's error code."""
        return "awsQueryCompatible" in self.model.metadata

    def enum(self, shape: str) -> frozenset[str]:
        """Return the values of an enum of the model."""
        return frozenset(self.model.shape_for(shape).metadata["enum"])

    def operation(self, name: str) -> Operation:
        """Return the action of that name. Raises UnknownActionError if AWS does not have it."""
        found = self._operations.get(name)
        if found is None:
            if name not in self.model.operation_names:
                raise UnknownActionError(name)
            found = self._operations[name] = Operation(self.model.operation_model(name), with_enums=self.with_enums)
        return found

    def error_spec(self, code: str) -> ErrorSpec:
        """Return an error from the service's own table, else from the model, else a plain 400."""
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
