"""A bar on localbus for each test."""

from collections.abc import Iterator

import pytest
from localbus.pytest_plugin import Localbus
from unit.rig.recovery.bar import Bar


@pytest.fixture
def bar(localbus: Localbus) -> Iterator[Bar]:
    """An empty orders table with its bus, archive and queues, under a manual clock."""
    found = Bar(localbus)
    yield found
    found.target.close()
