"""`deploy`: only the stack, on a backend that runs already. What uses it is started elsewhere."""

import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from orderboard_stack.backend import BackendName
from orderboard_stack.outputs import StackOutputs

from orderboard.errors import UsageError
from orderboard.system.backends import consent
from orderboard.system.connect import find_endpoint
from orderboard.system.services import ServiceOptions
from orderboard.system.system import SystemOptions, deploy_stack, pack_notifier
from orderboard.terminal.progress import Screen


def run_deploy(
    backend: BackendName | None,
    endpoint_url: str | None,
    *,
    stack_name: str,
    prefix: str,
    parameters: Mapping[str, str],
    yes: bool,
    screen: Screen,
) -> dict[str, str]:
    """Create the stack or bring it up to date; returns the environment for the services, the backend's included."""
    endpoint, _ = find_endpoint(backend, endpoint_url)
    consent(endpoint, yes=yes)
    with tempfile.TemporaryDirectory() as folder:
        options = SystemOptions(
            backend=endpoint.name,
            endpoint_url=endpoint.endpoint_url,
            services=ServiceOptions(logs_dir=Path(folder)),
            stack_name=stack_name,
            prefix=prefix,
            parameters=parameters,
        )
        with screen.task("Notifier packed") as task:
            notifier_zip = pack_notifier(endpoint, Path(folder) / "notifier.zip", task.detail)
        with screen.task(f"Stack {stack_name}") as task:
            outputs: StackOutputs = deploy_stack(endpoint, options, notifier_zip, task.detail)
    return endpoint.environment() | outputs.environment()


def read_parameters(texts: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs; raise UsageError for anything else."""
    pairs = [text.partition("=") for text in texts]
    for (name, equals, _), text in zip(pairs, texts, strict=True):
        if not name or not equals:
            raise UsageError(f"{text} is no parameter. Write NAME=VALUE, such as LargeOrderCents=5000.")
    return {name: value for name, _, value in pairs}


def export_lines(environment: Mapping[str, str], *, export: bool) -> list[str]:
    """The variables, one a line; with export as a shell reads them."""
    return [f"{'export ' if export else ''}{name}={shlex.quote(value)}\n" for name, value in environment.items()]
