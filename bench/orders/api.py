"""order-api against the naive handler, and against itself with the worker stopped: open loop, at the same times."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from goals import Goal
from orderboard.system.process import start, stop_all, wait_ready
from orderboard_stack.process import free_port
from orders.running import Load, RunningSystem, turns

_ORDERS: Final = 4_000
_RATE: Final = 2_000.0  # more than either can take, so that each shows its maximum
_CALM_RATE: Final = 150.0  # a rate that every process keeps up with
_CALM_ORDERS: Final = 1_200  # a phase; a side has two a round, so 24 orders are slower than its p99


def api_part(running: RunningSystem) -> list[Goal]:
    """Accepted orders a second, and the p99 of the responses."""
    speedups, p99_ratios, details = [], [], []
    with ExitStack() as stack:
        urls = {"order-api": running.system.target.api(), "naive handler": _start_naive(running, stack)}
        times_s = [number / _RATE for number in range(_ORDERS)]
        for number in range(1, running.rounds + 1):
            with running.screen.task(f"order-api, round {number}") as task:
                loads: dict[str, Load] = {}
                for name in turns(tuple(urls), number):
                    task.detail(name)
                    loads[name] = _load(running, urls[name], times_s)
                ours, naive = (loads[name] for name in urls)
            speedups.append(ours.accepted_per_s / naive.accepted_per_s)
            p99_ratios.append(ours.p99_ms / naive.p99_ms)
            details.append(
                f"{ours.accepted_per_s:.0f}/{naive.accepted_per_s:.0f} "
                f"({len(ours.accepted)}/{len(naive.accepted)} of {_ORDERS})"
            )
    return [
        Goal("order-api : naive handler", 6.0, speedups, detail=f"accepted a second, by round: {', '.join(details)}"),
        Goal("its accept p99 : naive's", 0.25, p99_ratios, at_most=True, detail="under that same load"),
    ]


def calm_part(running: RunningSystem) -> list[Goal]:
    """Accept p99 with the worker stopped against running, each twice a round, at a rate below any limit."""
    p99_ratios, details = [], []
    times_s = [number / _CALM_RATE for number in range(_CALM_ORDERS)]
    for number in range(1, running.rounds + 1):
        stopped, with_worker = Load((), 0), Load((), 0)
        with running.screen.task(f"Accept latency without a worker, round {number}") as task:
            for name in 2 * tuple(turns(("worker running", "worker stopped"), number)):
                task.detail(name)
                if name == "worker running":
                    with running.worker_running():
                        with_worker += _load(running, running.system.target.api(), times_s)
                else:
                    stopped += _load(running, running.system.target.api(), times_s)
        p99_ratios.append(stopped.p99_ms / with_worker.p99_ms)
        details.append(f"{stopped.p99_ms:.0f}/{with_worker.p99_ms:.0f}")
    detail = f"ms, by round: {', '.join(details)}; {2 * _CALM_ORDERS:,} orders a side, {_CALM_RATE:g} a second"
    return [Goal("accept p99, worker stopped : running", 1.1, p99_ratios, at_most=True, detail=detail)]


def _load(running: RunningSystem, api_url: str, times_s: list[float]) -> Load:
    try:
        return running.load(api_url, times_s)
    finally:
        running.empty()


def _start_naive(running: RunningSystem, stack: ExitStack) -> str:
    target, port = running.system.target, free_port()
    environment = (
        dict(os.environ)
        | target.endpoint.environment()
        | target.outputs.environment()
        | {"ORDERBOARD_API_PORT": str(port)}
    )
    script = str(Path(__file__).with_name("naive_api.py"))
    log_path = running.system.options.services.logs_dir / "naive-api.log"
    process = start("naive-api", [sys.executable, script], environment, log_path, outlives_us=False)
    stack.callback(stop_all, [process], deadline_s=5)
    url = f"http://127.0.0.1:{port}"
    wait_ready(process, f"{url}/healthz", deadline_s=20)
    return url
