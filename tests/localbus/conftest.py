"""Fixtures of localbus: an engine at a URL, its queues, and bare queues, all with a manual clock of a fixed start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from localbus.clock import FIXED_START, ManualClock
from localbus.journal import Journal
from localbus.pytest_plugin import Localbus
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message
from localbus.sqs.queue import Queue
from support.events import Elsewhere


@pytest.fixture
def localbus() -> Iterator[Localbus]:
    """An engine as the plugin's, that begins at the same time in every run."""
    bus = Localbus(start=FIXED_START).start()
    yield bus
    bus.stop()


@pytest.fixture
def sqs(localbus: Localbus) -> Any:
    """An SQS client of the engine."""
    return localbus.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """The URL of an empty queue."""
    return str(sqs.create_queue(QueueName="work")["QueueUrl"])


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
def journal() -> Journal:
    """An empty journal."""
    return Journal()


@pytest.fixture
def queue(clock: ManualClock, journal: Journal) -> Queue:
    """An empty standard queue."""
    return Queue("work", "arn:aws:sqs:us-east-1:000000000000:work", clock, journal)


@pytest.fixture
def fifo(clock: ManualClock, journal: Journal) -> FifoQueue:
    """An empty FIFO queue."""
    return FifoQueue("work.fifo", "arn:aws:sqs:us-east-1:000000000000:work.fifo", clock, journal)


@pytest.fixture
def message() -> Callable[..., Message]:
    """Makes messages; the body is the id as well, so that a failure reads well."""
    return lambda body, **given: Message(body, body, **given)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """A web server."""
    server = Elsewhere()
    await server.start()
    yield server
    await server.stop()
