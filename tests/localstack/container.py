"""One LocalStack container, and the containers that it starts to run functions in."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from localstack.engine import LOCALSTACK_IMAGE, container_names, docker_socket, remove_containers, why_not
from orderboard_stack.backend import Endpoint
from testcontainers.community.localstack import LocalStackContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

_PORT: Final = 4566
_ENDS_WITHIN_S: Final = 20


@dataclass(frozen=True)
class LocalStack:
    """A LocalStack that answers."""

    name: str
    endpoint: Endpoint

    def function_containers(self, function: str = "") -> list[str]:
        """The names of the containers that it runs this function in; by default those of every function."""
        return container_names(f"{self.name}-lambda-{function}")


class _OnLoopback(LocalStackContainer):
    """A container that is published on 127.0.0.1 only."""

    def get_container_host_ip(self) -> str:
        return "127.0.0.1"

    def start(self, timeout: float = 60) -> Self:
        # LocalStackContainer.start also waits for a line in the log, in a way that testcontainers has deprecated.
        self.waiting_for(HttpWaitStrategy(_PORT, "/_localstack/health").with_startup_timeout(int(timeout)))
        return DockerContainer.start(self)


@contextmanager
def localstack_container() -> Iterator[LocalStack]:
    """Start one and wait until it is healthy; afterwards end it in order, so that it ends its functions."""
    _do_without_ryuk_where_it_cannot_be_had()
    name = f"orderboard-test-{secrets.token_hex(4)}"
    container = _OnLoopback(LOCALSTACK_IMAGE, edge_port=_PORT, region_name="us-east-1")
    container.ports[str(_PORT)] = ("127.0.0.1", None)  # type: ignore[assignment]  # Docker's SDK takes an address, too
    container.with_name(name)
    container.with_envs(
        DISABLE_EVENTS="1",
        LOCALSTACK_AUTH_TOKEN=os.environ.get("LOCALSTACK_AUTH_TOKEN", ""),
        MAIN_CONTAINER_NAME=name,
        SKIP_SSL_CERT_DOWNLOAD="1",
        SQS_ENDPOINT_STRATEGY="dynamic",
    )
    container.with_volume_mapping(docker_socket(), "/var/run/docker.sock", "rw")
    try:
        with container:
            yield LocalStack(name, Endpoint("localstack", container.get_url()))
            container.get_wrapped_container().stop(timeout=_ENDS_WITHIN_S)
    finally:
        remove_containers(f"{name}-lambda-")


def _do_without_ryuk_where_it_cannot_be_had() -> None:
    # It removes what a killed run leaves behind. It needs another image, which not every network has.
    if not testcontainers_config.ryuk_disabled and why_not(testcontainers_config.ryuk_image) is not None:
        testcontainers_config.ryuk_disabled = True
