"""`up`, `down` and `reset`: a system that runs on in the background, its end, and a clean start for the next."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orderboard_stack.local_processes import stop_local
from orderboard_stack.process import is_free

from orderboard.errors import RigError
from orderboard.system.kept_data import KeptData, kept_data, remove
from orderboard.system.services import worker_settings
from orderboard.system.state import KnownProcess, State, StateFile, end
from orderboard.system.system import System, SystemOptions, running_system
from orderboard.system.workspace import STATE_DIR_VARIABLE, Workspace
from orderboard.terminal.progress import Screen

_STOP_WITHIN_S: Final = 25.0  # a worker drains for 20 s at most
_CHANGED_WITHIN_S: Final = 60.0  # the console or a command may just start a worker


def up(workspace: Workspace, options: SystemOptions, screen: Screen, *, fresh: bool = False) -> System:
    """Start everything and leave it running. On failure nothing is left but the logs and what is kept.

    fresh: remove what is kept first.
    """
    with system_to_keep(workspace, options, screen, fresh=fresh) as system:
        return system


@contextmanager
def system_to_keep(
    workspace: Workspace,
    options: SystemOptions,
    screen: Screen,
    *,
    fresh: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[System]:
    """Start everything, and leave it running after the block, unless the block fails. meanwhile: see running_system."""
    state_file = StateFile(workspace.state_dir)
    with state_file.locked():
        _refuse_second(state_file, workspace)
        port = options.services.api_port
        if port is not None and not is_free(port):
            raise RigError(f"Port {port} is taken. Name another with --port, or leave it out for a free one.")
        if fresh:
            remove(workspace.data_dir)
        for old in workspace.logs_dir.glob("*.log"):
            old.unlink()
        with running_system(options, screen, meanwhile=meanwhile) as system:
            yield system
            # From here on its state is recorded, so that `down` ends it; before, leaving this block does.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            state_file.write(_state(system))
            system.leave_running()
            signal.signal(signal.SIGINT, before)


def down(workspace: Workspace, *, now: bool, progress: Callable[[str], None]) -> tuple[list[str], KeptData | None]:
    """End everything that `up` started. Return its names, none if nothing runs, and what is kept of its state.

    now: kill the services. Ctrl-C while they finish their orders does so too; a later one says what still runs.
    """
    state_file = StateFile(workspace.state_dir)
    with state_file.locked(within_s=_CHANGED_WITHIN_S):
        state = state_file.read()
        if state is None:
            return [], None
        services = tuple(each for each in state.processes if each.name != "backend")
        ended = [each.name for each in services if each.find() is not None]
        try:
            _end_services(services, now=now, progress=progress)
            ended += _end_backend(state)
        except KeyboardInterrupt as exc:
            names = [each.name for each in state.processes if each.find() is not None]
            names += [] if state.container_id is None else [state.backend]
            raise KeyboardInterrupt(
                f"Interrupted. Still running: {', '.join(names) or 'nothing'}. Go on with: orderboard down"
            ) from exc
        state_file.forget()
        return ended, None if state.data_dir is None else kept_data(state.data_dir)


def reset(workspace: Workspace, *, consent: Callable[[KeptData], None]) -> KeptData | None:
    """Remove what is kept and return what it was, None if nothing is. consent raises if the user does not agree."""
    state_file = StateFile(workspace.state_dir)
    with state_file.locked():
        _refuse_second(state_file, workspace)
        kept = kept_data(workspace.data_dir)
        if kept is not None:
            consent(kept)
            remove(kept.path)
        return kept


def _refuse_second(state_file: StateFile, workspace: Workspace) -> None:
    state = state_file.read()
    if state is None:
        return
    if state.on_ecs:
        raise RigError(
            f"A system on AWS is recorded here, which costs money: {state.api_url}. Remove it first: orderboard down. "
            f"For a second one beside it, name a state folder of yours: {STATE_DIR_VARIABLE}=FOLDER"
        )
    running = [each.name for each in state.processes if each.find() is not None]
    if running:
        raise RigError(
            f"A system is already running ({', '.join(running)}): {state.api_url}. "
            f"Its state is in {workspace.state_dir}. End it first: orderboard down. "
            f"For a second one beside it, name a state folder of yours: {STATE_DIR_VARIABLE}=FOLDER"
        )
    state_file.forget()  # all of it ended, or the computer was restarted


def _end_services(services: tuple[KnownProcess, ...], *, now: bool, progress: Callable[[str], None]) -> None:
    if not now:
        progress(
            f"Stopping order-api and workers. They finish their orders first, in {_STOP_WITHIN_S:.0f} s at most; "
            "to end them at once: Ctrl-C, or `orderboard down --now`."
        )
    try:
        end(services, deadline_s=0 if now else _STOP_WITHIN_S)
    except KeyboardInterrupt:
        progress("Ending them at once. Their messages return to the queues.")
        end(services, deadline_s=0)


def _end_backend(state: State) -> list[str]:
    if state.container_id is not None:
        from orderboard_stack.localstack import stop_localstack  # noqa: PLC0415 - the Docker SDK is slow to import

        return ["localstack"] if stop_localstack(state.container_id) else []
    for each in state.processes:
        if each.name == "backend" and each.find() is not None and state.backend_log is not None:
            stop_local(each.pid, state.backend_log)
            return ["backend"]
    return []


def _state(system: System) -> State:
    endpoint = system.target.endpoint
    worker_environment = worker_settings(system.target.outputs, system.options.services)
    return State(
        backend=endpoint.name,
        endpoint_url=endpoint.endpoint_url,
        upstream_url=endpoint.upstream_url,
        region=endpoint.region,
        stack_name=system.options.stack_name,
        prefix=system.options.prefix,
        api_url=system.target.api(),
        container_id=system.backend.container_id,
        worker=system.options.worker,
        allow_faults=system.options.services.allow_faults,
        worker_environment=worker_environment,
        first_worker_environment=worker_environment,
        backend_log=None if system.backend.pid is None else system.backend.log_path,
        data_dir=system.backend.data_dir,
        processes=system.processes(),
    )
