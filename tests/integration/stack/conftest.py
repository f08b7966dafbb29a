"""Fixtures of the tests of the stack."""

import pytest
from integration.stack.traffic import silence_notifier
from support.stack import DeployedStack


@pytest.fixture(scope="module")
def quiet_stack(shared_stack: DeployedStack) -> DeployedStack:
    """A stack for all tests of a file, whose notifier receives nothing."""
    return silence_notifier(shared_stack)
