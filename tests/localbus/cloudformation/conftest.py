"""The CloudFormation client that the tests here share."""

from __future__ import annotations

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient


@pytest.fixture
def stacks(localbus: Localbus) -> StackClient:
    """CloudFormation of a fresh engine."""
    return StackClient(localbus)
