"""One part of `against.py` on one side: runs with that side's python, its rig and its bench/orders, and prints JSON.

`against.py` puts the side's bench folder on the path. So this file uses only what every revision has, but for `_plan`.
"""

import asyncio
import json
import os
import secrets
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
from engines.client import Client
from orderboard.burst.load.mix import Mix, parse_mix
from orderboard.burst.measured_system import Where, measured_system
from orderboard.burst.report.live_view import LiveView
from orderboard.burst.runner import Runner
from orderboard.calibration.measure import each_of, through
from orderboard.calibration.operations import WRITE_BATCH, batches, make_orders
from orderboard.errors import RigError
from orderboard.orders.queues import depth
from orderboard.system.system import System, running_system
from orderboard.system.target import Target
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import progress_screen
from orders.running import Load, RunningSystem
from rich.console import Console
from rich.live import Live

EVERY_KIND: Final = "express=10,large=2,sold_out=1,invalid=1,duplicate=2,cancel=2"
_WATCHED_RATE, _FULL_RATE, _CALM_RATE, _MEMORY_RATE = 100.0, 2_000.0, 150.0, 300.0
_IDLE_S: Final = 5.0
_CONNECTIONS: Final = 4
_ENGINES: Final = {"orderboard_stack.localbus_child": "localbus", "orderboard_stack.ministack_child": "MiniStack"}
Values = dict[str, float]


def main() -> None:
    """Measure the part of the first argument with the orders of the second, and print the values."""
    part, orders = sys.argv[1], int(sys.argv[2])
    with _system() as running:
        json.dump(PARTS[part](running, orders), sys.stdout)


@contextmanager
def _system() -> Iterator[RunningSystem]:
    """The system of a burst: default stack, one worker."""
    name = f"orderboard-side-{secrets.token_hex(3)}"
    logs_dir = find_workspace().state_dir / name
    options = measured_system(name, Where(), logs_dir=logs_dir, workers=1, visibility_timeout_s=30)
    try:
        with progress_screen() as screen, running_system(options, screen) as system:
            yield RunningSystem(system, screen, rounds=1)
    finally:
        shutil.rmtree(logs_dir, ignore_errors=True)


def full(running: RunningSystem, orders: int) -> Values:
    """As many orders a second as it takes: the rate from HTTP to outcome, and processor seconds for 1,000 orders."""
    view, played = _burst(running, orders, _FULL_RATE, Mix())
    return {"orders_per_s": played.recorder.finished / played.recorder.last_finish_s, **view.per_1000(orders)}


