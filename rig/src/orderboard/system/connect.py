"""Finds the system that a command is about: the one that `up` started here, or the one that the options name."""

from typing import Final

from orderboard_stack.backend import BackendName, Endpoint

from orderboard.errors import RigError
from orderboard.system.backends import checked_url, reach
from orderboard.system.state import State, StateFile
from orderboard.system.target import RESTART_HINT, Connection, Target, target
from orderboard.system.workspace import Workspace, find_workspace

DEFAULT_STACK: Final = "orderboard"
_ANSWERS_WITHIN_S: Final = 5.0


def connect(
    backend: BackendName | None = None,
    endpoint_url: str | None = None,
    stack_name: str | None = None,
) -> Target:
    """The deployed system; raise RigError, with the fix, when there is none."""
    endpoint, state = _answering(*find_endpoint(backend, endpoint_url))
    if state is None:
        return target(endpoint, stack_name or DEFAULT_STACK, None)
    return target(endpoint, stack_name or state.stack_name, state.api_url)


def connect_backend(
    backend: BackendName | None = None, endpoint_url: str | None = None
) -> tuple[Connection, State | None]:
    """The backend for what needs no stack, with the state of `up` if that started it. It may be a localbus alone."""
    endpoint, state = _answering(*find_endpoint(backend, endpoint_url, alone=True))
    return Connection(endpoint), state


def find_endpoint(
    backend: BackendName | None, endpoint_url: str | None, *, alone: bool = False
) -> tuple[Endpoint, State | None]:
    """The backend that the options name, else the one that `up` started here, with its state. alone: see detect."""
    if endpoint_url is not None or backend == "aws":
        return reach(backend, endpoint_url, alone=alone), None
    state = StateFile(find_workspace().state_dir).read()
    if state is not None and backend in (None, state.backend):
        return state.endpoint, state
    if backend is not None:
        return reach(backend, endpoint_url), None
    raise RigError("Nothing is running here. Start it with `orderboard up`, or name a backend with --endpoint-url.")


def _answering(endpoint: Endpoint, state: State | None) -> tuple[Endpoint, State | None]:
    """Return both; raise RigError if the system of `up` does not answer: an SDK would go on trying for minutes."""
    if state is not None and (url := endpoint.unanswered(within_s=_ANSWERS_WITHIN_S)) is not None:
        raise RigError(f"No answer from {url}. {RESTART_HINT}")
    return endpoint, state


def running() -> tuple[Endpoint, State]:
    """The system that `up` started here; raise RigError if there is none."""
    state = StateFile(find_workspace().state_dir).read()
    if state is None:
        raise RigError("Nothing is running here. Start it with `orderboard up`.")
    return state.endpoint, state


def api_address(api_url: str | None) -> str:
    """The URL of order-api: as given, else as `up` started it here."""
    if api_url is not None:
        return checked_url("--api-url", api_url).rstrip("/")
    state = StateFile(find_workspace().state_dir).read()
    if state is None:
        raise RigError("Nothing is running here. Start it with `orderboard up`, or name order-api with --api-url.")
    return state.api_url


def local_logs(endpoint: Endpoint, workspace: Workspace) -> bool:
    """Return whether the logs here are those of the system at this endpoint."""
    state = StateFile(workspace.state_dir).read()
    return state is not None and state.endpoint_url == endpoint.endpoint_url
