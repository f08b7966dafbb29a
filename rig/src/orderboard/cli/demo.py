"""`orderboard demo`: a morning rush, from start to ledger."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, DisorderOption, EndpointOption, JsonOption, WorkersOption, YesOption
from orderboard.terminal.progress import print_json, progress_screen, result_console

EXAMPLES: Final = ("orderboard demo --seed 7", "orderboard demo --kill-worker", "orderboard demo --json")


def demo(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    workers: WorkersOption = 1,
    kill_worker: Annotated[
        bool, typer.Option("--kill-worker", help="Kill a worker with orders in hand; the ledger must still balance.")
    ] = False,
    disorder: DisorderOption = None,
    deadline_s: Annotated[float, typer.Option(min=1, help="How long the last order may take to end, in seconds.")] = 90,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every order.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Play a morning rush of 200 orders and show where each one ended. Exit 0 only if the ledger balances."""
    from orderboard.cli.demo_report import document, show
    from orderboard.demo.runner import demo_options, play_demo

    options = demo_options(
        backend,
        endpoint_url,
        seed=seed,
        workers=workers,
        kill_worker=kill_worker,
        deadline_s=deadline_s,
        yes=yes,
        disorder=disorder,
    )
    with progress_screen() as screen:
        played = play_demo(options, screen)
    if json_output:
        print_json(document(played))
    else:
        show(played, result_console(), verbose=verbose)
    raise typer.Exit(0 if played.ledger.balanced else 1)
