"""order-api as a process on the stack of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.order_api.service import ApiProcess, api_process
from support.stack import DeployedStack


@pytest.fixture(scope="module")
def stack(shared_stack: DeployedStack) -> DeployedStack:
    """One stack for all tests of a file."""
    return shared_stack


@pytest.fixture
async def api(stack: DeployedStack, tmp_path: Path) -> AsyncIterator[ApiProcess]:
    """order-api on the stack."""
    async with api_process(stack.environment, tmp_path / "order-api.log") as running:
        yield running
