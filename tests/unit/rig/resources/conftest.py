"""An account on localbus for each test."""

from collections.abc import Iterator

import pytest
from localbus.pytest_plugin import Localbus
from unit.rig.resources.account import Account


@pytest.fixture
def account(localbus: Localbus) -> Iterator[Account]:
    """An empty account, with a manual clock."""
    found = Account(localbus)
    yield found
    found.engine.close()
