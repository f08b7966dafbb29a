"""The LocalStack backend: one container on a free port of 127.0.0.1, for machines with a Docker engine.

All state is in the container and gone when it ends. LocalStack starts a container for each function,
which is why it gets the engine's socket. LocalStack 4.14.0 is the last release that needs no account.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import docker
import psutil
from docker.errors import DockerException, ImageNotFound, NotFound

from orderboard_stack.backend import Endpoint
from orderboard_stack.process import read_json

DEFAULT_IMAGE: Final = "localstack/localstack:4.14.0"
LABEL: Final = "orderboard.localstack"
_OWNER_LABEL: Final = "orderboard.owner"
_PORT: Final = "4566/tcp"


class DockerUnavailableError(Exception):
    """No Docker engine answers; the message says how to fix that."""


class LocalStackStartError(Exception):
    """The container ended or did not answer in time; the message has the end of its log."""


@dataclass(frozen=True)
class LocalStackBackend:
    """A running LocalStack container."""

    endpoint: Endpoint
    container_id: str

    def stop(self) -> None:
        """Remove it with the containers of its functions. Removing one that is gone is fine."""
        stop_localstack(self.container_id)


def engine() -> Any:
    """The Docker client (the SDK has no types). Raises DockerUnavailableError."""
    try:
        _try_socket()
        client = docker.from_env(timeout=120)
        client.ping()
    except (DockerException, OSError) as exc:
        raise DockerUnavailableError(
            "No Docker engine answers. Install Docker and start it, or set DOCKER_HOST; "
            f"the embedded backend needs none. ({exc})"
        ) from exc
    return client


def _try_socket() -> None:
    """Raise OSError if nothing listens at the engine's socket: the SDK would leave open the one that it tried."""
    if os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.connect(_socket_path())


def start_localstack(
    *,
    image: str | None = None,
    detached: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    within_s: float = 120,
) -> LocalStackBackend:
    """Start a container and wait until it answers; raise DockerUnavailableError or LocalStackStartError.

    image: None means ORDERBOARD_LOCALSTACK_IMAGE, else LocalStack 4.14.0. LOCALSTACK_AUTH_TOKEN is passed on when set.
    One whose owner died without removing it is removed by the next start; a detached one has no owner.
    """
    client = engine()
    _remove_orphans(client)
    image = image or os.environ.get("ORDERBOARD_LOCALSTACK_IMAGE") or DEFAULT_IMAGE
    _require_image(client, image, progress)
    name = f"orderboard-localstack-{secrets.token_hex(4)}"
    progress(f"starting {image} as {name}")
    container = client.containers.run(
        image,
        name=name,
        detach=True,
        environment=_environment(name),
        labels={LABEL: name, _OWNER_LABEL: "" if detached else _this_process()},
        ports={_PORT: ("127.0.0.1", None)},
        volumes={_socket_path(): {"bind": "/var/run/docker.sock", "mode": "rw"}},
    )
    try:
        endpoint = Endpoint("localstack", _wait_until_ready(container, within_s))
    except BaseException:
        stop_localstack(container.id)
        raise
    return LocalStackBackend(endpoint, container.id)


@contextmanager
def localstack(*, progress: Callable[[str], None] = lambda _: None) -> Iterator[Endpoint]:
    """Run it for the length of a with block."""
    backend = start_localstack(progress=progress)
    try:
        yield backend.endpoint
    finally:
        backend.stop()


def stop_localstack(container_id: str) -> bool:
    """Remove the container and those of its functions, from any process; return whether it existed."""
    client = engine()
    try:
        container = client.containers.get(container_id)
    except NotFound:
        return False
    _remove(client, container)
    return True


def _environment(name: str) -> Mapping[str, str]:
    """https://docs.localstack.cloud/aws/capabilities/config/configuration/."""
    token = os.environ.get("LOCALSTACK_AUTH_TOKEN")
    return {
        "DISABLE_EVENTS": "1",  # no usage statistics
        "LAMBDA_DOCKER_FLAGS": f"--label {LABEL}={name}",
        "MAIN_CONTAINER_NAME": name,
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "SQS_ENDPOINT_STRATEGY": "dynamic",  # queue URLs have the host that the client asked
        **({"LOCALSTACK_AUTH_TOKEN": token} if token else {}),
    }


def _require_image(client: Any, image: str, progress: Callable[[str], None]) -> None:
    try:
        client.images.get(image)
    except ImageNotFound:
        progress(f"pulling {image} (about 1 GB, once)")
        try:
            client.images.pull(image)
        except DockerException as exc:
            raise LocalStackStartError(
                f"The image {image} is not here and cannot be pulled; set ORDERBOARD_LOCALSTACK_IMAGE to one that can. "
                f"({exc})"
            ) from exc


def _wait_until_ready(container: Any, within_s: float) -> str:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        container.reload()
        if container.status in ("exited", "dead"):
            raise LocalStackStartError(f"LocalStack ended. The end of its log:\n{_tail(container)}")
        if bound := container.ports.get(_PORT):
            url = f"http://127.0.0.1:{bound[0]['HostPort']}"
            if read_json(f"{url}/_localstack/health", 2) is not None:
                return url
        time.sleep(0.2)
    raise LocalStackStartError(f"LocalStack did not answer within {within_s} s. Its log ends:\n{_tail(container)}")


def _remove_orphans(client: Any) -> None:
    for container in client.containers.list(all=True, filters={"label": [LABEL, _OWNER_LABEL]}):
        owner = container.labels[_OWNER_LABEL]
        host, _, process = owner.partition("/")
        if owner and host == socket.gethostname() and not _lives(process):
            _remove(client, container)


def _remove(client: Any, container: Any) -> None:
    """Remove the main container first, so that it cannot start another function."""
    name = container.labels.get(LABEL)
    with suppress(NotFound):
        container.remove(force=True, v=True)
    if name:
        for function in client.containers.list(all=True, filters={"label": f"{LABEL}={name}"}):
            with suppress(NotFound):
                function.remove(force=True, v=True)


def _this_process() -> str:
    process = psutil.Process()
    return f"{socket.gethostname()}/{process.pid}@{process.create_time():.0f}"


def _lives(process: str) -> bool:
    pid, _, started = process.partition("@")
    with suppress(psutil.NoSuchProcess):
        return f"{psutil.Process(int(pid)).create_time():.0f}" == started
    return False


def _socket_path() -> str:
    host = os.environ.get("DOCKER_HOST", "")
    return host.removeprefix("unix://") if host.startswith("unix://") else "/var/run/docker.sock"


def _tail(container: Any, lines: int = 20) -> str:
    return str(container.logs(tail=lines).decode(errors="replace")) or "(empty)"
