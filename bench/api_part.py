"""order-api against the naive handler, and against itself with the worker asleep. Open loop, at the same times."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from figures import Figure
from ground import Ground, Load, turns
from orderboard.system.process import start, stop_all, wait_ready
from orderboard.system.services import free_port

_ORDERS: Final = 4_000
_RATE: Final = 2_000.0  # more than either takes, so each shows all it can
_CALM_RATE: Final = 150.0  # a rate that everybody keeps up with
_CALM_ORDERS: Final = 1_200  # in each of a round's four phases, so 24 orders are slower than a side's p99


def api_part(ground: Ground) -> list[Figure]:
    """Accepted orders a second, and the p99 of the answers."""
    faster, slower_p99, told = [], [], []
    with ExitStack() as stack:
        urls = {"order-api": ground.system.target.api(), "naive handler": _start_naive(ground, stack)}
        times_s = [number / _RATE for number in range(_ORDERS)]
        for number in range(1, ground.rounds + 1):
            with ground.screen.task(f"order-api, round {number}") as task:
                loads: dict[str, Load] = {}
                for name in turns(tuple(urls), number):
                    task.detail(name)
                    loads[name] = _load(ground, urls[name], times_s)
                ours, naive = (loads[name] for name in urls)
            faster.append(ours.accepted_per_s / naive.accepted_per_s)
            slower_p99.append(ours.p99_ms / naive.p99_ms)
            told.append(
                f"{ours.accepted_per_s:.0f}/{naive.accepted_per_s:.0f} "
                f"({len(ours.accepted)}/{len(naive.accepted)} of {_ORDERS})"
            )
    return [
        Figure(
            "order-api : naive handler", 5.0, tuple(faster), detail=f"accepted a second, by round: {', '.join(told)}"
        ),
        Figure("its accept p99 : naive's", 1.0, tuple(slower_p99), at_most=True, detail="under that same load"),
    ]


def calm_part(ground: Ground) -> list[Figure]:
    """Accept p99 with the worker asleep against awake, each twice a round, at a rate that everybody keeps up with."""
    ratios, told = [], []
    times_s = [number / _CALM_RATE for number in range(_CALM_ORDERS)]
    for number in range(1, ground.rounds + 1):
        asleep, awake = Load((), 0), Load((), 0)
        with ground.screen.task(f"Accept latency without a worker, round {number}") as task:
            for name in 2 * tuple(turns(("worker running", "worker stopped"), number)):
                task.detail(name)
                if name == "worker running":
                    with ground.awake():
                        awake += _load(ground, ground.system.target.api(), times_s)
                else:
                    asleep += _load(ground, ground.system.target.api(), times_s)
        ratios.append(asleep.p99_ms / awake.p99_ms)
        told.append(f"{asleep.p99_ms:.0f}/{awake.p99_ms:.0f}")
    detail = f"ms, by round: {', '.join(told)}; {2 * _CALM_ORDERS:,} orders a side and round, {_CALM_RATE:g} a second"
    return [Figure("accept p99, worker stopped : running", 1.1, tuple(ratios), at_most=True, detail=detail)]


def _load(ground: Ground, api_url: str, times_s: list[float]) -> Load:
    try:
        return ground.load(api_url, times_s)
    finally:
        ground.empty()


def _start_naive(ground: Ground, stack: ExitStack) -> str:
    target, port = ground.system.target, free_port()
    environment = (
        dict(os.environ)
        | target.endpoint.environment()
        | target.outputs.environment()
        | {"ORDERBOARD_API_PORT": str(port)}
    )
    script = str(Path(__file__).with_name("naive_api.py"))
    log_path = ground.system.options.services.logs_dir / "naive-api.log"
    process = start("naive-api", [sys.executable, script], environment, log_path, outlives_us=False)
    stack.callback(stop_all, [process], deadline_s=5)
    url = f"http://127.0.0.1:{port}"
    wait_ready(process, f"{url}/healthz", deadline_s=20)
    return url
