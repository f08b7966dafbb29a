"""The integration tests of the stack (routes, dead letters, archives) pass on LocalStack too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from localstack.inbox import Inbox
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack
from support.waiting import eventually

ROOT = Path(__file__).parents[2]
ALARM_WITHIN_S = 240
MODULES = ("test_routing", "test_dead_letters", "test_archive", "test_capabilities", "test_cloud_change_sets")


@pytest.mark.timeout(600)
def test_the_stacks_promises_hold_here(backend: Endpoint) -> None:
    """The same tests, pointed at this backend."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/integration/stack/{module}.py" for module in MODULES)],
        cwd=ROOT,
        env={**os.environ, "ORDERBOARD_TEST_ENDPOINT_URL": str(backend.endpoint_url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout


@pytest.mark.timeout(ALARM_WITHIN_S + 60)
async def test_a_dead_letter_raises_the_alarm(stack: DeployedStack, inbox: Inbox) -> None:
    """The dead letter from the start of the session raises the alarm of its queue, whose message is in the inbox."""
    alarm = f"{stack.outputs.inbox_dlq}-not-empty"

    await eventually(lambda: (alarm, "ALARM") in inbox.alarms(), within_s=ALARM_WITHIN_S)
