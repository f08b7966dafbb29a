"""A stack for each test, with a queue for the outcome events on its bus."""

from collections.abc import Iterator

import pytest
from integration.bus_queue import bus_queue
from integration.worker.worker_stack import WorkerStack
from support.stack import DeployStack

# Short, so that tests do not wait long for a visibility timeout.
VISIBILITY_TIMEOUT_S = 3


@pytest.fixture
def system(deploy_stack: DeployStack) -> Iterator[WorkerStack]:
    """A stack whose messages come back after three seconds, and three receives at most."""
    stack = deploy_stack({"WorkVisibilityTimeoutS": str(VISIBILITY_TIMEOUT_S), "WorkMaxReceiveCount": "3"})
    with bus_queue(stack, "orderboard.worker") as outcomes:
        yield WorkerStack(stack, outcomes)
