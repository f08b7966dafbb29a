"""compose.yaml, started under a new project name and on free ports, and removed with everything that it created."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
from localstack.engine import refuse, remove_containers
from orderboard_stack.process import free_port

_ROOT: Final = Path(__file__).parents[2]
_HEALTHY_WITHIN_S: Final = 120
_BUILT_WITHIN_S: Final = 600


class ComposeFailedError(Exception):
    """docker compose ended with an error; the message has its output and the containers' logs."""


@dataclass(frozen=True)
class Compose:
    """A project that is up."""

    project: str
    api_url: str
    aws_url: str

    def containers(self) -> list[dict[str, Any]]:
        """All its containers as the engine describes them; not those that LocalStack starts."""
        with_label = {"label": f"com.docker.compose.project={self.project}"}
        client = docker.from_env()
        try:
            found = client.api.containers(all=True, filters=with_label)
            return [client.api.inspect_container(each["Id"]) for each in found]
        finally:
            client.close()

    def run_in(self, service: str, command: list[str]) -> tuple[int, str]:
        """Run a command in a service's container; return its exit code and output."""
        label = "com.docker.compose.service"
        [found] = [each["Id"] for each in self.containers() if each["Config"]["Labels"][label] == service]
        client = docker.from_env()
        try:
            ended = client.containers.get(found).exec_run(command)
            return ended.exit_code, ended.output.decode()
        finally:
            client.close()

    def leftovers(self) -> list[str]:
        """The names that the engine still has of it: containers (also those of functions), volumes and networks."""
        client = docker.from_env()
        try:
            found = [name for each in client.api.containers(all=True) for name in each["Names"]]
            found += [volume["Name"] for volume in client.api.volumes()["Volumes"] or ()]
            found += [network["Name"] for network in client.api.networks()]
        finally:
            client.close()
        return [name for name in found if self.project in name]


def require_compose() -> None:
    """Skip the test where docker has no compose; fail instead where Docker is required."""
    try:
        subprocess.run(["docker", "compose", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        refuse("`docker compose` does not run: install Docker's compose plugin, version 2")


@contextmanager
def compose_up() -> Iterator[Compose]:
    """Build the images, start everything and wait until it is healthy; take it down again in any case."""
    api_port, aws_port = free_port(), free_port()
    settings = {"ORDERBOARD_API_PORT": str(api_port), "ORDERBOARD_LOCALSTACK_PORT": str(aws_port)}
    project = _new_name()
    try:
        with _built(_ROOT, project, settings):
            wait = ("--wait", "--wait-timeout", str(_HEALTHY_WITHIN_S))
            _compose(_ROOT, project, settings, "up", *wait, within_s=_HEALTHY_WITHIN_S + 60)
            yield Compose(project, f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{aws_port}")
    except BaseException:
        remove_containers(f"{project}-localstack-1-lambda-")
        raise


def run_service(folder: Path, service: str) -> tuple[str, list[dict[str, Any]]]:
    """Run one service of a folder's compose.yaml to its end, with those that it depends on.

    Return its output, and the other containers as they ended.
    """
    project = _new_name()
    with _built(folder, project, {}):
        output = _compose(folder, project, {}, "run", "--rm", service, within_s=_HEALTHY_WITHIN_S)
        _compose(folder, project, {}, "stop", within_s=60)
        return output, Compose(project, "", "").containers()


def _new_name() -> str:
    return f"orderboard-test-{secrets.token_hex(4)}"


@contextmanager
def _built(folder: Path, project: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Build the images of a project; remove all that it has created in any case."""
    try:
        _compose(folder, project, settings, "build", "--quiet", within_s=_BUILT_WITHIN_S)
        yield
    finally:
        _compose(folder, project, settings, "down", "--volumes", "--rmi", "local", within_s=120)


def _compose(folder: Path, project: str, settings: Mapping[str, str], *arguments: str, within_s: float) -> str:
    """Run docker compose, and return its standard output. Raises ComposeFailedError."""
    command = ["docker", "compose", "--project-name", project, "--project-directory", str(folder)]
    inherited = {name: value for name, value in os.environ.items() if name != "COMPOSE_FILE"}
    done = subprocess.run(
        [*command, *arguments],
        env={**inherited, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
    if done.returncode != 0:
        logs = subprocess.run([*command, "logs", "--tail", "30"], capture_output=True, text=True, check=False)
        output = "\n".join(part.strip() for part in (done.stdout, done.stderr, logs.stdout) if part.strip())
        raise ComposeFailedError(f"docker compose {' '.join(arguments)} ended with {done.returncode}:\n{output}")
    return done.stdout
