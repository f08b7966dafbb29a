"""A system that runs already: its stack and, if `up` started it here, its processes. A burst ends nothing of it."""

import uuid
from dataclasses import dataclass, replace
from typing import Final

from orderboard.burst.targets.named import TOKEN_VARIABLE, NamedTarget
from orderboard.errors import RigError
from orderboard.system.backends import Backend
from orderboard.system.connect import connect
from orderboard.system.state import KnownProcess
from orderboard.system.system import System, SystemOptions
from orderboard.system.target import Target
from orderboard.system.workspace import find_workspace

_ANSWERS_WITHIN_S: Final = 5.0


@dataclass
class GivenSystem(System):
    """A system whose services are not ours. known: its processes, as far as they are on this machine."""

    known: tuple[KnownProcess, ...] = ()

    def processes(self) -> tuple[KnownProcess, ...]:
        """Return every known process that runs."""
        return tuple(each for each in self.known if each.find() is not None)

    @property
    def given_workers(self) -> int:
        """The number of its workers on this machine; a function counts as one."""
        if self.target.outputs.worker_function is not None:
            return 1
        return sum(each.name.startswith("worker") for each in self.processes())


def stack_of(named: NamedTarget) -> Target | None:
    """Return the stack, None for order-api alone; raise RigError unless order-api answers as one."""
    check_api(named.api_url, named.token)
    if not named.has_stack:
        return None
    target = connect(named.backend, named.endpoint_url, named.stack_name)
    return Target(target.endpoint, target.outputs, named.api_url)


def given_system(target: Target, named: NamedTarget, options: SystemOptions) -> GivenSystem:
    """Return the running system."""
    known: tuple[KnownProcess, ...] = ()
    if named.state is not None:
        known = named.state.processes
        options = replace(options, services=replace(options.services, logs_dir=find_workspace().logs_dir))
    return GivenSystem(target, Backend(target.endpoint), options, known=known)


def check_api(api_url: str, token: str | None) -> None:
    """Look up an order that does not exist; raise RigError, with the fix, unless order-api answers so."""
    import httpx  # noqa: PLC0415 - takes long to import

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        url = f"{api_url}/orders/{uuid.uuid4()}"
        answer = httpx.get(url, headers=headers, timeout=_ANSWERS_WITHIN_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise RigError(f"No answer from order-api at {api_url}: {exc or type(exc).__name__}.") from exc
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        wrong = "does not accept the token of" if token is not None else "expects a token: set"
        raise RigError(f"order-api at {api_url} {wrong} {TOKEN_VARIABLE}.")
    if answer.headers.get("content-type", "").split(";")[0] != "application/problem+json":
        raise RigError(
            f"{api_url} does not answer like order-api: {answer.status_code} for an order that does not exist. "
            "Give the URL below which /orders is."
        )
