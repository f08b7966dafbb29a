"""localbus beside MiniStack, and beside itself with more in it: every speed goal with what was measured.

Run: python localbus/bench/compare.py [--only messages] [--rounds 5] [--json] [--write]. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import uvloop
from fifo_part import fifo_part
from memory_part import memory_part
from messages_part import messages_part
from polls_part import polls_part
from report import Result
from rules_part import rules_part
from run import Run

RESULTS = Path(__file__).parent / "results.md"
PARTS: Final[dict[str, Callable[[Run], Awaitable[Result]]]] = {
    "messages": messages_part,
    "fifo": fifo_part,
    "rules": rules_part,
    "polls": polls_part,
    "memory": memory_part,
}


def main() -> int:
    """Run the parts that were asked for and print what they found. Missed goals are printed like met ones: exit 0."""
    parser = argparse.ArgumentParser(description="localbus beside MiniStack")
    parser.add_argument("--only", choices=PARTS, action="append", help="repeatable; all parts if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--backlog", type=int, action="append", help="repeatable; 1000, 10000, 100000, 500000 if not given"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"also write the tables to {RESULTS.name}")
    given = parser.parse_args()
    run = Run(given.rounds, tuple(given.backlog)) if given.backlog else Run(given.rounds)
    try:
        result = uvloop.run(_run(given.only or list(PARTS), run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("\ninterrupted\n")
        return 130
    run.say("")
    if given.write:
        text = "# localbus, measured\n\nWritten by `python localbus/bench/compare.py --write`; medians of "
        RESULTS.write_text(f"{text}{given.rounds} rounds.\n\n{result.markdown()}")
    sys.stdout.write(json.dumps(result.document(), indent=2) if given.json else result.markdown())
    return 0


async def _run(names: list[str], run: Run) -> Result:
    result = Result()
    for name in names:
        result += await PARTS[name](run)
    return result


if __name__ == "__main__":
    sys.exit(main())
