"""The stack on a running backend: packed, deployed, removed."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from orderboard_contracts.otlp_settings import endpoint_of
from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.change_set import Change
from orderboard_stack.deploy import DeployFailedError, delete, deploy, review
from orderboard_stack.function_zip import (
    Architecture,
    FunctionName,
    FunctionZipError,
    HostTarget,
    LinuxTarget,
    build_function_zip,
    host_architecture,
)
from orderboard_stack.outputs import StackNotFoundError, StackOutputs, read

from orderboard.errors import RigError
from orderboard.system.backends import backend_answers, consent
from orderboard.system.connect import find_endpoint
from orderboard.system.state import WorkerCompute
from orderboard.system.target import AWS_ERRORS
from orderboard.system.telemetry import asked_for
from orderboard.system.worker_function import check_times
from orderboard.terminal.progress import Screen

Progress = Callable[[str], None]

# On one machine each invocation at once is a process, or a container.
_LOCAL_CONCURRENCY: Final = "2"


def deploy_to_running(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    stack_name: str,
    prefix: str,
    parameters: Mapping[str, str],
    worker: WorkerCompute | None,
    yes: bool,
    screen: Screen,
) -> dict[str, str]:
    """Create or update the stack; return the services' environment, with the backend's variables.

    worker: None keeps what the stack has.
    """
    endpoint, _ = find_endpoint(backend, endpoint_url)
    consent(endpoint, yes=yes, screen=screen)
    worker = worker or _as_deployed(endpoint, stack_name)
    with tempfile.TemporaryDirectory() as folder:
        with screen.task("Functions packed" if worker == "lambda" else "Notifier packed") as task:
            zips = pack_functions(endpoint, Path(folder), worker, task.detail)
        with screen.task(f"Stack {stack_name}") as task:
            outputs = deploy_stack(
                endpoint,
                zips,
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
    worker: WorkerCompute | None,
    screen: Screen,
) -> tuple[Change, ...]:
    """Return what deploy_to_running would change, and change nothing."""
    endpoint, _ = find_endpoint(backend, endpoint_url)
    worker = worker or _as_deployed(endpoint, stack_name)
    with tempfile.TemporaryDirectory() as folder, screen.task(f"Change set of {stack_name}") as task:
        try:
            zips = pack_functions(endpoint, Path(folder), worker, task.detail)
            return review(
                endpoint.session(),
                endpoint.endpoint_url,
                **zips._asdict(),
                stack_name=stack_name,
                prefix=prefix,
                parameters=_checked(endpoint, zips, parameters),
            )
        except (DeployFailedError, *AWS_ERRORS) as exc:
            raise RigError(f"CloudFormation made no change set: {exc}") from exc


def _as_deployed(endpoint: Endpoint, stack_name: str) -> WorkerCompute:
    """Return the worker that the stack has; processes without a stack."""
    try:
        outputs = read(endpoint.session(), endpoint.endpoint_url, stack_name)
    except StackNotFoundError:
        return "container"
    except AWS_ERRORS as exc:
        raise RigError(f"The stack {stack_name} cannot be read: {exc}") from exc
    return "container" if outputs.worker_function is None else "lambda"


class Zips(NamedTuple):
    """The functions' zips. worker_zip: None if the workers are processes."""

    notifier_zip: Path
    worker_zip: Path | None = None


def pack_functions(
    endpoint: Endpoint, folder: Path, worker: WorkerCompute, progress: Progress = lambda _: None
) -> Zips:
    """Pack the zips of the stack's functions into the folder, for where the backend runs them."""
    notifier_zip = pack_function("notifier", endpoint, folder, progress)
    return Zips(notifier_zip, pack_function("worker", endpoint, folder, progress) if worker == "lambda" else None)


def pack_function(
    function: FunctionName,
    endpoint: Endpoint,
    folder: Path,
    progress: Progress = lambda _: None,
    *,
    instead: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Pack one function's zip into the folder, for where the backend runs it.

    instead: the content of files of the project, by their names in the zip.
    """
    linux = LinuxTarget(_architecture(endpoint), "3.13", traces=asked_for("traces"))
    target = HostTarget() if endpoint.capabilities.host_lambda else linux
    try:
        return build_function_zip(folder / f"{function}.zip", target, function, instead=instead, progress=progress)
    except FunctionZipError as exc:
        raise RigError(str(exc)) from exc


def deploy_stack(
    endpoint: Endpoint,
    zips: Zips,
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
            **zips._asdict(),
            stack_name=stack_name,
            prefix=prefix,
            parameters=_checked(endpoint, zips, parameters),
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


def _checked(endpoint: Endpoint, zips: Zips, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with those that follow from the backend; raise UsageError for times that do not fit."""
    found: dict[str, str] = {"NotifierArchitecture": _architecture(endpoint)}
    if endpoint.capabilities.host_lambda:
        found["NotifierRuntime"] = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if asked_for("traces"):
        found["OtlpEndpoint"] = endpoint_of(os.environ, "traces")
        found["OtlpHeaders"] = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    if zips.worker_zip is not None:
        check_times(parameters)
        if endpoint.local:
            found["WorkerMaxConcurrency"] = _LOCAL_CONCURRENCY
    return {**found, **parameters}


def _architecture(endpoint: Endpoint) -> Architecture:
    return host_architecture() if endpoint.local else "x86_64"  # AWS has both
