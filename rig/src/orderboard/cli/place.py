"""`orderboard place`: the user's own orders. Progress on stderr, results on stdout, errors with their line numbers."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer
from rich.console import Console

from orderboard.cli.options import ApiUrlOption
from orderboard.errors import UsageError
from orderboard.system.command_line import orderboard
from orderboard.terminal.progress import Screen, error_console, progress_screen, result_console

if TYPE_CHECKING:
    from orderboard.orders.place import BadLine, Line, Result

EXAMPLES: Final = (
    "orderboard place orders.jsonl",
    """echo '{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 2}]}' | orderboard place""",
)
_SHOWN: Final = 5


def place(
    file: Annotated[str, typer.Argument(help="JSON Lines, one order a line; - is standard input.")] = "-",
    *,
    api_url: ApiUrlOption = None,
    batch: Annotated[
        str, typer.Option(help="A name for this batch: the same lines under another name are new orders.")
    ] = "",
    at_once: Annotated[int, typer.Option(min=1, max=500, help="The number of concurrent requests.", metavar="N")] = 32,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line, as answers come.")
    ] = False,
) -> None:
    """Place your own orders. Lines may carry an idempotency_key; placing a batch again orders nothing twice."""
    from orderboard.system.connect import api_address

    address = api_address(api_url)
    with progress_screen() as screen, _opened(file) as stream:
        results = _place_lines(stream, screen, address, batch, at_once, print_json=json_output)
    if not results:
        source = "on standard input" if file == "-" else f"in {file}"
        raise UsageError(f"No orders {source}: give a file, or pipe one JSON object a line.")
    if not json_output:
        summarize(results, result_console())
    raise typer.Exit(0 if all(each.accepted for each in results) else 1)


def _place_lines(
    stream: BinaryIO, screen: Screen, api_url: str, batch: str, at_once: int, *, print_json: bool
) -> list["Result"]:
    from orderboard.orders.place import bounded_lines, parse

    total = None
    if stream.seekable() and stream is not sys.stdin.buffer:
        total = sum(1 for line in bounded_lines(stream) if line.strip())
        stream.seek(0)
    results: list[Result] = []
    with screen.task("Orders placed", total=total) as task:

        def on_result(result: "Result") -> None:
            results.append(result)
            task.advance_to(len(results), total)
            if print_json:
                print(json.dumps(result.document(), ensure_ascii=False), flush=True)
            elif not result.accepted:
                screen.say(str(result))

        retried: list[str] = []

        def on_retry(reason: str) -> None:
            if not retried:
                screen.say(f"Retrying for a while: {reason}")
            retried.append(reason)

        asyncio.run(_place(parse(bounded_lines(stream), batch=batch), on_result, on_retry, api_url, at_once))
    return results


async def _place(
    lines: Iterator["Line | BadLine"],
    on_result: Callable[["Result"], None],
    on_retry: Callable[[str], None],
    api_url: str,
    at_once: int,
) -> None:
    from orderboard.orders.client import order_client
    from orderboard.orders.place import in_thread
    from orderboard.orders.place import place as place_all

    token = os.environ.get("ORDERBOARD_API_TOKEN") or None
    async with order_client(api_url, token=token, connections=at_once, on_retry=on_retry) as client:
        await place_all(client, in_thread(lines), on_result, at_once=at_once)


def summarize(results: list["Result"], console: Console) -> None:
    """Print how many orders were accepted, the ids of the first, and how to go on."""
    accepted = [each for each in results if each.accepted]
    repeated = sum(each.repeated for each in accepted)
    counts = {"accepted": len(accepted) - repeated, "already placed": repeated}
    counts["not accepted"] = len(results) - len(accepted)
    shown = (f"{count} {name}" for name, count in counts.items() if count or name == "accepted")
    console.print(f" {', '.join(shown)}")
    for result in accepted[:_SHOWN]:
        console.print(f"   {result}", markup=False)
    if len(accepted) > _SHOWN:
        console.print(f"   and {len(accepted) - _SHOWN} more; --json prints every order's id")
    if repeated:
        console.print(" To order it again: --batch NAME (a line with an idempotency_key needs another key)")
    if accepted:
        console.print(f" See an order's timeline with: {orderboard()} show ORDER_ID", markup=False, soft_wrap=True)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        if sys.stdin.isatty():
            error_console().print("Reading orders from the terminal, one JSON object a line. End with Ctrl-D.")
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as stream:
            yield stream
    except OSError as exc:
        raise UsageError(f"{file}: {exc.strerror}") from exc
