"""order-api and worker as processes: what they are told by their environment, and when they are ready."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs

from orderboard.system.process import ChildProcess, start, wait_ready

HOST: Final = "127.0.0.1"
_READY_WITHIN_S: Final = 30.0


@dataclass(frozen=True)
class ServiceOptions:
    """How the services are run."""

    logs_dir: Path
    api_port: int | None = None  # None: the usual one if it is free, else any
    usual_api_port: int | None = None
    workers: int = 1
    allow_faults: bool = False
    outlives_us: bool = False
    takes_settings: bool = False  # whether ORDERBOARD_ variables of the user's shell count
    worker_environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A process, and where it says that it is ready."""

    process: ChildProcess
    url: str

    def wait(self) -> None:
        """Wait until it is ready; raise NotReadyError, with its log's tail, when it does not become so."""
        wait_ready(self.process, f"{self.url}/healthz", deadline_s=_READY_WITHIN_S)


def start_api(endpoint: Endpoint, outputs: StackOutputs, options: ServiceOptions) -> Service:
    """Start order-api. It is not ready yet."""
    port = options.api_port or free_port(options.usual_api_port)
    environment = _environment(endpoint, outputs, options) | {
        "ORDERBOARD_API_HOST": HOST,
        "ORDERBOARD_API_PORT": str(port),
    }
    return _start("order-api", "order_api", environment, port, options)


def start_worker(endpoint: Endpoint, outputs: StackOutputs, options: ServiceOptions, number: int) -> Service:
    """Start one worker. It is not ready yet."""
    port = free_port()
    environment = {
        **_inherited(endpoint, options),
        **worker_environment(endpoint, outputs, options, number),
        "ORDERBOARD_WORKER_METRICS_PORT": str(port),
    }
    return _start(f"worker-{number}", "worker", environment, port, options)


def worker_environment(
    endpoint: Endpoint, outputs: StackOutputs, options: ServiceOptions, number: int
) -> dict[str, str]:
    """What a worker is told besides what it inherits, and besides a free port for its numbers."""
    return {
        **_told(endpoint, outputs, options),
        **options.worker_environment,
        "ORDERBOARD_WORKER_ID": f"worker-{number}",
    }


def free_port(usual: int | None = None) -> int:
    """A port of 127.0.0.1 that nobody has at this moment: the usual one where that is so."""
    if usual is not None and is_free(usual):
        return usual
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a service could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _start(name: str, module: str, environment: Mapping[str, str], port: int, options: ServiceOptions) -> Service:
    log_path = options.logs_dir / f"{name}.log"
    arguments = [sys.executable, "-m", module]
    process = start(name, arguments, environment, log_path, outlives_us=options.outlives_us)
    return Service(process, f"http://{HOST}:{port}")


def _environment(endpoint: Endpoint, outputs: StackOutputs, options: ServiceOptions) -> dict[str, str]:
    return _inherited(endpoint, options) | _told(endpoint, outputs, options)


def _inherited(endpoint: Endpoint, options: ServiceOptions) -> dict[str, str]:
    # AWS_ENDPOINT_URL_SQS and the like would lead past the backend that was chosen, and a user's own credentials,
    # profile and proxies are nothing for a local one.
    left_out: tuple[str, ...] = ("AWS_",) if endpoint.local else ("AWS_ENDPOINT_URL",)
    if not options.takes_settings:
        left_out += ("ORDERBOARD_",)
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def _told(endpoint: Endpoint, outputs: StackOutputs, options: ServiceOptions) -> dict[str, str]:
    past_proxies = {"NO_PROXY": "*", "no_proxy": "*"} if endpoint.local else {}
    return (
        past_proxies
        | endpoint.environment()
        | outputs.environment()
        | {"ORDERBOARD_ALLOW_FAULTS": str(options.allow_faults).lower(), "PYTHONUNBUFFERED": "1"}
    )
