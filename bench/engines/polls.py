"""A thousand clients that long-poll a hundred empty queues: their CPU cost and the latency of a message."""

import asyncio
import itertools
import time
from contextlib import ExitStack
from statistics import quantiles

from engines.client import Client, json_request
from engines.engine import Engine, localbus, ministack
from engines.load import Run
from engines.report import Report
from engines.resources import create_queue
from goals import Goal

QUEUES, CLIENTS = 100, 1_000
IDLE_S = 20.0  # as long as a long poll, so that each client polls again once
MESSAGES = 500
PAUSE_S = 0.01


async def polls_part(run: Run) -> Report:
    """Compare cost and latency, in about five minutes. The latency needs an idle machine."""
    idle: dict[str, list[float]] = {}
    late: dict[str, list[float]] = {}
    with ExitStack() as stack:
        engines = [stack.enter_context(localbus()), stack.enter_context(ministack())]
        urls = [[await create_queue(engine, f"empty-{number}") for number in range(QUEUES)] for engine in engines]
        for number in run.numbers():
            for engine, own in zip(engines, urls, strict=True):
                run.progress(f"round {number} of {run.rounds}: {CLIENTS:,} clients wait at {engine.name}")
                cost, p99_ms = await _round(engine, own)
                idle.setdefault(engine.name, []).append(cost)
                late.setdefault(engine.name, []).append(p99_ms)
    name, other = (engine.name for engine in engines)
    beside = [f"{other} {sorted(found[other])[run.rounds // 2]:.3f}" for found in (idle, late)]
    clients = f"{CLIENTS:,} clients wait at {QUEUES} queues: CPU"
    return Report(
        [
            Goal(clients, 0.02, idle[name], "s/s", at_most=True, detail=beside[0]),
            Goal("from send to a waiting receive, p99", 5, late[name], "ms", at_most=True, detail=beside[1]),
        ]
    )


async def p99_s(engine: Engine) -> float:
    """The 99th percentile of the latency of a message to a waiting receive, in seconds."""
    urls = [await create_queue(engine, f"empty-{number}") for number in range(QUEUES)]
    return (await _round(engine, urls, idle_s=0.1))[1] / 1000


async def _round(engine: Engine, urls: list[str], idle_s: float = IDLE_S) -> tuple[float, float]:
    """CPU seconds for each second of waiting, and the 99th percentile of the latency in ms."""
    sent_at: dict[int, float] = {}
    delays_s: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(_wait(engine, place, url, sent_at, delays_s))
            for place, url in itertools.islice(itertools.cycle(enumerate(urls)), CLIENTS)
        ]
        await asyncio.sleep(3.0)  # until all of them wait
        cpu_s, started = engine.cpu_s(), time.perf_counter()
        await asyncio.sleep(idle_s)
        cost = (engine.cpu_s() - cpu_s) / (time.perf_counter() - started)
        client = await Client.connect(engine.port)
        for number in range(MESSAGES):
            place = number % QUEUES
            sent_at[place] = time.perf_counter()
            await client.call(json_request("sqs", "SendMessage", {"QueueUrl": urls[place], "MessageBody": "now"}))
            await asyncio.sleep(PAUSE_S)
        client.close()
        await asyncio.sleep(1.0)  # MiniStack polls its queues ten times a second
        for task in waiting:
            task.cancel()
    if len(delays_s) < MESSAGES:
        raise TimeoutError(f"{engine.name}: {MESSAGES - len(delays_s)} of {MESSAGES} messages did not arrive")
    return cost, quantiles(delays_s, n=100)[98] * 1000


async def _wait(engine: Engine, place: int, url: str, sent_at: dict[int, float], delays_s: list[float]) -> None:
    """Long-poll in a loop, and record the latency of each message."""
    client = await Client.connect(engine.port)
    request = json_request("sqs", "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
    try:
        while True:
            if b"ReceiptHandle" in await client.call(request):
                delays_s.append(time.perf_counter() - sent_at[place])
    finally:
        client.close()
