"""localbus beside MiniStack, and beside itself with larger backlogs: every speed goal with its measurement.

Run: python bench/compare.py [--only messages] [--rounds 5] [--json] [--write]. See README.md beside this file.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import uvloop
from engines.durable import durable_part
from engines.fifo import fifo_part
from engines.load import Run
from engines.memory import memory_part
from engines.messages import messages_part
from engines.polls import polls_part
from engines.report import Report
from engines.rules import rules_part
from engines.tables import tables_part

RESULTS = Path(__file__).parent / "engines" / "results.md"
PARTS: Final[dict[str, Callable[[Run], Awaitable[Report]]]] = {
    "messages": messages_part,
    "fifo": fifo_part,
    "rules": rules_part,
    "polls": polls_part,
    "memory": memory_part,
    "tables": tables_part,
    "durable": durable_part,
}


def main() -> int:
    """Run the selected parts and print the results. Exit 0 also if goals are missed."""
    backlogs = ", ".join(map(str, Run.backlogs))
    parser = argparse.ArgumentParser(description="localbus beside MiniStack")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part to run; repeatable; default: all")
    parser.add_argument("--rounds", type=int, default=Run.rounds)
    parser.add_argument("--backlog", type=int, action="append", help=f"repeatable; default: {backlogs}")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"also write the tables to {RESULTS.name}")
    given = parser.parse_args()
    run = Run(given.rounds, tuple(given.backlog or Run.backlogs))
    try:
        report = uvloop.run(_run(given.only or list(PARTS), run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("\ninterrupted\n")
        return 130
    run.progress("")
    if given.write:
        text = "# localbus, measured\n\nWritten by `python bench/compare.py --write`; medians of "
        RESULTS.write_text(f"{text}{given.rounds} rounds.\n\n{report.markdown()}")
    sys.stdout.write(json.dumps(report.document(), indent=2) if given.json else report.markdown())
    return 0


async def _run(names: list[str], run: Run) -> Report:
    report = Report()
    for name in names:
        report += await PARTS[name](run)
    return report


if __name__ == "__main__":
    sys.exit(main())
