"""Fixtures of SQS: a boto3 client of an engine, and empty queues."""

from __future__ import annotations

from typing import Any

import pytest
from localbus.pytest_plugin import Localbus


@pytest.fixture
def sqs(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """The URL of an empty queue."""
    return str(sqs.create_queue(QueueName="work")["QueueUrl"])


@pytest.fixture
def fifo_url(sqs: Any) -> str:
    """The URL of an empty FIFO queue."""
    return str(sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])
