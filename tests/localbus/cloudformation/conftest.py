"""The CloudFormation client and the upstream that the tests here share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from orderboard_stack.local_backend import start_local
from support.cloudformation import StackClient


@pytest.fixture
def stacks(localbus: Localbus) -> StackClient:
    """CloudFormation of a fresh engine."""
    return StackClient(localbus)


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a MiniStack."""
    backend = start_local("ministack", tmp_path_factory.mktemp("ministack") / "log")
    assert backend.endpoint.endpoint_url is not None
    yield backend.endpoint.endpoint_url
    backend.stop()


@pytest.fixture
def upstream_bus(ministack: str) -> Iterator[Localbus]:
    """A fresh engine in front of MiniStack."""
    bus = Localbus(Options(upstream=ministack)).start()
    yield bus
    bus.stop()
