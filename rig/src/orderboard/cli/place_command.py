"""Runs `place` for people and scripts: progress on stderr, results on stdout, errors with their line numbers."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from orderboard.errors import UsageError
from orderboard.orders.client import order_client
from orderboard.orders.place import BadLine, Line, Result, bounded_lines, in_thread, parse, place
from orderboard.terminal.progress import Screen, error_console

_SHOWN = 5


@dataclass
class Tally:
    """What came of all lines so far."""

    accepted: list[Result] = field(default_factory=list)
    failed: list[Result] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many lines have their answer."""
        return len(self.accepted) + len(self.failed)


def run(file: str, *, api_url: str, batch: str, at_once: int, print_json: bool, screen: Screen) -> Tally:
    """Place the lines of a file, or of standard input (-). print_json: each answer as a line of JSON when it comes."""
    with _opened(file) as stream:
        total = None
        if stream.seekable() and file != "-":
            total = sum(1 for line in bounded_lines(stream) if line.strip())
            stream.seek(0)
        tally = Tally()
        with screen.task("Orders placed", total=total) as task:

            def told(result: Result) -> None:
                (tally.accepted if result.accepted else tally.failed).append(result)
                task.advance_to(tally.total, total)
                if print_json:
                    print(json.dumps(result.document(), ensure_ascii=False), flush=True)
                elif not result.accepted:
                    screen.say(str(result))

            asyncio.run(_place(parse(bounded_lines(stream), batch=batch), told, api_url=api_url, at_once=at_once))
    return tally


def summarize(tally: Tally, console: Console) -> None:
    """The summary for people."""
    console.print(f" {len(tally.accepted)} accepted, {len(tally.failed)} not")
    for result in tally.accepted[:_SHOWN]:
        console.print(f"   {result}", markup=False)
    if len(tally.accepted) > _SHOWN:
        console.print(f"   and {len(tally.accepted) - _SHOWN} more; --json prints every order's id")
    if tally.accepted:
        console.print(" See one's story with: orderboard show ORDER_ID")


async def _place(
    lines: Iterator[Line | BadLine], told: Callable[[Result], None], *, api_url: str, at_once: int
) -> None:
    token = os.environ.get("ORDERBOARD_API_TOKEN") or None
    async with order_client(api_url, token=token, connections=at_once) as client:
        await place(client, in_thread(lines), told, at_once=at_once)


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
