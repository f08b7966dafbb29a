"""Fixtures of EventBridge: a client, an open queue, and a bench without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.events import Bench, Elsewhere
from support.localbus import QueueOf, new_queue


@pytest.fixture
def events(localbus: Localbus) -> Any:
    """A client of the engine. Every error of EventBridge has the status 400."""
    client = localbus.client("events")

    def check(http_response: Any, **_given: Any) -> None:
        assert http_response.status_code in {200, 400}

    client.meta.events.register("after-call.events", check)
    return client


@pytest.fixture
def queue(localbus: Localbus) -> QueueOf:
    """An empty queue that accepts messages from EventBridge."""
    return new_queue(localbus, "q", open_to="events")


@pytest.fixture
def rule(events: Any) -> str:
    """The name of a rule of the default bus."""
    events.put_rule(Name="r", EventPattern='{"source": ["orders"]}')
    return "r"


@pytest.fixture
def bench() -> Bench:
    """EventBridge without an upstream."""
    return Bench()


@pytest.fixture
async def it(elsewhere: Elsewhere) -> AsyncIterator[Bench]:
    """EventBridge with the web server as its upstream."""
    bench = Bench(elsewhere.url)
    yield bench
    await bench.tasks.cancel_all()
