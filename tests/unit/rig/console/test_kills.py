"""Kills from the console: only for a system that `up` started here, and only where faults are allowed."""

import os
from dataclasses import dataclass
from typing import cast

import pytest
from orderboard.console.kills import Kills
from orderboard.console.requests import Empty
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.system.state import State, known
from orderboard.system.workers import Workers
from orderboard_stack.backend import BackendName


@dataclass
class FakeSource:
    """A source with this state of `up`."""

    found: State | None

    def state(self) -> State | None:
        """Return it."""
        return self.found


def kills(state: State | None) -> Kills:
    """The controls of a system in this state."""
    return Kills(cast(Source, FakeSource(state)), cast(Workers, None))


def running(backend: BackendName = "embedded", *, allow_faults: bool = True) -> State:
    """A system whose processes are this one, which listens nowhere."""
    return State(
        backend=backend,
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        stack_name="orderboard",
        prefix="orderboard",
        api_url="http://127.0.0.1:8000",
        allow_faults=allow_faults,
        processes=(known("backend", os.getpid()), known("order-api", os.getpid())),
    )


@pytest.mark.parametrize(
    ("state", "api", "backend"),
    [
        (None, "not started on this machine", "not started on this machine"),
        (running(allow_faults=False), "without --allow-faults", "without --allow-faults"),
        (running("localstack"), None, "the backend is localstack"),
        (running(), None, "is being started again"),
    ],
)
def test_an_unavailable_kill_says_why(state: State | None, api: str | None, backend: str) -> None:
    """And nothing is killed by it: the action fails as well."""
    reasons = {name: control.reason for name, control in kills(state).available().items()}

    assert backend in str(reasons["kill-backend"])
    assert reasons["kill-api"] is None if api is None else api in str(reasons["kill-api"])
    with pytest.raises(RigError):
        kills(state).kill_backend(Empty())
    if api is not None:
        with pytest.raises(RigError, match=api):
            kills(state).kill_api(Empty())
