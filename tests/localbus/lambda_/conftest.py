"""A bench for the tests of event source mappings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.fake_lambda import MappingBench, mapping_bench


@pytest.fixture
async def bench() -> AsyncIterator[MappingBench]:
    """Queues, mappings and functions under a manual clock."""
    async with mapping_bench() as made:
        yield made
