"""The commands of `orderboard`, and their errors as one line and an exit code.

0: success. 1: failure, the last line says why. 2: wrong usage. 130: interrupted.
Each command imports what it needs when it runs, so that `orderboard --help` answers at once.
"""

# ruff: noqa: PLC0415

import errno
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from orderboard.cli import (
    backup,
    compare_workers,
    console,
    controls,
    demo,
    deploy,
    doctor,
    down,
    environment,
    journal,
    lab,
    logs,
    messages,
    metrics,
    place,
    redrive,
    reset,
    show,
    status,
    up,
    worker,
    workshop,
)
from orderboard.cli.load import burst, bursts, calibrate, chaos, compare, machines
from orderboard.cli.option_errors import option_error
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import to_paste
from orderboard.system.workspace import STATE_DIR_VARIABLE, find_workspace
from orderboard.terminal.progress import error_console

_INTERRUPTED: Final = 128 + signal.SIGINT
_MAY_LEAVE_A_SYSTEM: Final = ("demo", "up")
_END_WHAT_THEY_START: Final = (*_MAY_LEAVE_A_SYSTEM, "burst", "calibrate", "chaos", "compare-workers", "lab")
# A file that cannot be written or read.
_FILE_ERRORS: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
}


class _Command(TyperCommand):
    """A command whose help shows no type for flags, which take no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class _Group(TyperGroup):
    """A command with subcommands and options, whose help shows no type for flags."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class _Commands(_Group):
    """Prints the error of a command as one line and sets its exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return them as they were added, but bursts beside what compares them: typer has all groups at the end."""
        names = super().list_commands(ctx)
        bursts = [name for name in ("burst", "bursts") if name in names]
        others = [name for name in names if name not in bursts]
        at = others.index("compare")
        return [*others[:at], *bursts, *others[at:]]

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            said = str(exc) or f"Interrupted.{_after_interrupt(ctx.invoked_subcommand)}"
            error_console().print(to_paste(said), markup=False, soft_wrap=True)
            raise typer.Exit(_INTERRUPTED) from None
        except RigError as exc:
            raise _exit(exc, 2 if isinstance(exc, UsageError) else 1) from exc
        except typer.BadParameter as exc:
            if (problem := option_error(exc)) is None:
                raise
            raise _exit(problem, 2) from exc
        except OSError as exc:
            if (problem := _file_error(exc)) is None:
                raise
            raise _exit(problem, 1) from exc
        except Exception as exc:
            from orderboard.system.target import AWS_ERRORS

            if isinstance(exc, AWS_ERRORS):
                raise _exit(_backend_error(exc), 1) from exc
            raise


def _without_types_of_flags(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _after_interrupt(command: str | None) -> str:
    """Return what is left of what the command started."""
    from orderboard.system.state import StateFile

    if command not in _END_WHAT_THEY_START:
        return ""
    if command in _MAY_LEAVE_A_SYSTEM and StateFile(find_workspace().state_dir).read() is not None:
        return " The system runs on. End it: orderboard down"
    return " Everything that this command started has ended."


def _file_error(error: OSError) -> str | None:
    """Return the error of a file in one line, with the fix if it is in the state folder; None for any other error."""
    state_dir = find_workspace().state_dir
    if error.filename is not None:
        path = Path(os.fsdecode(error.filename))
        missing = not state_dir.is_dir()
        if (missing or error.errno in _FILE_ERRORS) and (path.is_relative_to(state_dir) or path in state_dir.parents):
            return (
                f"The state folder {state_dir} cannot be {'created' if missing else 'used'}: {error.strerror}. "
                f"Set {STATE_DIR_VARIABLE} to a folder that you can write to."
            )
    return f"{error}." if error.errno in _FILE_ERRORS else None


def _backend_error(error: Exception) -> str:
    from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError

    if isinstance(error, (ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError)):
        return f"the backend does not answer: {error} To see what runs: orderboard status"
    return f"the backend failed or refused: {error}"


def _exit(message: object, code: int) -> typer.Exit:
    error_console().print(f"orderboard: {to_paste(str(message))}", markup=False, soft_wrap=True)
    return typer.Exit(code)


def _epilog(examples: Iterable[str]) -> str:
    return "\n\n".join(("Examples:", *map(to_paste, examples)))


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"orderboard {version('orderboard')}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Order Board: an event-driven order pipeline on SQS, SNS and EventBridge, on this machine.",
    epilog=to_paste("Start with [b]orderboard demo[/b]. Keep a system running with [b]orderboard up[/b].\n\n")
    + "State, logs and reports are in .orderboard inside the clone. Set ORDERBOARD_STATE_DIR to use another folder, "
    "for a second system or a read-only clone.",
)


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version  # handled by its callback


