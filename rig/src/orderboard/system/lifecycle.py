"""`up` and `down`: a system that runs on in the background, and its end."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from orderboard_stack.backend import BackendName
from orderboard_stack.local_backend import stop_local

from orderboard.console.server import start_console
from orderboard.errors import RigError
from orderboard.system.process import PortTakenError
from orderboard.system.services import Service, ServiceOptions, is_free
from orderboard.system.state import State, StateFile, end
from orderboard.system.system import System, SystemOptions, start_system
from orderboard.system.workspace import Workspace
from orderboard.terminal.progress import Screen

DEFAULT_PORT: Final = 8000
_STOP_WITHIN_S: Final = 25.0  # a worker drains for 20 s at most


def up(
    workspace: Workspace,
    screen: Screen,
    *,
    backend: BackendName,
    endpoint_url: str | None,
    port: int | None,
    workers: int,
    allow_faults: bool,
    yes: bool,
    with_console: bool = True,
    disorder: str | None = None,
    manual_clock: bool = False,
) -> System:
    """Start everything and leave it running. On failure nothing is left, but the logs."""
    state_file = StateFile(workspace.state_dir)
    with state_file.locked():
        _refuse_second(state_file)
        for old in workspace.logs_dir.glob("*.log"):
            old.unlink()
        options = SystemOptions(
            backend=backend,
            endpoint_url=endpoint_url,
            services=ServiceOptions(
                logs_dir=workspace.logs_dir,
                api_port=_free(port),
                usual_api_port=DEFAULT_PORT,
                workers=workers,
                allow_faults=allow_faults,
                outlives_us=True,
                takes_settings=True,
            ),
            yes=yes,
            disorder=disorder,
            manual_clock=manual_clock,
        )
        with ExitStack() as stack:
            system = start_system(options, screen, stack)
            if with_console:
                with screen.task("Console"):
                    system.services.append(_ready_console(workspace, stack))
            # From here on it is remembered, so that `down` ends it; before, leaving this block does.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            state_file.write(_state(system))
            stack.pop_all()
            signal.signal(signal.SIGINT, before)
        return system


def down(workspace: Workspace, *, progress: Callable[[str], None]) -> list[str]:
    """End everything that `up` started, and return its names. Nothing running is fine."""
    state_file = StateFile(workspace.state_dir)
    with state_file.locked():
        state = state_file.read()
        if state is None:
            return []
        services = tuple(each for each in state.processes if each.name != "backend")
        progress("Ending order-api and workers; they finish what they have in hand ...")
        ended = end(services, deadline_s=_STOP_WITHIN_S)
        ended += _end_backend(workspace, state)
        state_file.forget()
        return ended


def _refuse_second(state_file: StateFile) -> None:
    state = state_file.read()
    if state is None:
        return
    running = [each.name for each in state.processes if each.find() is not None]
    if running:
        raise RigError(f"It runs already ({', '.join(running)}): {state.api_url}. End it first: orderboard down")
    state_file.forget()  # all of it died, or the machine was started anew


def _free(wanted: int | None) -> int | None:
    if wanted is not None and not is_free(wanted):
        raise RigError(f"Port {wanted} is taken. Name another with --port, or leave it out for a free one.")
    return wanted


def _ready_console(workspace: Workspace, stack: ExitStack) -> Service:
    console = start_console(workspace.logs_dir)
    stack.callback(console.process.kill)
    try:
        console.wait()
    except PortTakenError:  # somebody was faster
        console = start_console(workspace.logs_dir)
        stack.callback(console.process.kill)
        console.wait()
    return console


def _end_backend(workspace: Workspace, state: State) -> list[str]:
    if state.container_id is not None:
        from orderboard_stack.localstack import stop_localstack  # noqa: PLC0415 - the Docker SDK is slow to import

        return ["localstack"] if stop_localstack(state.container_id) else []
    for each in state.processes:
        if each.name == "backend" and each.find() is not None:
            stop_local(each.pid, workspace.logs_dir / "backend.log")
            return ["backend"]
    return []


def _state(system: System) -> State:
    endpoint = system.target.endpoint
    return State(
        backend=endpoint.name,
        endpoint_url=endpoint.endpoint_url,
        tables_url=endpoint.tables_url,
        region=endpoint.region,
        stack_name=system.options.stack_name,
        prefix=system.options.prefix,
        api_url=system.target.api(),
        container_id=system.backend.container_id,
        allow_faults=system.options.services.allow_faults,
        processes=system.processes(),
    )
