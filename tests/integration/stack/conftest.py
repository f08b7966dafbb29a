"""Fixtures of the tests of the stack."""

import pytest
from integration.stack.traffic import silence_notifier
from support.stack import DeployedStack


@pytest.fixture
def quiet_stack(stack: DeployedStack) -> DeployedStack:
    """A stack whose notifier receives nothing."""
    return silence_notifier(stack)
