"""The backend of experiments: one that is started for them, with a clock that can be turned, or a running one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType

from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.localstack import DockerUnavailableError, engine

from orderboard.lab.experiment import Experiment
from orderboard.lab.steps import Settle, Wait
from orderboard.system.backends import consent, start_backend
from orderboard.system.localbus import CLOCK, Localbus, find


@dataclass(frozen=True)
class LabBackend:
    """A backend, its developer API if it is localbus, and this machine's address as it reaches it (None: it cannot)."""

    endpoint: Endpoint
    localbus: Localbus | None
    callback_host: str | None

    @property
    def turns_clock(self) -> bool:
        """True if the engine has a clock that can be turned."""
        return self.localbus is not None and bool((self.localbus.get(CLOCK) or {}).get("manual"))

    def refusal(self, needs: Set[str]) -> str:
        """Return why an experiment with these needs cannot run here; an empty text if it can."""
        for each in ("disorder", "faults"):
            if each in needs and self.localbus is None:
                return f"{self.endpoint.name} cannot be made to do this; localbus can, by its {each} settings."
        if "callback" in needs and self.callback_host is None:
            return "The backend does not reach an HTTP endpoint of this machine."
        return ""

    def seconds_of_waiting(self, experiment: Experiment) -> float:
        """Return the least number of real seconds that an experiment waits here."""
        if self.turns_clock or self.refusal(experiment.needs):
            return 0
        return _seconds(experiment, Wait if self.endpoint.local else Wait | Settle)

    def seconds_of_turning(self, experiment: Experiment) -> float:
        """Return the seconds by which an experiment turns the clock here."""
        return _seconds(experiment, Wait) if self.turns_clock else 0


def _seconds(experiment: Experiment, kinds: type[Wait] | UnionType) -> float:
    return sum(each.seconds for each in experiment.all_steps() if isinstance(each, kinds))


@contextmanager
def lab_backend(
    name: BackendName, endpoint_url: str | None, *, yes: bool = False, progress: Callable[[str], None] = lambda _: None
) -> Iterator[LabBackend]:
    """Start a backend for the length of a with block, or use the one at the URL, or AWS with the user's consent."""
    with TemporaryDirectory(prefix="orderboard-lab-") as folder:
        backend = start_backend(
            name,
            endpoint_url,
            Path(folder) / "backend.log",
            detached=False,
            progress=progress,
            manual_clock=name == "embedded" and endpoint_url is None,
            alone=True,
        )
        localbus = None
        try:
            consent(backend.endpoint, yes=yes)
            localbus = find(backend.endpoint)
            yield LabBackend(backend.endpoint, localbus, _callback_host(backend.endpoint))
        finally:
            if localbus is not None:
                localbus.close()
            if backend.stop is not None:
                backend.stop()


def _callback_host(endpoint: Endpoint) -> str | None:
    """Return this machine's address as the backend reaches it: from a container, the gateway of its network."""
    if not endpoint.local:
        return None
    if endpoint.name != "localstack":
        return "127.0.0.1"
    try:
        network = engine().networks.get("bridge").attrs
    except DockerUnavailableError:
        return None
    return str(network["IPAM"]["Config"][0]["Gateway"])
