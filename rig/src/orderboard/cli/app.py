"""Puts the commands together, and turns what they raise into one line and an exit code.

0: as wanted. 1: it went wrong, the last line says how. 2: used wrongly. 130: interrupted.
Each command imports what it needs when it runs, so that `orderboard --help` answers at once.
"""

# ruff: noqa: PLC0415

import errno
import signal
from typing import Any, Final

import typer
from typer.core import TyperGroup

from orderboard.cli import (
    burst,
    calibrate,
    console,
    demo,
    deploy,
    doctor,
    down,
    place,
    redrive,
    show,
    status,
    up,
)
from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import error_console

_INTERRUPTED: Final = 128 + signal.SIGINT
# A file that cannot be written or read: nearly always the state folder, for everything that is kept is there.
_NO_USE: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
}


class _Commands(TyperGroup):
    """Turns what a command raises into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error_console().print("Interrupted. Nothing that was started here runs on.")
            raise typer.Exit(_INTERRUPTED) from None
        except RigError as exc:
            raise _told(exc, 2 if isinstance(exc, UsageError) else 1) from exc
        except OSError as exc:
            if exc.errno not in _NO_USE:
                raise
            mend = "`orderboard doctor` looks at the state folder; ORDERBOARD_STATE_DIR names another"
            raise _told(f"{exc}. {mend}.", 1) from exc
        except Exception as exc:
            from orderboard.system.target import AWS_ERRORS

            if isinstance(exc, AWS_ERRORS):
                raise _told(f"the backend failed or refused: {exc}", 1) from exc
            raise


def _told(what: object, code: int) -> typer.Exit:
    error_console().print(f"orderboard: {what}", markup=False, soft_wrap=True)
    return typer.Exit(code)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Order Board: an event-driven order pipeline on SQS, SNS and EventBridge, on this machine.",
    epilog="Begin with [b]orderboard demo[/b]. Keep a system running with [b]orderboard up[/b].",
)

# In the order in which `orderboard --help` lists them.
for _run, _examples in (
    (demo.demo, demo.EXAMPLES),
    (burst.burst, burst.EXAMPLES),
    (calibrate.calibrate, calibrate.EXAMPLES),
    (up.up, up.EXAMPLES),
    (down.down, down.EXAMPLES),
    (deploy.deploy, deploy.EXAMPLES),
    (status.status, status.EXAMPLES),
    (place.place, place.EXAMPLES),
    (show.show, show.EXAMPLES),
    (redrive.redrive, redrive.EXAMPLES),
    (console.console, console.EXAMPLES),
    (doctor.doctor, doctor.EXAMPLES),
):
    app.command(epilog="\n\n".join(("Examples:", *_examples)))(_run)
