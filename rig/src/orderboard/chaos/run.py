"""One run: a burst with faults that were drawn at random."""

import shlex
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from orderboard.burst.faults.engine import HAS_FULL_DISK
from orderboard.burst.measured_system import Where
from orderboard.burst.options import BurstOptions
from orderboard.burst.plan import PlannedBurst, plan_burst
from orderboard.burst.run import run_burst
from orderboard.burst.scenario.defaults import DEFAULT_MIX
from orderboard.chaos.draw import KINDS, Drawn, draw
from orderboard.chaos.results import ChaosResult, result_of
from orderboard.errors import UsageError
from orderboard.system.workspace import find_workspace

WORKERS: Final = 2
_RATE: Final = 200.0  # orders a second, where no length is given
_FAULT_EVERY_S: Final = 2.0  # likewise
_SHORTEST_SLOT_S: Final = 0.5
_MIX: Final = f"{DEFAULT_MIX},flaky=1"


@dataclass(frozen=True)
class ChaosRun:
    """A run that passed every check."""

    burst: PlannedBurst
    drawn: Sequence[Drawn]
    command: str


def plan_run(
    *,
    seed: int,
    orders: int,
    faults: int,
    minutes: float | None = None,
    without: Collection[str] = (),
    out: Path | None = None,
) -> ChaosRun:
    """Draw the faults; raise UsageError."""
    duration_s = 60 * minutes if minutes is not None else max(orders / _RATE, faults * _FAULT_EVERY_S, 10.0)
    if duration_s < faults * _SHORTEST_SLOT_S:
        raise UsageError(f"--faults {faults} in {duration_s:g} s: expected at most two a second. Give more --minutes.")
    if unknown := [kind for kind in without if kind not in KINDS]:
        raise UsageError(f"--without {unknown[0]}: expected one of {', '.join(KINDS)}.")
    kinds = [kind for kind in KINDS if kind not in without and (HAS_FULL_DISK or kind != "full-disk")]
    if not kinds and faults:
        raise UsageError("--without leaves no kind of fault. Give --faults 0 for a run without faults.")
    drawn = draw(seed, faults=faults, duration_s=duration_s, kinds=kinds)
    started = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    options = BurstOptions(
        orders=orders,
        duration=f"{duration_s * 1000:.0f}ms",
        profile="poisson",
        mix=_MIX,
        seed=seed,
        workers=[str(WORKERS)],
        out=out or find_workspace().state_dir / "chaos" / f"{started}_seed-{seed}",
        **_options(drawn),
    )
    words = ["orderboard", "chaos", "--seed", str(seed), "--orders", str(orders), "--faults", str(faults)]
    words += [] if minutes is None else ["--minutes", f"{minutes:g}"]
    words += [word for kind in sorted(without) for word in ("--without", kind)]
    return ChaosRun(plan_burst(options, Where()), drawn, shlex.join(words))


def run(planned: ChaosRun) -> ChaosResult:
    """Run it; the burst writes its files."""
    files = run_burst(planned.burst)
    return result_of(files.summary, command=planned.command)


def _options(drawn: Sequence[Drawn]) -> dict[str, Any]:
    values: dict[str, list[str]] = defaultdict(list)
    for each in drawn:
        values[each.option.replace("-", "_")] += each.values
    return values
