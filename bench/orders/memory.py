"""Memory of the whole system, by process: idle, after 10,000 orders, and after 20,000 more."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from goals import Goal
from orderboard.burst.load.mix import parse_mix
from orderboard.errors import RigError
from orderboard.system.process_stats import MemoryUse
from orderboard.system.system import running_system
from orders.running import RunningSystem

_STEPS: Final = (10_000, 20_000)
_RATE: Final = 150.0
# A mix that gives every process work: the Lambda announces express and large orders, and late cancellations.
_MIX: Final = "express=10,large=2,duplicate=2,cancel=2"
_GOAL_MB: Final = 300
_FLAT: Final = 1.05


def memory_part(running: RunningSystem) -> list[Goal]:
    """Megabytes of a fresh system without the console, so that earlier parts do not count."""
    with _fresh(running) as fresh:
        found = {"idle": _memory(fresh)}
        accepted = 0
        for orders in _STEPS:
            with running.screen.task(f"Memory, {orders:,} orders more"):
                played = fresh.run_burst(orders, _RATE, parse_mix(_MIX))
                # `valid` would fail: this step's ledger does not know the orders of earlier steps.
                if played.judgement.verdict.lost or not played.judgement.verdict.drained:
                    raise RigError("Orders were lost or not finished, so the memory means nothing. Run it again.")
                accepted += played.recorder.accepted
                found[f"after {accepted:,}"] = _memory(fresh)
    _, first, last = (sum(each.best_bytes for each in processes) / 1e6 for processes in found.values())
    detail = "; ".join(f"{when}: {_described(processes)}" for when, processes in found.items())
    return [
        Goal(f"memory after {_STEPS[0]:,} orders", _GOAL_MB, (first,), "MB", at_most=True, detail=detail),
        Goal(f"memory after {sum(_STEPS):,} : after {_STEPS[0]:,}", _FLAT, (last / first,), at_most=True),
    ]


@contextmanager
def _fresh(running: RunningSystem) -> Iterator[RunningSystem]:
    """A system with the template's defaults, as `up` starts it."""
    options = running.system.options
    name = f"{options.prefix}-memory"
    services = replace(options.services, logs_dir=options.services.logs_dir / "memory")
    options = replace(options, services=services, stack_name=name, prefix=name, parameters={})
    with ExitStack() as stack:
        system = stack.enter_context(running_system(options, running.screen))
        fresh = RunningSystem(system, running.screen, running.rounds)
        stack.callback(fresh.resume_worker)
        yield fresh


def _memory(running: RunningSystem) -> list[MemoryUse]:
    return [each for each in running.system.memory() if each.name != "this command"]


def _described(processes: list[MemoryUse]) -> str:
    each = ", ".join(
        f"{memory.name}{f' x {memory.processes}' if memory.processes > 1 else ''} "
        f"{memory.best_bytes / 1e6:.0f} ({memory.rss_bytes / 1e6:.0f})"
        for memory in processes
    )
    total = sum(memory.best_bytes for memory in processes) / 1e6
    return f"{total:.0f} ({sum(memory.rss_bytes for memory in processes) / 1e6:.0f} RSS) = {each}"
