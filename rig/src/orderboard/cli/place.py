"""`orderboard place`: orders of one's own."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import ApiUrlOption
from orderboard.terminal.progress import progress_screen, result_console

EXAMPLES: Final = (
    "orderboard place orders.jsonl",
    """echo '{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 2}]}' | orderboard place""",
)


def place(
    file: Annotated[str, typer.Argument(help="JSON Lines, one order a line; - is standard input.")] = "-",
    *,
    api_url: ApiUrlOption = None,
    batch: Annotated[str, typer.Option(help="Name this batch: the same lines under another name are new orders.")] = "",
    at_once: Annotated[int, typer.Option(min=1, max=500, help="How many requests are under way at once.")] = 32,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line, as answers come.")
    ] = False,
) -> None:
    """Place your own orders. Lines may carry an idempotency_key; placing a batch again orders nothing twice."""
    from orderboard.cli.place_command import run, summarize
    from orderboard.system.connect import api_address

    with progress_screen() as screen:
        tally = run(
            file,
            api_url=api_address(api_url),
            batch=batch,
            at_once=at_once,
            print_json=json_output,
            screen=screen,
        )
    if not json_output:
        summarize(tally, result_console())
    raise typer.Exit(1 if tally.failed else 0)
