"""The worker as a Lambda function: its settings, and the event source mappings that feed it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.errors import RigError, UsageError
from orderboard.system.target import Target

# Defaults of template.yaml.
_TIMES: Final = {"WorkVisibilityTimeoutS": 30, "WorkerTimeoutS": 5}
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_TIMEOUTS: Final = 6
_SETTLED_WITHIN_S: Final = 120.0
_SETTLED: Final = ("Enabled", "Disabled")


@dataclass(frozen=True)
class WorkerFunction:
    """The function of a deployed stack."""

    target: Target

    @property
    def name(self) -> str:
        """The function's name; raise RigError if the stack's workers are processes."""
        if (name := self.target.outputs.worker_function) is None:
            raise RigError("The stack has no worker function. Deploy it with: orderboard deploy --worker lambda")
        return name

    def states(self) -> dict[str, str]:
        """Return the state of each mapping, such as Enabled, by the role of its queue."""
        functions = self.target.functions
        mappings = self.target.outputs.worker_mappings
        return {role: functions.get_event_source_mapping(UUID=uuid)["State"] for role, uuid in mappings.items()}

    def set_enabled(self, *, enabled: bool) -> None:
        """Enable or disable both mappings, and wait for it. Invocations under way finish."""
        for uuid in self.target.outputs.worker_mappings.values():
            self._settle(uuid)
            self.target.functions.update_event_source_mapping(UUID=uuid, Enabled=enabled)
        for uuid in self.target.outputs.worker_mappings.values():
            self._settle(uuid)

    def resume(self) -> None:
        """Enable the mappings unless both are: one that was disabled stays so through a deployment."""
        if any(state != "Enabled" for state in self.states().values()):
            self.set_enabled(enabled=True)

    def environment(self) -> dict[str, str]:
        """Return the variables that the function has."""
        found = self.target.functions.get_function_configuration(FunctionName=self.name)
        return dict(found.get("Environment", {}).get("Variables", {}))

    def set_environment(self, changes: Mapping[str, str]) -> None:
        """Set variables beside those of the template. Lambda then starts new execution environments."""
        before = self.environment()
        wanted = {**before, **changes}
        if wanted == before:
            return
        functions = self.target.functions
        waiter = functions.get_waiter("function_updated_v2")
        waiter.wait(FunctionName=self.name, WaiterConfig={"Delay": 1})
        functions.update_function_configuration(FunctionName=self.name, Environment={"Variables": wanted})
        waiter.wait(FunctionName=self.name, WaiterConfig={"Delay": 1})

    def _settle(self, uuid: str) -> None:
        """Wait until the mapping is in no transition: Lambda accepts no change before."""
        until = time.monotonic() + _SETTLED_WITHIN_S
        while (state := self.target.functions.get_event_source_mapping(UUID=uuid)["State"]) not in _SETTLED:
            if time.monotonic() >= until:
                raise RigError(f"The mapping {uuid} is still {state} after {_SETTLED_WITHIN_S:g} s.")
            time.sleep(0.05 if self.target.endpoint.local else 1.0)


def check_times(parameters: Mapping[str, str]) -> None:
    """Raise UsageError if messages could be visible again before the function's time ends.

    Six timeouts leave room for the attempts of Lambda while the function is throttled.
    """
    times = {name: int(parameters.get(name, default)) for name, default in _TIMES.items()}
    least_s = _TIMEOUTS * times["WorkerTimeoutS"]
    if times["WorkVisibilityTimeoutS"] < least_s:
        raise UsageError(
            f"WorkVisibilityTimeoutS is {times['WorkVisibilityTimeoutS']} s, but with a worker function it must be at "
            f"least six times WorkerTimeoutS, which is {times['WorkerTimeoutS']} s: {least_s} s. Set either parameter."
        )
