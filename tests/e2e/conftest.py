"""Fixtures of tests that keep a system running: one for each file."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.browser import Page, browser
from e2e.command import Command


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Ctrl-C reaches the commands that tests start, even if the shell makes its background jobs ignore it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def orderboard(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command, with a state folder for this file."""
    return Command(tmp_path_factory.mktemp("orderboard") / "state")


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, orderboard: Command) -> Iterator[dict[str, Any]]:
    """A running system with its console, as `up --json` describes it. UP_OPTIONS of the test's file are added."""
    up = orderboard.run("up", "--json", "--allow-faults", *getattr(request.module, "UP_OPTIONS", ()))
    assert up.returncode == 0, up.stderr
    document: dict[str, Any] = json.loads(up.stdout)
    yield document
    orderboard.run("down")


@pytest.fixture(scope="module")
def page(system: dict[str, Any]) -> Iterator[Page]:
    """The console's page in Chromium, for all tests of a file in their order."""
    with browser(system["console_url"]) as opened:
        yield opened
