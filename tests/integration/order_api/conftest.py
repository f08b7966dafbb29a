"""order-api as a process on a fresh stack."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.order_api.service import ApiProcess, api_process
from support.stack import DeployedStack


@pytest.fixture
async def api(stack: DeployedStack, tmp_path: Path) -> AsyncIterator[ApiProcess]:
    """order-api on the stack."""
    async with api_process(stack.environment, tmp_path / "order-api.log") as running:
        yield running
