"""python -m fidelity: run the behaviours on the engines, and write docs/fidelity.md.

python -m fidelity                                  all three engines, and the page
python -m fidelity --engine localbus --only fifo    the results of these, without writing anything
python -m fidelity --check                          localbus alone: exit 1 unless each row is as it should be
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from fidelity import page
from fidelity.catalogue import keyed
from fidelity.engines import ENGINES, version_of
from fidelity.page import Column
from fidelity.run import Outcome, run


def main() -> int:
    """Run the behaviours, print the results and write the page."""
    parser = argparse.ArgumentParser(prog="fidelity", description="Compares three engines with AWS.")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="run this engine only (repeatable)")
    parser.add_argument("--only", metavar="TEXT", help="run the behaviours whose key contains this; write nothing")
    parser.add_argument(
        "--check", action="store_true", help="run localbus, write nothing, exit 1 if it differs where no row says so"
    )
    given = parser.parse_args()
    behaviours = {key: one for key, one in keyed().items() if given.only is None or given.only in key}
    engines = ["localbus"] if given.check else given.engine or list(ENGINES)
    columns = page.read_columns()
    for engine in engines:
        started = time.monotonic()
        with ENGINES[engine]() as clients:
            ready = time.monotonic()
            outcomes = run(behaviours, clients, retry=engine != "localbus")
        report(engine, outcomes, ready - started, time.monotonic() - ready)
        columns[engine] = Column(version_of(engine), f"{datetime.now(UTC):%Y-%m-%d}", outcomes)
    if given.only is None and not given.check:
        page.write(columns)
    if "localbus" not in engines:
        return 0
    found = columns["localbus"].outcomes
    return int(any((found[key].verdict != "right") != bool(one.differs) for key, one in behaviours.items()))


def report(engine: str, outcomes: dict[str, Outcome], start_s: float, run_s: float) -> None:
    """Print the results of one engine."""
    lines = [f"{key:<62} {one.verdict}: {one.instead}" for key, one in outcomes.items() if one.verdict != "right"]
    right = sum(one.verdict == "right" for one in outcomes.values())
    lines.append(f"{engine}: {right} of {len(outcomes)} right; ready after {start_s:.0f} s, done {run_s:.0f} s later")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
