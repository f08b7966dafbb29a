"""Fixtures of the tests that keep a system running: one for each file."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.command import Command


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches the commands that tests start, even where the shell has told its background jobs to ignore it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def orderboard(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command, with state of its own."""
    return Command(tmp_path_factory.mktemp("orderboard") / "state")


@pytest.fixture(scope="module")
def system(orderboard: Command) -> Iterator[dict[str, Any]]:
    """A system that runs, with the console that `up` opens with, as `up --json` describes it."""
    up = orderboard.run("up", "--json", "--allow-faults")
    assert up.returncode == 0, up.stderr
    document: dict[str, Any] = json.loads(up.stdout)
    yield document
    orderboard.run("down")
