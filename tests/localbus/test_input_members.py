"""The members of every action's input, also inside others: each is read somewhere in its service, or has a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from localbus.cloudformation import api as cloudformation_api
from localbus.dynamodb import api as dynamodb_api
from localbus.events import api as events_api
from localbus.lambda_ import api as lambda_api
from localbus.sns import api as sns_api
from localbus.sqs import api as sqs_api

import localbus

SERVICES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dynamodb": ("dynamodb", dynamodb_api.ACTIONS),
    "sqs": ("sqs", sqs_api.ACTIONS),
    "sns": ("sns", sns_api.ACTIONS),
    "events": ("events", events_api.ACTIONS),
    "lambda": ("lambda_", lambda_api.ACTIONS),
    "cloudformation": ("cloudformation", cloudformation_api.ACTIONS),
}
# A member, or one of those around it, with the reason for which no code reads it.
NO_EFFECT: Mapping[tuple[str, str], str] = {
    ("sns", "nextToken"): "localbus knows no numbers that opted out, so their list has one page",
    ("events", "LogConfig"): "a bus has no logs; the setting is stored and returned",
    ("events", "ConnectivityParameters"): "answers NotImplemented",
    ("events", "InvocationConnectivityParameters"): "answers NotImplemented",
    **{
        ("events", f"{kind}Parameters"): "is refused: localbus has no target of this kind"
        for kind in (
            "AppSync",
            "Batch",
            "Ecs",
            "Kinesis",
            "Redshift",
            "RedshiftData",
            "RunCommand",
            "SageMakerPipeline",
        )
    },
    **{
        ("lambda", member): "is not for queues: such a mapping is the upstream's, or is refused"
        for member in ("DestinationConfig", "SelfManagedEventSource", "SourceAccessConfigurations")
    },
    **{
        ("lambda", f"{kind}EventSourceConfig"): "is not for queues: such a mapping is the upstream's, or is refused"
        for kind in ("AmazonManagedKafka", "DocumentDB", "SelfManagedKafka")
    },
    **{("lambda", f"{kind}Config"): "answers NotImplemented" for kind in ("Logging", "Metrics", "ProvisionedPoller")},
    **{
        ("dynamodb", f"Max{kind}RequestUnits"): "is stored and returned: nothing is throttled"
        for kind in ("Read", "Write")
    },
    **{
        ("dynamodb", f"Vector{kind}"): "answers NotImplemented" for kind in ("Indexes", "IndexOverride", "IndexUpdates")
    },
    ("dynamodb", "StreamSpecification"): "answers NotImplemented, unless it is switched off",
    **{("dynamodb", member): "answers NotImplemented" for member in ("ReplicaUpdates", "GlobalTableWitnessUpdates")},
    ("cloudformation", "ImportExistingResources"): "no resource is imported: the creation of one that exists fails",
    ("cloudformation", "ResourcesToImport"): "answers NotImplemented",
    ("cloudformation", "DisableValidation"): "localbus has no validation before a deployment that could be disabled",
    ("cloudformation", "TemplateSummaryConfig"): "answers NotImplemented",
}


@cache
def texts(package: str) -> frozenset[str]:
    """Every string and keyword in the source of a service, and of the protocols."""
    root = Path(localbus.__file__).parent
    found: set[str] = set()
    for folder in (package, "protocol"):
        for file in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
                elif isinstance(node, ast.keyword) and node.arg:
                    found.add(node.arg)
    return frozenset(found)


def members_of(service: str, shape: Shape | None, around: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the members of a shape and of what is inside it, unless one has a reason."""
    match shape:
        case StructureShape() if shape.name not in around:
            for name, inner in shape.members.items():
                if (service, name) not in NO_EFFECT:
                    yield name
                    yield from members_of(service, inner, around | {shape.name})
        case ListShape():
            yield from members_of(service, shape.member, around)
        case MapShape():
            yield from members_of(service, shape.value, around)


@pytest.mark.parametrize("service", SERVICES)
def test_every_member_is_read(service: str) -> None:
    """A member that no code names would be accepted and then ignored."""
    package, actions = SERVICES[service]
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)

    unread = {
        (name, member)
        for name in actions
        for member in members_of(service, model.operation_model(name).input_shape)
        if member not in texts(package)
    }

    assert not unread
