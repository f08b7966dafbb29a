"""The console's system is looked up once, however many threads ask."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.system.target import NoStackError
from orderboard.system.workspace import Workspace
from orderboard_stack.backend import Endpoint

THREADS = 8


@pytest.fixture
def lookups() -> Iterator[list[object]]:
    """Every system that was looked up."""
    found: list[object] = []
    endpoint = Endpoint("embedded", "http://127.0.0.1:1")

    def target(*_: object) -> object:
        time.sleep(0.05)  # in which the other threads ask
        found.append(made := SimpleNamespace(endpoint=endpoint))
        return made

    with (
        mock.patch("orderboard.console.source.find_endpoint", return_value=(endpoint, None)),
        mock.patch("orderboard.console.source.target", target),
    ):
        yield found


def test_many_threads_share_one_lookup(tmp_path: Path, lookups: list[object]) -> None:
    """Eight threads that ask at the start get the same system, and none closes another's connections."""
    source = Source(Workspace(tmp_path, tmp_path))

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda _: source.target(), range(THREADS)))

    assert len(lookups) == 1
    assert all(each is found[0] for each in found)


def test_a_stopped_backend_is_reported_at_once(tmp_path: Path, lookups: list[object]) -> None:
    """The error comes without an SDK call, which would retry for half a minute: this target has no clients."""
    source = Source(Workspace(tmp_path, tmp_path))

    with pytest.raises(RigError, match="Nothing answers"):
        source.reachable()


def test_a_backend_without_a_stack_is_not_asked_each_second(tmp_path: Path, lookups: list[object]) -> None:
    """The connection is there all the same; the error is the first answer's for some seconds."""
    source = Source(Workspace(tmp_path, tmp_path))
    asked: list[object] = []

    def missing(*given: object) -> None:
        asked.append(given)
        raise NoStackError("The stack orderboard does not exist.")

    with mock.patch("orderboard.console.source.target", missing):
        for _ in range(3):
            with pytest.raises(NoStackError, match="orderboard does not exist"):
                source.target()

    assert len(asked) == 1
    assert source.connection().endpoint.endpoint_url == "http://127.0.0.1:1"
    assert lookups == []
