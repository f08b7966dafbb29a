"""Fixtures of the workshop's tests: a system for each test process, and an attendee's workshop on it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from e2e.command import Command
from orderboard.system.workspace import STATE_DIR_VARIABLE, find_workspace
from orderboard.workshop.workshop import Workshop


@pytest.fixture(scope="session")
def attendee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """An attendee's workshop, whose system runs without a console."""
    command = Command(tmp_path_factory.mktemp("workshop") / "state")
    up = command.run("up", "--json", "--allow-faults", "--no-console")
    assert up.returncode == 0, up.stderr
    workshop = Workshop(replace(find_workspace(), state_dir=command.state_dir))
    yield workshop
    command.run("down", "--now")
    workshop.workers.reap()


@pytest.fixture(scope="module")
def workshop(attendee: Workshop) -> Iterator[Workshop]:
    """The attendee's workshop. ORDERBOARD_STATE_DIR names its state folder while the tests of a file run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_DIR_VARIABLE, str(attendee.workspace.state_dir))
        yield attendee
