"""Finds the system that a command is about: the one that `up` started here, or the one that the options name."""

from typing import Final

from orderboard_stack.backend import BackendName, Endpoint

from orderboard.errors import RigError
from orderboard.system.backends import checked_url, reach
from orderboard.system.state import State, StateFile
from orderboard.system.target import RESTART_HINT, Target, target
from orderboard.system.workspace import Workspace, find_workspace

_ANSWERS_WITHIN_S: Final = 5.0


def connect(
    backend: BackendName | None = None,
    endpoint_url: str | None = None,
    stack_name: str | None = None,
) -> Target:
    """The deployed system; raise RigError, with the fix, when there is none."""
    endpoint, state = find_endpoint(backend, endpoint_url)
    if state is None:
        return target(endpoint, stack_name or "orderboard", None)
    if (url := endpoint.unanswered(within_s=_ANSWERS_WITHIN_S)) is not None:  # an SDK would go on trying for minutes
        raise RigError(f"No answer from {url}. {RESTART_HINT}")
    return target(endpoint, stack_name or state.stack_name, state.api_url)


def find_endpoint(backend: BackendName | None, endpoint_url: str | None) -> tuple[Endpoint, State | None]:
    """The backend that the options name, else the one that `up` started here, with its state."""
    if endpoint_url is not None or backend == "aws":
        return reach(backend, endpoint_url), None
    state = StateFile(find_workspace().state_dir).read()
    if state is not None and backend in (None, state.backend):
        return Endpoint(state.backend, state.endpoint_url, state.region, state.upstream_url), state
    if backend is not None:
        return reach(backend, endpoint_url), None
    raise RigError("Nothing is running here. Start it with `orderboard up`, or name a backend with --endpoint-url.")


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
