"""A stack for each test, with a queue for the outcome events on its bus."""

from collections.abc import Iterator

import pytest
from integration.worker.cafe import Cafe, close_cafe, open_cafe
from support import DeployStack

# Short, so that tests do not wait long for a visibility timeout.
VISIBILITY_TIMEOUT_S = 3


@pytest.fixture
def cafe(deploy_stack: DeployStack) -> Iterator[Cafe]:
    """A stack whose messages come back after three seconds, and three receives at most."""
    stack = deploy_stack({"WorkVisibilityTimeoutS": str(VISIBILITY_TIMEOUT_S), "WorkMaxReceiveCount": "3"})
    cafe = open_cafe(stack)
    yield cafe
    close_cafe(cafe)
