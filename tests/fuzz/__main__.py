"""python -m fuzz: send odd input to localbus and to order-api, and print every fault with what repeats it.

python -m fuzz                                  all fuzzers, with their large counts
python -m fuzz actions --count 2000 --seed 7    one of them
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections import Counter
from typing import NamedTuple

from fuzz.found import Found

FAULTS_SHOWN = 100


class Fuzzer(NamedTuple):
    """A fuzzer: module `fuzz.NAME` with `run(seed, count)`, which returns what it found, or a text for each fault."""

    name: str
    large_count: int
    step: int  # so many in one run, between two reports of progress
    small_count: int  # in the tests

    def run(self, seed: int, count: int) -> Found:
        """Run `count` cases."""
        found: Found | list[str] = importlib.import_module(f"fuzz.{self.name.replace('-', '_')}").run(seed, count)
        return found if isinstance(found, Found) else Found(found, Counter())


FUZZERS = {
    one.name: one
    for one in (
        Fuzzer("actions", 50_000, 500, 400),
        Fuzzer("http", 5_000, 250, 60),
        Fuzzer("templates", 1_600, 100, 60),
        Fuzzer("stack-updates", 1_000, 50, 20),
        Fuzzer("event-patterns", 100_000, 10_000, 1_000),
        Fuzzer("dynamodb", 20_000, 1_000, 200),
        Fuzzer("order-api", 100_000, 5_000, 200),
    )
}


def main() -> int:
    """Run the fuzzers and report. Return 1 if there is a fault, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Odd input for localbus and for order-api.")
    parser.add_argument("fuzzers", nargs="*", metavar="|".join(FUZZERS), help="which to run (default: all)")
    parser.add_argument("--count", type=int, help="cases of each (default: a large number)")
    parser.add_argument("--seed", type=int, default=1, help="where the cases start (default: 1)")
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    given = parser.parse_args()
    unknown = set(given.fuzzers) - set(FUZZERS)
    if unknown:
        parser.error(f"unknown fuzzer {', '.join(sorted(unknown))}: expected {', '.join(FUZZERS)}")
    reports, code = [], 0
    try:
        for name in given.fuzzers or FUZZERS:
            reports.append(report := {"fuzzer": name, "seed": given.seed, "cases": 0, "seconds": 0.0, "faults": []})
            _run(FUZZERS[name], given.seed, given.count or FUZZERS[name].large_count, report)
    except KeyboardInterrupt:
        code = 130
    if given.json:
        sys.stdout.write(json.dumps(reports, indent=2) + "\n")
    else:
        for report in reports:
            sys.stdout.write(_described(report))
    return code or int(any(report["faults"] for report in reports))


def _run(fuzzer: Fuzzer, seed: int, count: int, report: dict[str, object]) -> None:
    """Run in steps, each with its seed, and keep the report up to date."""
    started = time.monotonic()
    faults: list[str] = []
    answers: Counter[str] = Counter()
    for done in range(0, count, fuzzer.step):
        step = min(fuzzer.step, count - done)
        again = f"python -m fuzz {fuzzer.name} --seed {seed + done} --count {step}"
        found = fuzzer.run(seed + done, step)
        faults += [f"{fault}\n  {again}" for fault in found.faults]
        answers += found.answers
        report |= {"cases": done + step, "seconds": round(time.monotonic() - started, 1), "faults": faults}
        report |= {"answers": dict(answers.most_common())} if answers else {}
        sys.stderr.write(f"\r{fuzzer.name}: {done + step} of {count} cases, {len(faults)} faults")
        sys.stderr.flush()
    sys.stderr.write("\n")


def _described(report: dict[str, object]) -> str:
    faults = report["faults"]
    assert isinstance(faults, list)
    lines = [f"\n{number}. {fault}" for number, fault in enumerate(faults[:FAULTS_SHOWN], 1)]
    lines += [f"... and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
    answers = f", answers {report['answers']}" if "answers" in report else ""
    lines.append(f"{report['fuzzer']}: {report['cases']} cases, {len(faults)} faults, {report['seconds']} s{answers}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
