"""Runs each load on both workers, each in a new system, and prices what was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, get_args

from orderboard.burst.measured_system import Where
from orderboard.burst.model import Summary
from orderboard.burst.plan import PlannedBurst, plan_burst
from orderboard.burst.run import run_burst
from orderboard.burst.stop import Stop
from orderboard.compute.billed import invocations
from orderboard.compute.cost import load_cost
from orderboard.compute.loads import burst_of
from orderboard.compute.model import MS, Comparison, Invocations, LoadCost, LoadName, Run, Sizes
from orderboard.compute.prices import AS_OF, usd
from orderboard.system.state import WorkerCompute
from orderboard.system.system import System

_WORKERS: Final[tuple[WorkerCompute, ...]] = get_args(WorkerCompute)
_CARRIES_OVER: Final = (
    "Both workers had the same orders at the same times, each in a new system. Cost leaves out what is the same for "
    "both: publishing, delivery, deletes, rows and events.",
    "Containers are paid while they run, so they cost at least the least number of tasks; a spike waits in the queue "
    "and is worked off by the tasks for the mean rate. Lambda starts more invocations instead.",
)
_OFFLINE: Final = (
    "Offline, a function is a process or a container on this machine. The verdict, and the promises behind it, carry "
    "over to AWS. The number of orders in an invocation and the time of one do so only roughly, latency and throughput "
    "not at all: nothing goes over a network here, a function has a whole processor, and at most two run at once for "
    "each queue.",
    "A vCPU of Fargate is taken as one processor here.",
)
_BY_SHARE: Final = (
    "An invocation is taken as at least its processor time here divided by the function's share of a processor on AWS. "
    "There it also waits for the network: --invocation-ms takes a time that you measured; --backend aws measures it."
)
_ON_AWS: Final = (
    "The function ran on AWS, and the processes on this machine, so their latencies are those of its network; a task "
    "on Fargate is nearer.",
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The comparison to make."""

    loads: Sequence[LoadName]
    rate: float
    duration: str
    mix: str
    workers: int
    sizes: Sizes
    given_rates: Mapping[str, float] = field(default_factory=dict)


def compare_workers(
    wanted: Wanted, where: Where, say: Callable[[str], None], agree: Callable[[PlannedBurst, int], None]
) -> Comparison:
    """Run every load on both. Ctrl-C ends it after the run under way, and keeps what was measured.

    say: gets a line before each run. agree: asks before the first one, with the number of runs.
    """
    plans = [(load, worker) for load in wanted.loads for worker in _WORKERS]
    runs: list[Run] = []
    machine = backend = ""
    stop = Stop()
    for number, (load, worker) in enumerate(plans, 1):
        options = burst_of(
            load, worker, rate=wanted.rate, duration=wanted.duration, workers=wanted.workers, mix=wanted.mix
        )
        planned = _sized(plan_burst(options, where), wanted.sizes)
        if number == 1:
            agree(planned, len(plans))
            where = replace(where, yes=True)
            planned = replace(planned, system=replace(planned.system, yes=True))
        say(f"Run {number} of {len(plans)}: {load}, the worker as a {worker}")
        try:
            run, summary = _run(load, worker, planned, stop)
        except KeyboardInterrupt:
            if not runs:
                raise
            stop.request("Ctrl-C")
            break
        machine, backend = _machine(summary), summary.settings.backend
        if stop.by:
            break
        runs.append(run)
    return _priced(wanted, runs, backend, machine, broken_off=bool(stop.by))


def _billed(sizes: Sizes, *, on_aws: bool) -> tuple[str, ...]:
    if sizes.invocation_ms is not None:
        return (f"An invocation is taken as {sizes.invocation_ms:g} ms, as given.",)
    return () if on_aws else (_BY_SHARE,)


def _machine(summary: Summary) -> str:
    return f"{summary.machine.cpus} processors ({summary.machine.processor})"


def _sized(planned: PlannedBurst, sizes: Sizes) -> PlannedBurst:
    system = planned.system
    if system.worker == "container":
        return planned
    parameters = {**system.parameters, "WorkerMemoryMb": str(sizes.memory_mb)}
    return replace(planned, system=replace(system, parameters=parameters))


def _run(load: LoadName, worker: WorkerCompute, planned: PlannedBurst, stop: Stop) -> tuple[Run, Summary]:
    found: list[Invocations] = []

    def read(system: System) -> None:
        if worker == "lambda":
            found.append(invocations(system.target, 0))

    summary = run_burst(planned, stop, at_end=read).summary
    orders = summary.verdict.acknowledged
    accept, end_to_end = summary.accept, summary.end_to_end
    return (
        Run(
            load=load,
            worker=worker,
            orders=orders,
            offered_per_s=summary.settings.rate,
            finished_per_s=summary.finished_per_s,
            accept_p50_ms=accept and accept.p50_ms,
            accept_p99_ms=accept and accept.p99_ms,
            end_to_end_p50_ms=end_to_end and end_to_end.p50_ms,
            end_to_end_p99_ms=end_to_end and end_to_end.p99_ms,
            valid=summary.verdict.good,
            verdict=summary.verdict.headline,
            processor_ms=_processor_ms(summary, orders) if worker == "container" else None,
            invocations=found[0] if found else None,
            folder=str(planned.out),
        ),
        summary,
    )


def _processor_ms(summary: Summary, orders: int) -> float | None:
    """Return the processor time of the worker processes for an order; None where they cannot be seen."""
    cores = [each.cores for each in summary.processors if each.name.startswith("worker-")]
    return round(sum(cores) * summary.load_s * MS / orders, 3) if cores and orders else None


def _priced(wanted: Wanted, runs: Sequence[Run], backend: str, machine: str, *, broken_off: bool) -> Comparison:
    on_aws = backend == "aws"
    rates = usd(wanted.given_rates)
    return Comparison(
        backend=backend,
        machine=machine,
        runs=tuple(runs),
        sizes=wanted.sizes,
        costs=price(runs, wanted.sizes, rates, on_aws=on_aws),
        rates=rates,
        rates_as_of=AS_OF,
        notes=(*_CARRIES_OVER, *(_ON_AWS if on_aws else _OFFLINE), *_billed(wanted.sizes, on_aws=on_aws)),
        broken_off=broken_off,
    )


def price(runs: Sequence[Run], sizes: Sizes, rates: Mapping[str, float], *, on_aws: bool) -> tuple[LoadCost, ...]:
    """Price every load that both workers have had. A process's work for an order is that of its busiest load."""
    by_name = {(run.load, run.worker): run for run in runs}
    busy = [run for run in runs if run.worker == "container" and run.processor_ms is not None]
    if not busy:
        return ()
    processor_ms = max(busy, key=lambda run: run.orders).processor_ms or 0.0
    return tuple(
        load_cost(run, by_name[run.load, "lambda"], processor_ms, sizes, rates, on_aws=on_aws)
        for run in runs
        if run.worker == "container" and (run.load, "lambda") in by_name
    )