def watched(running: RunningSystem, orders: int) -> Values:
    """Orders of every kind at a rate that people watch: latency to the outcome, and processor seconds."""
    view, played = _burst(running, orders, _WATCHED_RATE, parse_mix(EVERY_KIND))
    latency = played.recorder.end_to_end()
    if latency is None:
        raise RigError("No order was finished. Run it again.")
    return {"p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms, **view.per_1000(orders)}


def accept(running: RunningSystem, orders: int) -> Values:
    """More orders than order-api can take, the worker stopped."""
    with _worker_paused(running):
        used, load = _load(running, orders, _FULL_RATE)
    return {"accepted_per_s": load.accepted_per_s, "p99_ms": load.p99_ms, "api_s": used["order-api"]}


def drain(running: RunningSystem, orders: int) -> Values:
    """A backlog that the worker processes alone."""
    with _worker_paused(running):
        running.fill(orders)
        before = _used_s(running.system)
        running.resume_worker()
        took_s = running.drained_after_s(time.perf_counter())
    used = _per_1000(_used_s(running.system) - before, orders)
    return {"orders_per_s": orders / took_s, "worker_s": used["worker-1"]}


def calm(running: RunningSystem, orders: int) -> Values:
    """p99 to the 202 at a moderate rate, the worker stopped and running."""
    running_p99_ms = _load(running, orders, _CALM_RATE)[1].p99_ms
    with _worker_paused(running):
        stopped_p99_ms = _load(running, orders, _CALM_RATE)[1].p99_ms
    return {"stopped_to_running": stopped_p99_ms / running_p99_ms, "running_p99_ms": running_p99_ms}


def rows(running: RunningSystem, orders: int) -> Values:
    """Rows by prepared requests of BatchExecuteStatement: the rate, and the backend's processor seconds for 1,000."""
    before = _used_s(running.system)
    done, took_s = asyncio.run(_write(running, orders))
    used = _per_1000(_used_s(running.system) - before, done)
    return {"rows_per_s": done / took_s, "backend_s": used["backend"] + used["localbus"] + used["MiniStack"]}


def memory(running: RunningSystem, orders: int) -> Values:
    """Megabytes (PSS) of the product's processes: idle, after a tenth of the orders, and after all."""
    time.sleep(_IDLE_S)
    found = {"idle_mb": _memory_mb(running.system)}
    for name, count in (("tenth_mb", orders // 10), ("all_mb", orders - orders // 10)):
        # `valid` would fail: this step's ledger does not know the orders of earlier steps.
        verdict = _burst(running, count, _MEMORY_RATE, parse_mix(EVERY_KIND))[1].judgement.verdict
        if verdict.lost or not verdict.drained:
            raise RigError("Orders were lost or not finished, so the memory means nothing. Run it again.")
        found[name] = _memory_mb(running.system)
    return {**found, "growth": found["all_mb"] / found["tenth_mb"]}


PARTS: Final[dict[str, Callable[[RunningSystem, int], Values]]] = {
    part.__name__: part for part in (full, watched, accept, drain, calm, rows, memory)
}


class _View:
    """The view of a terminal that nobody sees. It counts processor seconds from the first order to the last outcome."""

    def __init__(self, system: System, live: Live) -> None:
        self._view, self._system = LiveView(live), system
        self._before: Counter[str] | None = None
        self._used: Counter[str] | None = None

    def update(self, now: Any) -> None:
        """Draw, and begin to count."""
        self._before = self._before or _used_s(self._system)
        self._view.update(now)

    def judging(self) -> None:
        """Stop counting: what follows is the rig's judgement."""
        if self._used is None and self._before is not None:
            self._used = _used_s(self._system) - self._before
        self._view.judging()

    def per_1000(self, orders: int) -> Values:
        """Processor seconds for 1,000 orders: of the product, of the rig, of both, and of each process."""
        if self._used is None:
            raise RigError("The orders did not come to an end. Run it again.")
        used = _per_1000(self._used, orders)
        rig_s, all_s = used["rig"], sum(used.values())
        each = {f"of {name}": seconds for name, seconds in used.items()}
        return {"product_s": all_s - rig_s, "rig_s": rig_s, "all_s": all_s, **each}


def _burst(running: RunningSystem, orders: int, rate: float, mix: Mix) -> tuple[_View, Any]:
    running.runs += 1
    times_s = [number / rate for number in range(orders)]
    plan = _plan(mix, times_s, running.runs)
    with open(os.devnull, "w") as nowhere:
        console = Console(file=nowhere, force_terminal=True, width=120, height=40)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            view = _View(running.system, live)
            return view, Runner(running.system, plan, view).run()


def _plan(mix: Mix, times_s: list[float], run: int) -> Any:
    """Return the plan of a burst, also of a revision without streams."""
    try:
        from orderboard.burst.load.stream import Open, Stream  # noqa: PLC0415 - newer than the other side may be
        from orderboard.burst.measurement import Plan  # noqa: PLC0415
    except ImportError:
        from orderboard.burst import runner  # noqa: PLC0415

        plan: Any = vars(runner)["Plan"]
        return plan(mix, times_s, seed=run, run=f"side-{run}", give_up_after_s=60)
    return Plan((Stream(mix, Open(times_s), run, f"side-{run}"),), give_up_after_s=60)


def _load(running: RunningSystem, orders: int, rate: float) -> tuple[Counter[str], Load]:
    before = _used_s(running.system)
    load = running.load(running.system.target.api(), [number / rate for number in range(orders)])
    return _per_1000(_used_s(running.system) - before, orders), load


@contextmanager
def _worker_paused(running: RunningSystem) -> Iterator[None]:
    """A paused process handles no SIGTERM, so it goes on afterwards."""
    target = running.system.target
    while depth(target.sqs, target.queue_url(target.outputs.work_queue)).total:
        time.sleep(0.1)
    running.pause_worker()
    try:
        yield
    finally:
        running.resume_worker()


def _tables_url(target: Target) -> str:
    """The address of DynamoDB: of an earlier revision that of MiniStack."""
    environment = target.endpoint.environment()
    return environment.get("AWS_ENDPOINT_URL_DYNAMODB", environment["AWS_ENDPOINT_URL"])


async def _write(running: RunningSystem, count: int) -> tuple[int, float]:
    target = running.system.target
    port = urlsplit(_tables_url(target)).port or 80
    clients = [await Client.connect(port) for _ in range(_CONNECTIONS)]
    prepared = [
        _request([each.statement for each in part]) for part in batches(make_orders(count, target), WRITE_BATCH)
    ]

    async def write(request: bytes) -> int:
        client = clients.pop()
        answer = await client.call(request)
        clients.append(client)
        if b'"Error"' in answer:
            raise RigError(f"BatchExecuteStatement failed: {answer[:200]!r}")
        return WRITE_BATCH

    calls: Any = each_of(iter(prepared), write)  # type: ignore[arg-type]  # it passes on what it is given
    found = await through(calls, seconds=60, lanes=_CONNECTIONS)
    for client in clients:
        client.close()
    return found


def _request(statements: list[dict[str, Any]]) -> bytes:
    body = json.dumps({"Statements": statements}).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
        "X-Amz-Target: DynamoDB_20120810.BatchExecuteStatement\r\nAuthorization: AWS4-HMAC-SHA256 Credential="
        "test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _product(system: System) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of the product by name: the engines and the functions are children of the backend."""
    for known in system.processes():
        process = psutil.Process(known.pid)
        yield known.name, process
        for child in process.children(recursive=True):
            yield next((name for module, name in _ENGINES.items() if module in child.cmdline()), "functions"), child


def _used_s(system: System) -> Counter[str]:
    """Processor seconds by name. The rig is this process and its other children: the generator."""
    found: Counter[str] = Counter()
    product = list(_product(system))
    ours = {psutil.Process(), *psutil.Process().children(recursive=True)} - {process for _, process in product}
    for name, process in (*product, *(("rig", each) for each in ours)):
        times = process.cpu_times()  # with its ended children: functions, and the generator
        found[name] += sum((times.user, times.system, times.children_user, times.children_system))  # type: ignore[assignment]  # Counter is typed for int
    return found


def _per_1000(used: Counter[str], orders: int) -> Counter[str]:
    return Counter({name: seconds * 1000 / orders for name, seconds in used.items()})


def _memory_mb(system: System) -> float:
    return float(sum(process.memory_full_info().pss for _, process in _product(system)) / 1e6)


if __name__ == "__main__":
    main()
