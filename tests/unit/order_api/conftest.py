"""The app on fakes, fresh for each test."""

from collections.abc import AsyncIterator

import pytest
from unit.order_api.fakes import RunningApi, running_api


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the test, not from the shell that runs it."""
    for name in ("API_TOKEN", "ALLOW_ANONYMOUS", "ALLOW_FAULTS", "API_HOST"):
        monkeypatch.delenv(f"ORDERBOARD_{name}", raising=False)


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    """The app with its default settings."""
    async with running_api() as running:
        yield running
