"""Fixtures of the SNS tests: clients, topics and a web server. `shared_*` are for requests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import WebServer


@pytest.fixture
def sns(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("sns")


@pytest.fixture
def topic(sns: Any) -> str:
    """The ARN of a standard topic."""
    return str(sns.create_topic(Name="t")["TopicArn"])


@pytest.fixture
def fifo_topic(sns: Any) -> str:
    """The ARN of a FIFO topic with content-based deduplication."""
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    return str(sns.create_topic(Name="t.fifo", Attributes=attributes)["TopicArn"])


@pytest.fixture(scope="module")
def shared_sns() -> Iterator[Any]:
    """A client of an engine that the tests of a module share, with the topics `shared` and `shared.fifo`."""
    engine = Localbus().start()
    client = engine.client("sns")
    client.create_topic(Name="shared")
    client.create_topic(Name="shared.fifo", Attributes={"FifoTopic": "true"})
    yield client
    engine.stop()


@pytest.fixture(scope="module")
def shared_topic(shared_sns: Any) -> str:
    """The ARN of a standard topic of the shared engine."""
    return str(shared_sns.create_topic(Name="shared")["TopicArn"])


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that records requests."""
    server = WebServer()
    yield server
    server.stop()
