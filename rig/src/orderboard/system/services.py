"""order-api, worker and console as processes: their environment, their ports, and when they are ready."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orderboard_stack.backend import Endpoint
from orderboard_stack.process import HEAP_SETTINGS, HOST, free_port

from orderboard.system.ports import CONSOLE_PORT
from orderboard.system.process import ChildProcess, start, wait_ready
from orderboard.system.workspace import STATE_DIR_VARIABLE
from orderboard.web.listening import listens_everywhere

if TYPE_CHECKING:
    from orderboard_stack.outputs import StackOutputs

_READY_WITHIN_S: Final = 30.0
_ALLOW_FAULTS: Final = "ORDERBOARD_ALLOW_FAULTS"
_MODULES: Final = {"order-api": "order_api", "worker": "worker"}


@dataclass(frozen=True)
class ServiceOptions:
    """The way the services run. api_host: for order-api, which needs a token at any other address than loopback."""

    logs_dir: Path
    api_host: str = HOST
    api_token: str | None = field(default=None, repr=False)
    api_port: int | None = None  # None: the usual one if it is free, else any
    usual_api_port: int | None = None
    workers: int = 1
    allow_faults: bool = False
    outlives_us: bool = False
    takes_settings: bool = False  # whether ORDERBOARD_ variables of the user's shell count
    worker_environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A process, and the URL where it reports its health and metrics."""

    process: ChildProcess
    url: str

    def wait(self) -> None:
        """Wait until it is ready; raise NotReadyError, with the tail of its log, if it does not become so."""
        wait_ready(self.process, f"{self.url}/healthz", deadline_s=_READY_WITHIN_S)


def start_api(
    endpoint: Endpoint, outputs: "StackOutputs", options: ServiceOptions, preloaded: ChildProcess | None = None
) -> Service:
    """Start order-api, or go on with a preloaded one. It is not ready yet."""
    port = options.api_port or free_port(options.usual_api_port)
    environment = {
        **_inherited(options, local=endpoint.local),
        **_settings(endpoint, outputs, options),
        **({} if options.api_token is None else {"ORDERBOARD_API_TOKEN": options.api_token}),
        "ORDERBOARD_API_HOST": options.api_host,
        "ORDERBOARD_API_PORT": str(port),
    }
    service = _start("order-api", environment, port, options, preloaded)
    return (
        service if listens_everywhere(options.api_host) else replace(service, url=f"http://{options.api_host}:{port}")
    )


def start_worker(
    endpoint: Endpoint,
    outputs: "StackOutputs",
    options: ServiceOptions,
    number: int,
    preloaded: ChildProcess | None = None,
) -> Service:
    """Start one worker, or go on with a preloaded one. It is not ready yet."""
    port = free_port()
    environment = {
        **_inherited(options, local=endpoint.local),
        **_settings(endpoint, outputs, options),
        **options.worker_environment,
        "ORDERBOARD_WORKER_ID": f"worker-{number}",
        "ORDERBOARD_WORKER_METRICS_PORT": str(port),
    }
    return _start(f"worker-{number}", environment, port, options, preloaded)


def preload(name: str, options: ServiceOptions, *, local: bool) -> ChildProcess:
    """Start a process that imports a service and waits for its environment, while the backend and the stack start."""
    return start(
        name,
        [sys.executable, "-m", "orderboard_stack.preload", _module(name)],
        _inherited(options, local=local),
        options.logs_dir / f"{name}.log",
        outlives_us=options.outlives_us,
        reads_stdin=True,
    )


def start_console(logs_dir: Path) -> Service:
    """Start the console as a process that outlives this one. It is not ready yet."""
    port = free_port(CONSOLE_PORT)
    command = [sys.executable, "-m", "orderboard.console", str(port)]
    process = start("console", command, os.environ, logs_dir / "console.log", outlives_us=True)
    return Service(process, f"http://{HOST}:{port}")


def worker_settings(outputs: "StackOutputs", options: ServiceOptions) -> dict[str, str]:
    """Return the settings of workers beside the names of the stack, with those of the user's shell where they count."""
    ours = (*outputs.environment(), _ALLOW_FAULTS, STATE_DIR_VARIABLE)
    of_shell = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("ORDERBOARD_") and not name.startswith("ORDERBOARD_API_") and name not in ours
    }
    return {**(of_shell if options.takes_settings else {}), **options.worker_environment}


def function_settings(outputs: "StackOutputs", options: ServiceOptions) -> dict[str, str]:
    """Return the variables of the worker's function beside those of the template."""
    return {**worker_settings(outputs, options), _ALLOW_FAULTS: str(options.allow_faults).lower()}


def _start(
    name: str, environment: Mapping[str, str], port: int, options: ServiceOptions, preloaded: ChildProcess | None
) -> Service:
    if preloaded is not None:
        preloaded.send(environment)
        return Service(preloaded, f"http://{HOST}:{port}")
    command = [sys.executable, "-m", _module(name)]
    process = start(name, command, environment, options.logs_dir / f"{name}.log", outlives_us=options.outlives_us)
    return Service(process, f"http://{HOST}:{port}")


def _settings(endpoint: Endpoint, outputs: "StackOutputs", options: ServiceOptions) -> dict[str, str]:
    no_proxy = {"NO_PROXY": "*", "no_proxy": "*"} if endpoint.local else {}
    faults = {_ALLOW_FAULTS: str(options.allow_faults).lower()}
    return no_proxy | endpoint.environment() | outputs.environment() | faults


def _module(name: str) -> str:
    return _MODULES[name.rstrip("-0123456789")]


def _inherited(options: ServiceOptions, *, local: bool) -> dict[str, str]:
    # AWS_ENDPOINT_URL_SQS and the like would lead past the chosen backend, and a user's own credentials, profile and
    # proxies are not for a local one.
    left_out: tuple[str, ...] = ("AWS_",) if local else ("AWS_ENDPOINT_URL",)
    left_out += ("OTEL_SERVICE_NAME",)  # each service has its name
    if not options.takes_settings:
        left_out += ("ORDERBOARD_",)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**HEAP_SETTINGS, **inherited, "PYTHONUNBUFFERED": "1"}