# In the order of `orderboard --help`.
_THE_SYSTEM: Final = "The system"
for _panel, _commands in {
    _THE_SYSTEM: (
        (demo.demo, demo.EXAMPLES),
        (compare.compare, compare.EXAMPLES),
        (compare_workers.compare_workers, compare_workers.EXAMPLES),
        (calibrate.calibrate, calibrate.EXAMPLES),
        (chaos.chaos, chaos.EXAMPLES),
        (up.up, up.EXAMPLES),
        (down.down, down.EXAMPLES),
        (reset.reset, reset.EXAMPLES),
        (deploy.deploy, deploy.EXAMPLES),
        (status.status, status.EXAMPLES),
        (metrics.alarms, metrics.ALARMS_EXAMPLES),
        (metrics.dashboard, metrics.DASHBOARD_EXAMPLES),
        (console.console, console.EXAMPLES),
        (doctor.doctor, doctor.EXAMPLES),
    ),
    "Orders": (
        (place.place, place.EXAMPLES),
        (show.show, show.EXAMPLES),
        (logs.logs, logs.EXAMPLES),
        (redrive.redrive, redrive.EXAMPLES),
        (redrive.replay, redrive.REPLAY_EXAMPLES),
    ),
    "Messages and your own code": (
        (environment.env, environment.ENV_EXAMPLES),
        (environment.aws, environment.AWS_EXAMPLES),
        (journal.journal, journal.EXAMPLES),
        (messages.peek, messages.PEEK_EXAMPLES),
        (messages.send, messages.SEND_EXAMPLES),
        (messages.publish, messages.PUBLISH_EXAMPLES),
        (messages.put_event, messages.PUT_EVENT_EXAMPLES),
    ),
    "Faults and time": (
        (worker.worker, worker.EXAMPLES),
        (controls.disorder, controls.DISORDER_EXAMPLES),
        (controls.faults, controls.FAULTS_EXAMPLES),
        (controls.clock, controls.CLOCK_EXAMPLES),
    ),
}.items():
    for _run, _examples in _commands:
        _settings = environment.AWS_SETTINGS if _run is environment.aws else None
        app.command(cls=_Command, epilog=_epilog(_examples), rich_help_panel=_panel, context_settings=_settings)(_run)

_lab_help: Final = "Run experiments that put claims about SQS, SNS, EventBridge and Lambda to the proof."
_workshop_help: Final = "Learn by twelve exercises, whose checks read what happened in the system."
_Subcommands = Sequence[tuple[str, Callable[..., None], Sequence[str]]]
_groups: dict[str, tuple[typer.Typer, _Subcommands]] = {
    "lab": (typer.Typer(cls=_Group, no_args_is_help=True, help=_lab_help), lab.COMMANDS),
    "workshop": (typer.Typer(cls=_Group, no_args_is_help=True, help=_workshop_help), workshop.COMMANDS),
    "backup": (typer.Typer(cls=_Group, no_args_is_help=True, help=backup.HELP), backup.COMMANDS),
    "burst": (
        typer.Typer(cls=_Group, callback=burst.burst, invoke_without_command=True, epilog=_epilog(burst.EXAMPLES)),
        machines.COMMANDS,
    ),
    "bursts": (
        typer.Typer(
            cls=_Group, callback=bursts.list_runs, invoke_without_command=True, epilog=_epilog(bursts.EXAMPLES)
        ),
        bursts.COMMANDS,
    ),
}
for _group, (_typer, _subcommands) in _groups.items():
    for _name, _subcommand, _of_it in _subcommands:
        _typer.command(_name, cls=_Command, epilog=_epilog(_of_it))(_subcommand)
    app.add_typer(_typer, name=_group, rich_help_panel=_THE_SYSTEM)
