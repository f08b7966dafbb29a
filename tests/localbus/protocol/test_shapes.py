"""The types of the services' models, which are read without botocore's code, are those that botocore reads."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from localbus.protocol.service_model import Api, load_model
from localbus.protocol.shapes import ListShape, MapShape, Shape, StructureShape, shape_of

SERVICES = ("sqs", "sns", "events", "dynamodb", "lambda", "cloudformation", "sts")
TRAITS = ("min", "max", "pattern", "enum", "required", "error", "exception")


@cache
def theirs(service: str) -> Any:
    """botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def inner(shape: Any, *, is_structure: bool, is_list: bool, is_map: bool) -> dict[str, Any]:
    """The types within a type, by their place."""
    if is_structure:
        return dict(shape.members)
    if is_list:
        return {"member": shape.member}
    return {"key": shape.key, "value": shape.value} if is_map else {}


def described(shape: Shape) -> tuple[object, ...]:
    """The traits of a type that localbus reads."""
    wire = shape.wire_name(""), shape.traits.get("flattened"), shape.traits.get("location")
    return shape.name, shape.type_name, {name: shape.traits.get(name) for name in TRAITS}, wire


def described_by_botocore(shape: Any) -> tuple[object, ...]:
    """The same of botocore's."""
    wire = shape.serialization
    names = wire.get("name", ""), wire.get("flattened"), wire.get("location")
    return shape.name, shape.type_name, {name: shape.metadata.get(name) for name in TRAITS}, names


@pytest.mark.parametrize("service", SERVICES)
def test_types_are_those_of_botocore(service: str) -> None:
    """Each type of each service, and its members: kind, constraints, names on the wire."""
    shapes = load_model(service)["shapes"]
    assert list(shapes) == theirs(service).shape_names

    for name in shapes:
        ours, other = shape_of({"shape": name}, shapes), theirs(service).shape_for(name)
        assert described(ours) == described_by_botocore(other)
        kinds = {"is_structure": StructureShape, "is_list": ListShape, "is_map": MapShape}
        is_of = {key: isinstance(ours, kind) for key, kind in kinds.items()}
        members, others = inner(ours, **is_of), inner(other, **is_of)
        assert {key: described(one) for key, one in members.items()} == {
            key: described_by_botocore(one) for key, one in others.items()
        }


@pytest.mark.parametrize("service", SERVICES)
def test_actions_are_those_of_botocore(service: str) -> None:
    """Their inputs, outputs, places in REST, and the service's protocol and errors."""
    api, model = Api(service), theirs(service)
    assert list(api.operation_names) == model.operation_names
    assert {name: api.metadata[name] for name in ("apiVersion", "protocol")}.items() <= model.metadata.items()

    for name in api.operation_names:
        ours, other = api.operation(name), model.operation_model(name)
        assert (ours.name, ours.http) == (other.name, other.http)
        for one, wanted in ((ours.input, other.input_shape), (ours.output, other.output_shape)):
            assert (one and described(one)) == (wanted and described_by_botocore(wanted))
        assert ours.result_wrapper == (other.output_shape and other.output_shape.serialization.get("resultWrapper"))

    errors = {shape.name for shape in model.error_shapes}
    assert {name for name in load_model(service)["shapes"] if api.error_shape(name) is not None} == errors
