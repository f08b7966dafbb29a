"""Fixtures of the developer API: an SQS client and a queue."""

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
    return str(sqs.create_queue(QueueName="q")["QueueUrl"])
