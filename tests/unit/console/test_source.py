"""The system that the console looks at is looked up once, however many ask at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from orderboard.console.source import Source
from orderboard.errors import RigError
from orderboard.system.workspace import Workspace
from orderboard_stack.backend import Endpoint


@pytest.fixture
def looked_up() -> Iterator[list[object]]:
    """Each time that a stack is looked up, which takes a while."""
    times: list[object] = []

    endpoint = Endpoint("embedded", "http://127.0.0.1:1")

    def target(*_: object) -> object:
        threading.Event().wait(0.05)
        times.append(made := SimpleNamespace(endpoint=endpoint))
        return made

    with (
        mock.patch("orderboard.console.source.find_endpoint", return_value=(endpoint, None)),
        mock.patch("orderboard.console.source.target", target),
    ):
        yield times


def test_many_threads_share_one_look_up(tmp_path: Path, looked_up: list[object]) -> None:
    """Eight that ask at the start get the same system, and none has its connections taken away by another."""
    source = Source(Workspace(tmp_path, tmp_path))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: source.target(), range(8)))

    assert len(looked_up) == 1
    assert all(each is found[0] for each in found)


def test_a_backend_that_has_gone_is_noticed_at_once(tmp_path: Path, looked_up: list[object]) -> None:
    """With the mend, and without asking an SDK, which would try for half a minute: this target has no clients."""
    source = Source(Workspace(tmp_path, tmp_path))

    with pytest.raises(RigError, match="Nothing answers"):
        source.reachable()
