"""Fixtures of SQS."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def fifo_url(sqs: Any) -> str:
    """The URL of an empty FIFO queue."""
    return str(sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])
