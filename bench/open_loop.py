"""The generator beside wrk2, in turns, on a stub whose delay is known: do both measure the same latencies?

Run: python bench/open_loop.py [--rounds 5] [--wrk2 PATH] [--json | --markdown]. Without wrk2 only the generator is
measured. wrk2 (https://github.com/giltene/wrk2) is built with `make`; as it does, the generator counts from the
intended time of each request.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from goals import Goal
from interruptible import exit_code_of
from one_generator import running_stub
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.load.handle import start_together
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.percentiles import percentile
from orderboard.errors import RigError
from orderboard.terminal.progress import progress_screen
from orders.report import Report, parsed

_RATES: Final = (200, 1_000)
_PERCENTS: Final = (50, 90, 99)
_LIMIT_MS: Final = 2.0
_MEASURED_S: Final = 20
_WRK2_WARMS_UP_S: Final = 11  # it drops what it measured in its first ten seconds and a little more
_WE_WARM_UP_S: Final = 2
# 64 connections that begin 5 ms after each other: at both rates wrk2 then sends at regular intervals.
_WRK2: Final = ("-t1", "-c64", "--latency")
# 2 % of the answers are late, so that p99 lies among them and not between them and the others.
_STUB: Final = ("--delay-ms", "5", "--tail-ms", "50", "--tail-every", "50")
_SCRIPT: Final = 'wrk.method, wrk.body, wrk.headers["Content-Type"] = "POST", "{}", "application/json"\n'
_LINE: Final = re.compile(r"^ *(\d+)\.000% +([\d.]+)(us|ms|s)$", re.MULTILINE)
_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}
Latencies = Mapping[int, float]  # milliseconds by percentile


def main() -> int:
    """Measure and print. Exit 0 also if goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrk2", default=_found(), metavar="PATH", help="default: wrk2, or a wrk with --rate")
    given = parsed(parser)
    found: list[Report] = []
    if code := exit_code_of("open_loop", lambda: found.append(_measure(given.wrk2, given.rounds))):
        return code
    found[0].print(given)
    return 0


def _found() -> str | None:
    """Return the path of wrk2; wrk, its ancestor, has no rate."""
    for path in filter(None, map(shutil.which, ("wrk2", "wrk"))):
        if "--rate" in subprocess.run([path, "--help"], capture_output=True, text=True, check=False).stdout:
            return path
    return None


def _measure(wrk2: str | None, rounds: int) -> Report:
    began_at, began = datetime.now(UTC), time.perf_counter()
    goals: list[Goal] = []
    with progress_screen() as screen, running_stub(*_STUB) as url:
        if wrk2 is None:
            screen.say("wrk2 is not installed, so its latencies are left out; --wrk2 names one elsewhere.")
        for rate in _RATES:
            pairs: list[tuple[Latencies, Latencies | None]] = []
            with screen.task(f"{rate} requests a second", total=rounds) as task:
                for number in range(rounds):
                    theirs = _of_wrk2(wrk2, url, rate) if wrk2 and number % 2 else None
                    ours = _of_generator(url, rate)
                    pairs.append((ours, theirs or (_of_wrk2(wrk2, url, rate) if wrk2 else None)))
                    task.advance_to(number + 1)
            goals += _goals(rate, pairs)
    took = {"latencies": time.perf_counter() - began}
    return Report(goals, took, rounds, "a stub that answers after 5 ms, 2 % after 50 ms", began_at)


def _goals(rate: int, pairs: Sequence[tuple[Latencies, Latencies | None]]) -> list[Goal]:
    """Compare with wrk2; without it, with the stub's delay."""
    found = []
    for percent in _PERCENTS:
        delay_ms = 50.0 if percent == 99 else 5.0
        ours = [each[percent] for each, _ in pairs]
        others = [delay_ms if theirs is None else theirs[percent] for _, theirs in pairs]
        more = [a - b for a, b in zip(ours, others, strict=True)]  # noise is as often in one as in the other
        name = "wrk2" if pairs[0][1] else "the stub's delay"
        detail = f"by round {_listed(ours)} ms; {name} {_listed(others)} ms"
        found.append(
            Goal(f"{rate}/s, p{percent}: more than {name}", _LIMIT_MS, more, "ms", at_most=True, detail=detail)
        )
    return found


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _of_generator(url: str, rate: int) -> Latencies:
    times_s = [number / rate for number in range(rate * (_WE_WARM_UP_S + _MEASURED_S))]
    generator = Generator(Job(url, (Stream(Mix(), Open(times_s), 1, "open-loop"),), connections=512))
    found: list[float] = []
    try:
        start_together([generator])
        done = False
        while not done:
            for update in generator.updates():
                done = update.done
                found += [
                    (reply.answered_s - reply.intended_s) * 1000
                    for reply in update.replies
                    if reply.answer == "acknowledged" and reply.intended_s >= _WE_WARM_UP_S
                ]
            time.sleep(0.05)
    finally:
        generator.stop()
    if len(found) < rate * _MEASURED_S:
        raise RigError(f"Of {rate * _MEASURED_S} orders {len(found)} were acknowledged. Run it again.")
    found.sort()
    return {percent: percentile(found, percent) for percent in _PERCENTS}


def _of_wrk2(path: str, url: str, rate: int) -> Latencies:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "order.lua"
        script.write_text(_SCRIPT)
        rates = (f"-R{rate}", f"-d{_WRK2_WARMS_UP_S + _MEASURED_S}s")
        command = [path, *_WRK2, *rates, "-s", str(script), f"{url}/orders"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = {int(percent): float(value) * _MS[unit] for percent, value, unit in _LINE.findall(done.stdout)}
    if done.returncode or not found.keys() >= set(_PERCENTS):
        raise RigError(f"{path} gave no latencies: {done.stderr.strip() or done.stdout.strip()}")
    return found


if __name__ == "__main__":
    sys.exit(main())
