"""The stack on a running backend: packed, deployed, removed."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.change_set import Change
from orderboard_stack.deploy import DeployFailedError, delete, deploy, review
from orderboard_stack.notifier_zip import (
    Architecture,
    HostTarget,
    LinuxTarget,
    NotifierZipError,
    build_notifier_zip,
    host_architecture,
)
from orderboard_stack.outputs import StackOutputs

from orderboard.errors import RigError
from orderboard.system.backends import backend_answers, consent
from orderboard.system.connect import find_endpoint
from orderboard.system.target import AWS_ERRORS
from orderboard.terminal.progress import Screen

Progress = Callable[[str], None]


def deploy_to_running(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    stack_name: str,
    prefix: str,
    parameters: Mapping[str, str],
    yes: bool,
    screen: Screen,
) -> dict[str, str]:
    """Create or update the stack; return the services' environment, with the backend's variables."""
    endpoint, _ = find_endpoint(backend, endpoint_url)
    consent(endpoint, yes=yes)
    with tempfile.TemporaryDirectory() as folder:
        with screen.task("Notifier packed") as task:
            notifier_zip = pack_notifier(endpoint, Path(folder), task.detail)
        with screen.task(f"Stack {stack_name}") as task:
            outputs = deploy_stack(
                endpoint,
                notifier_zip,
                stack_name=stack_name,
                prefix=prefix,
                parameters=parameters,
                progress=task.detail,
            )
    return endpoint.environment() | outputs.environment()


def review_on_running(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    stack_name: str,
    prefix: str,
    parameters: Mapping[str, str],
    screen: Screen,
) -> tuple[Change, ...]:
    """Return what deploy_to_running would change, and change nothing."""
    endpoint, _ = find_endpoint(backend, endpoint_url)
    with tempfile.TemporaryDirectory() as folder, screen.task(f"Change set of {stack_name}") as task:
        try:
            return review(
                endpoint.session(),
                endpoint.endpoint_url,
                notifier_zip=pack_notifier(endpoint, Path(folder), task.detail),
                stack_name=stack_name,
                prefix=prefix,
                parameters={**_runs_on(endpoint), **parameters},
            )
        except (DeployFailedError, *AWS_ERRORS) as exc:
            raise RigError(f"CloudFormation made no change set: {exc}") from exc


def pack_notifier(
    endpoint: Endpoint,
    folder: Path,
    progress: Progress = lambda _: None,
    *,
    instead: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Pack the notifier's zip into the folder, for where the backend runs its Lambda.

    instead: the content of files of the project, by their names in the zip.
    """
    target = HostTarget() if endpoint.capabilities.host_lambda else LinuxTarget(_architecture(endpoint), "3.13")
    try:
        return build_notifier_zip(folder / "notifier.zip", target, instead=instead, progress=progress)
    except NotifierZipError as exc:
        raise RigError(str(exc)) from exc


def deploy_stack(
    endpoint: Endpoint,
    notifier_zip: Path,
    *,
    stack_name: str,
    prefix: str,
    parameters: Mapping[str, str],
    progress: Progress = lambda _: None,
) -> StackOutputs:
    """Deploy template.yaml; raise RigError that names the resources that failed."""
    try:
        return deploy(
            endpoint.session(),
            endpoint.endpoint_url,
            notifier_zip=notifier_zip,
            stack_name=stack_name,
            prefix=prefix,
            parameters={**_runs_on(endpoint), **parameters},
            progress=progress,
        )
    except DeployFailedError as exc:
        raise RigError(str(exc)) from exc
    except AWS_ERRORS as exc:
        raise RigError(f"The stack was not deployed: {exc}") from exc


def remove_stack(endpoint: Endpoint, stack_name: str, prefix: str) -> None:
    """Delete the stack with everything in it, unless the backend has gone and the stack with it."""
    if backend_answers(endpoint):
        delete(endpoint.session(), endpoint.endpoint_url, stack_name=stack_name, prefix=prefix)


def _runs_on(endpoint: Endpoint) -> dict[str, str]:
    found: dict[str, str] = {"NotifierArchitecture": _architecture(endpoint)}
    if endpoint.capabilities.host_lambda:
        found["NotifierRuntime"] = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return found


def _architecture(endpoint: Endpoint) -> Architecture:
    return host_architecture() if endpoint.local else "x86_64"  # AWS has both
