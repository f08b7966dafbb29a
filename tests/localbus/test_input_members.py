"""The members of every action's input: each is read somewhere in its service, or has a reason here."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from localbus.cloudformation import api as cloudformation_api
from localbus.events import api as events_api
from localbus.lambda_ import api as lambda_api
from localbus.sns import api as sns_api
from localbus.sqs import api as sqs_api

import localbus

SERVICES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sqs": ("sqs", sqs_api.ACTIONS),
    "sns": ("sns", sns_api.ACTIONS),
    "events": ("events", events_api.ACTIONS),
    "lambda": ("lambda_", lambda_api.ACTIONS),
    "cloudformation": ("cloudformation", cloudformation_api.ACTIONS),
}
NO_EFFECT: Mapping[tuple[str, str], str] = {
    ("sns", "nextToken"): "localbus knows no numbers that opted out, so their list has one page",
    ("cloudformation", "ImportExistingResources"): "no resource is imported: the creation of one that exists fails",
    ("cloudformation", "DisableValidation"): "localbus has no validation before a deployment that could be disabled",
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


@pytest.mark.parametrize("service", SERVICES)
def test_every_member_is_read(service: str) -> None:
    """A member that no code names would be accepted and then ignored."""
    package, actions = SERVICES[service]
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    inputs = {name: model.operation_model(name).input_shape for name in actions}

    unread = {
        (name, member)
        for name, shape in inputs.items()
        for member in (shape.members if shape is not None else ())
        if member not in texts(package) and (service, member) not in NO_EFFECT
    }

    assert not unread
