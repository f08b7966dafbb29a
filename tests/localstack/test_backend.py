"""The container that `orderboard up --backend localstack` starts."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import NotFound
from localstack.engine import LOCALSTACK_IMAGE, require
from orderboard_stack.backend import detect
from orderboard_stack.localstack import engine, start_localstack, stop_localstack
from support.waiting import eventually

STARTER = """
from orderboard_stack.localstack import start_localstack
print(start_localstack().container_id, flush=True)
"""


@pytest.fixture
def client() -> Iterator[Any]:
    """The Docker engine's client."""
    require(LOCALSTACK_IMAGE)
    client = engine()
    yield client
    client.close()


def is_there(client: Any, container_id: str) -> bool:
    """Return whether the engine still knows the container."""
    try:
        client.containers.get(container_id)
    except NotFound:
        return False
    return True


def test_it_is_published_on_the_loopback_only_and_removed_at_the_end(client: Any) -> None:
    """Nobody else on the network reaches it, and stopping it twice is fine."""
    backend = start_localstack()
    try:
        container = client.containers.get(backend.container_id)

        assert detect(backend.endpoint.endpoint_url) == backend.endpoint
        assert {bound["HostIp"] for ports in container.ports.values() for bound in ports or ()} == {"127.0.0.1"}
    finally:
        backend.stop()

    assert not is_there(client, backend.container_id)
    assert stop_localstack(backend.container_id) is False


async def test_the_next_start_removes_what_a_dead_starter_left(client: Any) -> None:
    """A process that dies leaves its container only until the next start."""
    left = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    assert is_there(client, left)

    backend = start_localstack()
    backend.stop()

    await eventually(lambda: not is_there(client, left))
