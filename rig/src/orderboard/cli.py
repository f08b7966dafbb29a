"""The command line: reads the options, hands them to the module of the command, and turns its answer into an exit code.

0: as wanted. 1: it went wrong, the last line says how. 2: used wrongly. 130: interrupted.
Each command imports what it needs when it runs, so that `orderboard --help` answers at once.
"""

# ruff: noqa: PLC0415

import signal
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from orderboard.errors import RigError, UsageError
from orderboard.options import (
    BackendOption,
    EndpointOption,
    JsonOption,
    WorkersOption,
    YesOption,
)
from orderboard.screen import error_console, progress_screen, result_console

_INTERRUPTED = 128 + signal.SIGINT


class _Commands(TyperGroup):
    """Turns what a command raises into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error_console().print("Interrupted. Everything that was started has been ended.")
            raise typer.Exit(_INTERRUPTED) from None
        except RigError as exc:
            error_console().print(f"orderboard: {exc}", markup=False, soft_wrap=True)
            raise typer.Exit(2 if isinstance(exc, UsageError) else 1) from exc


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Order Board: an event-driven order pipeline on SQS, SNS and EventBridge, on this machine.",
    epilog="Start with [b]orderboard demo[/b]; keep a system running with [b]orderboard up[/b].",
)


@app.command(epilog="orderboard demo --seed 7 · orderboard demo --kill-worker · orderboard demo --json | jq .endings")
def demo(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    workers: WorkersOption = 1,
    kill_worker: Annotated[
        bool, typer.Option("--kill-worker", help="Kill a worker with orders in hand; the ledger must still balance.")
    ] = False,
    deadline_s: Annotated[float, typer.Option(min=1, help="How long the last order may take to end, in seconds.")] = 90,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every order.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Play a morning rush of 200 orders and show where every one of them ended. Exit 0 only if the ledger balances."""
    from orderboard.demo import demo_options, play_demo
    from orderboard.demo_report import document, show

    options = demo_options(
        backend, endpoint_url, seed=seed, workers=workers, kill_worker=kill_worker, deadline_s=deadline_s, yes=yes
    )
    played = play_demo(options, progress_screen())
    if json_output:
        result_console().print_json(data=document(played))
    else:
        show(played, result_console(), verbose=verbose)
    raise typer.Exit(0 if played.ledger.balanced else 1)


def main() -> None:
    """The `orderboard` command. SIGTERM ends it as Ctrl-C does: in order."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    app()
