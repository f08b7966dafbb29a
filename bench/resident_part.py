"""What the whole system holds in memory, process by process: idle, after 10,000 orders, and 20,000 later."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from figures import Figure
from ground import Ground
from orderboard.burst.mix import parse_mix
from orderboard.errors import RigError
from orderboard.system.process_stats import MemoryUse, memory_use
from orderboard.system.system import start_system
from play import play

_STEPS: Final = (10_000, 20_000)
_RATE: Final = 150.0
# Every process has something to do: the Lambda announces express and large orders, and late cancellations.
_MIX: Final = "express=10,large=2,duplicate=2,cancel=2"
_GOAL_MB: Final = 300
_FLAT: Final = 1.05


def resident_part(ground: Ground) -> list[Figure]:
    """Megabytes of what `up` starts but the console, by a system of its own: what ran before must not count."""
    with _fresh(ground) as fresh:
        found = {"idle": _look(fresh)}
        accepted = 0
        for orders in _STEPS:
            with ground.screen.task(f"Memory, {orders:,} orders more"):
                played = play(fresh, orders, _RATE, parse_mix(_MIX))
                # What earlier steps left is strange to this one's ledger, so `valid` cannot be asked for.
                if played.verdict.lost or not played.verdict.drained:
                    raise RigError("Not every order ended as it must, so what is in memory now means nothing.")
                accepted += played.book.accepted
                found[f"after {accepted:,}"] = _look(fresh)
    _, first, last = (sum(each.best_bytes for each in processes) / 1e6 for processes in found.values())
    detail = "; ".join(f"{when}: {_told(processes)}" for when, processes in found.items())
    return [
        Figure(f"memory after {_STEPS[0]:,} orders", _GOAL_MB, (first,), "MB", at_most=True, detail=detail),
        Figure(f"memory after {sum(_STEPS):,} : after {_STEPS[0]:,}", _FLAT, (last / first,), at_most=True),
    ]


@contextmanager
def _fresh(ground: Ground) -> Iterator[Ground]:
    """A system with the template's defaults, as `up` starts it."""
    beside = ground.system.options
    name = f"{beside.prefix}-memory"
    services = replace(beside.services, logs_dir=beside.services.logs_dir / "memory")
    options = replace(beside, services=services, stack_name=name, prefix=name, parameters={})
    with ExitStack() as stack:
        fresh = Ground(start_system(options, ground.screen, stack), ground.screen, ground.rounds)
        stack.callback(fresh.wake)
        yield fresh


def _look(ground: Ground) -> list[MemoryUse]:
    return [each for each in memory_use(ground.system.processes()) if each.name != "this command"]


def _told(processes: list[MemoryUse]) -> str:
    each = ", ".join(
        f"{memory.name}{f' x {memory.processes}' if memory.processes > 1 else ''} "
        f"{memory.best_bytes / 1e6:.0f} ({memory.rss_bytes / 1e6:.0f})"
        for memory in processes
    )
    total = sum(memory.best_bytes for memory in processes) / 1e6
    return f"{total:.0f} ({sum(memory.rss_bytes for memory in processes) / 1e6:.0f} RSS) = {each}"
