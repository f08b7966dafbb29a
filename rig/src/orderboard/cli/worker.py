"""`orderboard worker`: the workers of the system that `up` started."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import time
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from orderboard.cli.options import JsonOption
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import print_json, progress_screen, result_console
from orderboard.terminal.tables import plain_table

if TYPE_CHECKING:
    from orderboard.system.state import KnownProcess
    from orderboard.system.workers import Action, Workers

EXAMPLES: Final = (
    "orderboard worker",
    "orderboard worker kill worker-1 && orderboard worker start worker-1",
    "orderboard worker freeze --all",
    "orderboard worker set ORDERBOARD_PREPARATION_MS=500",
)
_DONE: Final = {
    "stop": "{0} has stopped. Start it again: orderboard worker start {0}",
    "start": "{0} is running.",
    "kill": "{0} was killed (SIGKILL). Start it again: orderboard worker start {0}",
    "freeze": "{0} is frozen (SIGSTOP), with its messages in flight. Thaw it: orderboard worker thaw {0}",
    "thaw": "{0} goes on (SIGCONT).",
}
_FUNCTION_DONE: Final = {
    "stop": ("disabled", "The function has no more invocations. Go on: orderboard worker start"),
    "start": ("enabled", "The function polls its queues."),
}
_POLL_S: Final = 0.05

WorkerAction = Literal["list", "stop", "start", "kill", "freeze", "thaw", "add", "set"]


def worker(
    action: Annotated[
        WorkerAction,
        typer.Argument(
            help="list; stop (SIGTERM: it finishes its orders), start, kill (SIGKILL), freeze (SIGSTOP), "
            "thaw (SIGCONT); add one more; set a variable, for which the running workers are replaced.",
            metavar="ACTION",
        ),
    ] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="The workers, such as worker-1 or 1; not needed if there is only one. With set: NAME=VALUE.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All workers for which the action has an effect.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Stop, start, kill, freeze or thaw workers of the running system, or add one.

    Of a worker that is a Lambda function, stop disables its event source mappings and start enables them.
    """
    from orderboard.system.connect import connect, running
    from orderboard.system.state import StateFile
    from orderboard.system.workers import Workers
    from orderboard.system.workspace import find_workspace

    _, state = running()  # or there is nothing to act on
    workspace = find_workspace()
    workers = Workers(workspace, StateFile(workspace.state_dir).read, connect)
    if state.worker == "lambda" and action in ("list", "stop", "start"):
        _on_function(workers, action, names or [], json_output=json_output)
        return
    lines = _act(workers, action, names or [], every=every)
    if json_output:
        print_json({"workers": [_document(each) for each in workers.all()]})
    elif action == "list":
        _show(workers)
    else:
        for line in lines:
            result_console().print(f" {to_paste(line)}", markup=False, soft_wrap=True)


def _act(workers: "Workers", action: WorkerAction, names: list[str], *, every: bool) -> list[str]:
    """Carry it out; return what to print."""
    if action in ("list", "add") and (names or every):
        raise UsageError(f"`worker {action}` takes no names.")
    if action == "list":
        return []
    if action == "set":
        variables = dict(map(_variable, names))
        if not variables or every:
            raise UsageError("`worker set` sets variables of all workers. Give NAME=VALUE, and no --all.")
        with progress_screen() as screen, screen.task("Workers replaced"):
            workers.set_environment(variables)
        return [f"All workers have {name}={value}." for name, value in variables.items()]
    if (reason := workers.no_processes()) is not None:
        raise RigError(reason)
    if action == "add":
        with progress_screen() as screen, screen.task("Worker started"):
            added = workers.add()
        return [f"{added.name} is running."]
    return _on_workers(workers, action, names, every=every)


def _on_function(workers: "Workers", action: WorkerAction, names: list[str], *, json_output: bool) -> None:
    """List, stop or start the worker that is a Lambda function."""
    from orderboard.system.worker_function import WorkerFunction
    from orderboard.system.workers import FUNCTION

    function = WorkerFunction(workers.target())
    if names and names != [FUNCTION]:
        raise UsageError(f"The worker is one Lambda function, {function.name}: leave {' '.join(names)} out.")
    if action != "list":
        with progress_screen() as screen, screen.task(f"Event source mappings {_FUNCTION_DONE[action][0]}"):
            function.set_enabled(enabled=action == "start")
    states = function.states()
    if json_output:
        print_json({"function": function.name, "mappings": states, "environment": workers.environment})
    elif action == "list":
        table = plain_table("Mappings", "queue", "state")
        for each in states.items():
            table.add_row(*each)
        result_console().print(f" The worker is the Lambda function {function.name}.")
        result_console().print(table)
        _show_environment(workers)
    else:
        result_console().print(f" {to_paste(_FUNCTION_DONE[action][1])}", markup=False, soft_wrap=True)


def _on_workers(workers: "Workers", action: "Action", names: list[str], *, every: bool) -> list[str]:
    chosen = _chosen(workers, action, names, every=every)
    for each in chosen:
        if (reason := workers.refusal(each, action)) is not None:
            raise RigError(reason)
    with progress_screen() as screen:
        for each in chosen:
            if action == "start":
                with screen.task(f"{each.name} started"):
                    workers.act(each.name, action)
            else:
                workers.act(each.name, action)
        if action == "stop":
            with screen.task("Orders in progress finished"):
                _wait_until_ended(chosen)
    return [_DONE[action].format(each.name) for each in chosen]


def _chosen(workers: "Workers", action: "Action", names: list[str], *, every: bool) -> "list[KnownProcess]":
    if names and every:
        raise UsageError("Give names or --all, not both.")
    if names:
        return list({each.name: each for each in map(workers.named, names)}.values())
    possible = [each for each in workers.all() if workers.refusal(each, action) is None]
    if every and not possible:
        raise RigError(f"No worker can be acted on: {action} has no effect on any.")
    if every or len(possible) == 1:
        return possible
    known = workers.all()
    if len(known) == 1:
        return known  # its refusal says why the action has no effect
    found = ", ".join(each.name for each in possible or known)
    raise UsageError(f"`worker {action}` needs a name: one of {found}; or --all.")


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.startswith("ORDERBOARD_"):
        raise UsageError(
            f"{text!r} is not a setting of workers: expected NAME=VALUE, such as ORDERBOARD_PREPARATION_MS=500."
        )
    return name, value


def _wait_until_ended(stopping: "list[KnownProcess]") -> None:
    from orderboard.system.workers import DRAINS_WITHIN_S

    until = time.monotonic() + DRAINS_WITHIN_S
    while left := [each.name for each in stopping if each.find() is not None]:
        if time.monotonic() > until:
            fix = f"End it: orderboard worker kill {left[0]}"
            raise RigError(f"Still running after {DRAINS_WITHIN_S:.0f} s: {', '.join(left)}. {fix}")
        time.sleep(_POLL_S)


def _document(each: "KnownProcess") -> dict[str, object]:
    from orderboard.system.workers import condition

    return {"name": each.name, "pid": each.pid, "state": condition(each)}


def _show(workers: "Workers") -> None:
    table = plain_table("Workers", "worker", "state", numbers=["pid"])
    for each in map(_document, workers.all()):
        table.add_row(str(each["name"]), str(each["state"]), str(each["pid"]))
    result_console().print(table)
    _show_environment(workers)


def _show_environment(workers: "Workers") -> None:
    for name, value in workers.environment.items():
        result_console().print(f" {name}={value}", markup=False, soft_wrap=True)
