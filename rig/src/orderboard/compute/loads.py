"""The loads of compare-workers, as options of a burst."""

from typing import Final, get_args

from orderboard.burst.options import BurstOptions
from orderboard.compute.model import LoadName
from orderboard.errors import UsageError
from orderboard.system.state import WorkerCompute

LOADS: Final = get_args(LoadName)
# Of the rate of the other two.
_IDLE_SHARE: Final = 0.01
# No order takes longer than others, so that the loads differ in their rates alone.
MIX: Final = "express=20,large=2"


def parse_loads(text: str) -> tuple[LoadName, ...]:
    """Parse `idle,spike`; raise UsageError."""
    found = [each.strip() for each in text.split(",")]
    unknown = [each for each in found if each not in LOADS]
    if unknown or len(set(found)) < len(found):
        wrong = f"unknown load {unknown[0]!r}" if unknown else "a load is given twice"
        raise UsageError(f"--loads {text}: {wrong}; expected some of {', '.join(LOADS)}, with commas between them.")
    return tuple(name for name in LOADS if name in found)


def burst_of(
    load: LoadName, worker: WorkerCompute, *, rate: float, duration: str, workers: int, mix: str
) -> BurstOptions:
    """Return the burst of this load: the same orders at the same times for both workers."""
    return BurstOptions(
        rate=rate * _IDLE_SHARE if load == "idle" else rate,
        duration=duration,
        profile="spike" if load == "spike" else "constant",
        mix=mix,
        worker=worker,
        workers=[str(workers)] if worker == "container" else None,
        tag=[f"worker-{worker}-{load}"],
        note="compare-workers",
    )
