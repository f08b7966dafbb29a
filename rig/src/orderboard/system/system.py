"""The whole system: backend, stack, order-api and workers, started in order and ended in reverse."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.deploy import DeployFailedError, delete, deploy
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
from orderboard.system.backends import Backend, consent, listens, start_backend
from orderboard.system.process import PortTakenError, stop_all
from orderboard.system.services import Service, ServiceOptions, start_api, start_worker
from orderboard.system.state import KnownProcess, known
from orderboard.system.target import AWS_ERRORS, Target
from orderboard.terminal.progress import Screen

_STOP_WITHIN_S: Final = 10.0
# A message that comes twice counts as received twice, and an alert may be received three times only.
_PATIENT_RECEIVES: Final = "20"


@dataclass(frozen=True)
class SystemOptions:
    """What to run, and where."""

    backend: BackendName
    endpoint_url: str | None
    services: ServiceOptions
    stack_name: str = "orderboard"
    prefix: str = "orderboard"
    parameters: Mapping[str, str] = field(default_factory=dict)
    yes: bool = False
    disorder: str | None = None  # as localbus takes it
    manual_clock: bool = False
    keeps_stack: bool = True  # False: on a backend that runs on after us, take the stack away again


@dataclass
class System:
    """What runs."""

    target: Target
    backend: Backend
    options: SystemOptions
    services: list[Service]  # order-api first

    @property
    def console_url(self) -> str | None:
        """Where the console is, if it runs."""
        return next((each.url for each in self.services if each.process.name == "console"), None)

    def replace_worker(self) -> None:
        """Kill the first worker as a crash would, and start another. The new one is not awaited."""
        self.services[1].process.kill()
        self.add_worker()

    def add_worker(self) -> Service:
        """Start one more worker. It is not awaited."""
        number = len(self.services)
        worker = start_worker(self.target.endpoint, self.target.outputs, self.options.services, number)
        self.services.append(worker)
        return worker

    def processes(self) -> tuple[KnownProcess, ...]:
        """Every process of ours that runs, the backend first."""
        found = []
        with suppress(psutil.NoSuchProcess):
            found += [] if self.backend.pid is None else [known("backend", self.backend.pid)]
        found += [
            known(each.process.name, each.process.pid, each.url) for each in self.services if each.process.running()
        ]
        return tuple(found)


def start_system(options: SystemOptions, screen: Screen, stack: ExitStack) -> System:
    """Start everything and wait until it is ready. Whoever owns `stack` decides when it ends; on failure that is now.

    Call this on the main thread; see process.start.
    """
    logs_dir = options.services.logs_dir
    logs_dir.mkdir(parents=True, exist_ok=True)
    with screen.task(f"Backend {options.backend}") as task:
        backend = start_backend(
            options.backend,
            options.endpoint_url,
            logs_dir / "backend.log",
            detached=options.services.outlives_us,
            progress=task.detail,
            disorder=options.disorder,
            manual_clock=options.manual_clock,
        )
        if backend.stop is not None:
            stack.callback(backend.stop)
    consent(backend.endpoint, yes=options.yes)
    with screen.task("Stack from template.yaml") as task:
        notifier_zip = pack_notifier(backend.endpoint, logs_dir / "notifier.zip", task.detail)
        if not options.keeps_stack and backend.stop is None:
            stack.callback(remove_stack, backend.endpoint, options)
        outputs = deploy_stack(backend.endpoint, options, notifier_zip, task.detail)
    return _start_services(options, backend, outputs, screen, stack)


def deploy_stack(
    endpoint: Endpoint, options: SystemOptions, notifier_zip: Path, progress: Callable[[str], None]
) -> StackOutputs:
    """Deploy template.yaml; raise RigError that names the resources that failed."""
    runs_on: dict[str, str] = {"NotifierArchitecture": _architecture(endpoint)}
    if options.disorder is not None:
        runs_on["AlertsMaxReceiveCount"] = _PATIENT_RECEIVES
    if endpoint.capabilities.host_lambda:
        runs_on["NotifierRuntime"] = f"python{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return deploy(
            endpoint.session(),
            endpoint.endpoint_url,
            notifier_zip=notifier_zip,
            stack_name=options.stack_name,
            prefix=options.prefix,
            parameters={**runs_on, **options.parameters},
            progress=progress,
        )
    except DeployFailedError as exc:
        raise RigError(str(exc)) from exc
    except AWS_ERRORS as exc:
        raise RigError(f"The stack was not deployed: {exc}") from exc


def remove_stack(endpoint: Endpoint, options: SystemOptions) -> None:
    """Take the stack away, with everything in it; a backend that has gone took it along."""
    if listens(endpoint):
        delete(endpoint.session(), endpoint.endpoint_url, stack_name=options.stack_name, prefix=options.prefix)


def pack_notifier(endpoint: Endpoint, out: Path, progress: Callable[[str], None]) -> Path:
    """Pack the notifier's zip for where its Lambda will run."""
    host = endpoint.capabilities.host_lambda
    target = HostTarget() if host else LinuxTarget(_architecture(endpoint), "3.13")
    try:
        return build_notifier_zip(out, target, progress=progress)
    except NotifierZipError as exc:
        raise RigError(str(exc)) from exc


def _architecture(endpoint: Endpoint) -> Architecture:
    return host_architecture() if endpoint.local else "x86_64"  # AWS has both


def _start_services(
    options: SystemOptions, backend: Backend, outputs: StackOutputs, screen: Screen, stack: ExitStack
) -> System:
    services = options.services
    running: list[Service] = []
    stack.callback(lambda: stop_all([each.process for each in running], deadline_s=_STOP_WITHIN_S))
    with screen.task("order-api and worker" if services.workers == 1 else f"order-api and {services.workers} workers"):
        running.append(start_api(backend.endpoint, outputs, services))
        numbers = range(1, services.workers + 1)
        running.extend(start_worker(backend.endpoint, outputs, services, number) for number in numbers)
        try:
            running[0].wait()
        except PortTakenError:
            if services.api_port is not None:
                raise
            running[0] = start_api(backend.endpoint, outputs, services)
        for service in running:
            service.wait()
    target = Target(backend.endpoint, outputs, running[0].url)
    return System(target, backend, options, running)
