"""The Docker client where no engine answers."""

import gc
from pathlib import Path

import pytest
from orderboard_stack.localstack import DockerUnavailableError, engine


def test_an_engine_that_is_gone_is_named_and_leaves_no_socket_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens at the socket's file any more; the error has the fix. An open socket would fail the test."""
    (tmp_path / "docker.sock").touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(DockerUnavailableError, match="Install Docker and start it, or set DOCKER_HOST"):
        engine()
    gc.collect()
