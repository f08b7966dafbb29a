"""The worker as a Lambda function, as the rig handles it: its times, its settings, its mappings."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from orderboard.console import controls, snapshot
from orderboard.console.snapshot import Snapshot
from orderboard.errors import RigError, UsageError
from orderboard.system.state import State, StateFile
from orderboard.system.target import Target
from orderboard.system.worker_function import WorkerFunction, check_times
from orderboard.system.workers import Workers
from orderboard.system.workspace import Workspace


@dataclass
class FakeLambda:
    """Lambda with one function and two mappings, which take a look to settle after each change."""

    variables: dict[str, str] = field(default_factory=lambda: {"ORDERBOARD_WORK_QUEUE": "cafe-work"})
    states: dict[str, str] = field(default_factory=lambda: {"m-work": "Enabled", "m-express": "Creating"})
    updates: int = 0

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        """Return the variables."""
        assert FunctionName == "cafe-worker"
        return {"Environment": {"Variables": self.variables}}

    def update_function_configuration(self, *, FunctionName: str, Environment: Any) -> None:  # noqa: N803
        """Replace the variables: Lambda keeps none that the request leaves out."""
        assert FunctionName == "cafe-worker"
        self.variables = dict(Environment["Variables"])
        self.updates += 1

    def get_waiter(self, name: str) -> SimpleNamespace:
        """Return the waiter for updates, which are done at once."""
        assert name == "function_updated_v2"
        return SimpleNamespace(wait=lambda **_: None)

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803
        """Return the state, which settles after the look."""
        state = self.states[UUID]
        self.states[UUID] = {"Creating": "Enabled", "Enabling": "Enabled", "Disabling": "Disabled"}.get(state, state)
        return {"State": state}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        """Begin the change; Lambda refuses one while another is under way."""
        assert self.states[UUID] in ("Enabled", "Disabled"), "ResourceInUseException"
        self.states[UUID] = "Enabling" if Enabled else "Disabling"


def target(functions: FakeLambda, name: str | None = "cafe-worker") -> Target:
    """A stack with this function."""
    mappings = {"work": "m-work", "express": "m-express"}
    outputs = SimpleNamespace(worker_function=name, worker_mappings=mappings)
    return cast("Target", SimpleNamespace(functions=functions, outputs=outputs, endpoint=SimpleNamespace(local=True)))


def workers(tmp_path: Path, functions: FakeLambda) -> Workers:
    """The workers of a system that `up --worker lambda` started."""
    files = StateFile(tmp_path)
    files.write(
        State(
            backend="embedded",
            endpoint_url="http://127.0.0.1:1",
            region="us-east-1",
            stack_name="cafe",
            prefix="cafe",
            api_url="http://127.0.0.1:2",
            worker="lambda",
            processes=(),
        )
    )
    return Workers(Workspace(tmp_path, tmp_path), files.read, lambda: target(functions))


@pytest.mark.parametrize("timeout_s", ["6", "900"])
def test_a_visibility_timeout_below_six_timeouts_is_refused(timeout_s: str) -> None:
    """The error has both values, the least one and both ways out: the default visibility timeout is 30 s."""
    with pytest.raises(UsageError, match=f"is 30 s, .* WorkerTimeoutS, which is {timeout_s} s: {6 * int(timeout_s)} s"):
        check_times({"WorkerTimeoutS": timeout_s})


@pytest.mark.parametrize("given", [{}, {"WorkerTimeoutS": "10", "WorkVisibilityTimeoutS": "60"}])
def test_six_timeouts_are_enough(given: dict[str, str]) -> None:
    """The template's defaults fit together, and so do exactly six timeouts."""
    check_times(given)


def test_settings_are_set_beside_those_of_the_template() -> None:
    """Lambda replaces all variables at once, so the others are sent again; the same settings need no update."""
    functions = FakeLambda()
    function = WorkerFunction(target(functions))

    function.set_environment({"ORDERBOARD_PREPARATION_MS": "5"})
    function.set_environment({"ORDERBOARD_PREPARATION_MS": "5"})

    assert functions.variables == {"ORDERBOARD_WORK_QUEUE": "cafe-work", "ORDERBOARD_PREPARATION_MS": "5"}
    assert functions.updates == 1


def test_stop_and_start_change_both_mappings_once_they_have_settled() -> None:
    """A change during another one is refused by Lambda, so each waits for the one before."""
    functions = FakeLambda()
    function = WorkerFunction(target(functions))

    function.set_enabled(enabled=False)
    assert function.states() == {"work": "Disabled", "express": "Disabled"}
    function.set_enabled(enabled=True)
    assert function.states() == {"work": "Enabled", "express": "Enabled"}


def test_up_enables_what_an_earlier_stop_disabled() -> None:
    """A deployment leaves a disabled mapping as it is, so `up` enables it; what is enabled is not touched."""
    functions = FakeLambda(states={"m-work": "Enabled", "m-express": "Disabled"})
    function = WorkerFunction(target(functions))

    function.resume()
    assert function.states() == {"work": "Enabled", "express": "Enabled"}
    functions.update_event_source_mapping = lambda **_: pytest.fail("nothing is to change")  # type: ignore[method-assign]
    function.resume()


def test_a_stack_of_processes_has_no_function() -> None:
    """The error names the command that deploys one."""
    with pytest.raises(RigError, match="orderboard deploy --worker lambda"):
        WorkerFunction(target(FakeLambda(), None)).name  # noqa: B018


@pytest.mark.parametrize(("enabled", "state", "effective"), [(True, "running", "stop"), (False, "stopped", "start")])
def test_the_console_shows_it_as_a_worker_that_can_be_stopped_and_started(
    *, enabled: bool, state: str, effective: str
) -> None:
    """It runs while its mappings do; of its controls one has an effect, and the others say why not."""
    functions = FakeLambda()
    WorkerFunction(target(functions)).set_enabled(enabled=enabled)

    (worker,) = snapshot._function(target(functions)) or ()
    found = controls._of_function(cast("Snapshot", SimpleNamespace(workers=(worker,))))

    assert (worker.name, worker.state, worker.function) == ("worker-1", state, "cafe-worker")
    assert [name for name, control in found.items() if control.reason is None] == [f"worker-1.{effective}"]
    assert "The worker is a Lambda function" in str(found["worker-1.kill"].reason)


def test_no_process_joins_a_function(tmp_path: Path) -> None:
    """Workers as processes beside the function would compete with it: each such action says what there is instead."""
    found = workers(tmp_path, FakeLambda())

    for act in (found.add, lambda: found.scale(2), lambda: found.act("worker-1", "kill")):
        with pytest.raises(RigError, match="The worker is a Lambda function here"):
            act()
    found.keep_first()
    assert found.all() == []


def test_a_setting_of_all_workers_is_the_functions_variable(tmp_path: Path) -> None:
    """`worker set`, and the console, change the function, and the state remembers it."""
    functions = FakeLambda()
    found = workers(tmp_path, functions)

    found.set_environment({"ORDERBOARD_PREPARATION_MS": "7"})

    assert functions.variables["ORDERBOARD_PREPARATION_MS"] == "7"
    assert found.environment == {"ORDERBOARD_PREPARATION_MS": "7"}
