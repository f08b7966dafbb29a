"""A service's API as botocore's model describes it, independent of any protocol."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from sys import intern
from typing import Any, cast

import botocore
import orjson

from localbus.errors import UnknownActionError
from localbus.protocol.constraints import Violation, compile_check
from localbus.protocol.shapes import StructureShape, Traits, shape_of

Params = dict[str, Any]


@dataclass(frozen=True)
class ErrorSpec:
    """An error on the wire: its HTTP status, the Query protocol's code, and its fault (Sender or Receiver)."""

    status: int = 400
    query_code: str = ""
    fault: str = "Sender"


class Operation:
    """An action of a service with the check of its input, compiled once. `http` is its place in REST."""

    def __init__(self, name: str, model: Traits, shapes: Mapping[str, Traits], *, with_enums: bool) -> None:
        self.name = name
        self.http: Traits = model.get("http", {})
        self.input = _structure(model.get("input"), shapes)
        self.output = _structure(model.get("output"), shapes)
        self.result_wrapper: str | None = self.output.traits.get("resultWrapper") if self.output else None
        self._check = compile_check(self.input, with_enums=with_enums) if self.input is not None else None

    def violations(self, params: Params) -> list[Violation]:
        """Return every constraint of the model that the input breaks."""
        return list(self._check(params, ())) if self._check else []


def _structure(reference: Traits | None, shapes: Mapping[str, Traits]) -> StructureShape | None:
    return cast(StructureShape, shape_of(reference, shapes)) if reference is not None else None


@cache
def load_model(name: str) -> Mapping[str, Any]:
    """Return a service's newest model, read once a process because tests make many engines."""
    path = max(Path(botocore.__path__[0], "data", name).glob("*/service-2.json.gz"))
    model: Mapping[str, Any] = _lean(orjson.loads(gzip.decompress(path.read_bytes())))
    return model


def _lean(part: Any) -> Any:
    """Return a part of a model without documentation, in plain dictionaries, and each text once: half of its memory."""
    if isinstance(part, dict):
        return {key: _lean(one) for key, one in part.items() if key != "documentation" or not isinstance(one, str)}
    if isinstance(part, list):
        return [_lean(one) for one in part]
    return intern(part) if isinstance(part, str) else part


@dataclass
class Api:
    """A service's model: its operations, its errors, and the names by which requests find it.

    `name` is that in a request's credential scope, `model` that of botocore's file if it is another.
    """

    name: str
    error_specs: Mapping[str, ErrorSpec] = field(default_factory=dict)
    with_enums: bool = True  # False where the service takes values that its own model does not list
    model: str = ""

    def __post_init__(self) -> None:
        self._model = load_model(self.model or self.name)
        self._operations: dict[str, Operation] = {}

    @property
    def metadata(self) -> Traits:
        """The protocols, versions and names of the service."""
        metadata: Traits = self._model["metadata"]
        return metadata

    @property
    def operation_names(self) -> Set[str]:
        """The names of all actions of the service."""
        names: Set[str] = self._model["operations"].keys()
        return names

    @cached_property
    def target_prefix(self) -> str | None:
        """The part before the action in X-Amz-Target."""
        prefix: str | None = self.metadata.get("targetPrefix")
        return prefix

    @cached_property
    def version(self) -> str:
        """The API version in a Query request."""
        version: str = self.metadata["apiVersion"]
        return version

    @cached_property
    def speaks_cbor(self) -> bool:
        """True if clients may use Smithy's RPC with CBOR."""
        return "smithy-rpc-v2-cbor" in self.metadata.get("protocols", ())

    @cached_property
    def query_compatible(self) -> bool:
        """True if JSON answers also carry the Query protocol's error code."""
        return "awsQueryCompatible" in self.metadata

    def enum(self, shape: str) -> frozenset[str]:
        """Return the values of an enum of the model."""
        return frozenset(self._model["shapes"][shape]["enum"])

    def operation(self, name: str) -> Operation:
        """Return the action of that name. Raises UnknownActionError if AWS does not have it."""
        found = self._operations.get(name)
        if found is None:
            if name not in self.operation_names:
                raise UnknownActionError(name)
            model, shapes = self._model["operations"][name], self._model["shapes"]
            found = self._operations[name] = Operation(name, model, shapes, with_enums=self.with_enums)
        return found

    def error_shape(self, code: str) -> StructureShape | None:
        """Return the shape of an error, if the model has it."""
        is_error = self._model["shapes"].get(code, {}).get("exception", False)
        return _structure({"shape": code}, self._model["shapes"]) if is_error else None

    def error_spec(self, code: str) -> ErrorSpec:
        """Return an error from the service's own table, else from the model, else a plain 400."""
        spec = self.error_specs.get(code)
        if spec is not None:
            return spec if spec.query_code else ErrorSpec(spec.status, code, spec.fault)
        shape = self.error_shape(code)
        if shape is not None:
            trait = shape.traits.get("error", {})
            fault = "Sender" if trait.get("senderFault", True) else "Receiver"
            return ErrorSpec(trait.get("httpStatusCode", 400), trait.get("code", code), fault)
        if code == "NotImplemented":
            return ErrorSpec(501, code, "Receiver")
        return ErrorSpec(400, code)
