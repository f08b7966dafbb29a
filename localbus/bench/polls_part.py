"""A thousand clients that wait at a hundred empty queues: what that costs, and how soon a message gets there."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import ExitStack
from statistics import quantiles

from client import Client, json_request
from engines import Engine, localbus, ministack
from report import Figure, Result
from resources import create_queue
from run import Run

QUEUES, CLIENTS = 100, 1_000
IDLE_S = 20.0  # as long as a long poll, so that each client comes again once
MESSAGES = 500
PAUSE_S = 0.01


async def polls_part(run: Run) -> Result:
    """About five minutes. Only an idle machine says how soon a message comes."""
    idle: dict[str, list[float]] = {}
    late: dict[str, list[float]] = {}
    with ExitStack() as stack:
        engines = [stack.enter_context(localbus()), stack.enter_context(ministack())]
        urls = [[await create_queue(engine, f"empty-{number}") for number in range(QUEUES)] for engine in engines]
        for number in range(1, run.rounds + 1):
            for engine, own in zip(engines, urls, strict=True):
                run.say(f"round {number} of {run.rounds}: {CLIENTS:,} clients wait at {engine.name}")
                cost, p99_ms = await _round(engine, own)
                idle.setdefault(engine.name, []).append(cost)
                late.setdefault(engine.name, []).append(p99_ms)
    name, other = (engine.name for engine in engines)
    beside = "MiniStack {:.3f}"
    return Result(
        [
            Figure(
                f"{CLIENTS:,} clients wait at {QUEUES} queues: CPU",
                0.02,
                idle[name],
                "s/s",
                at_most=True,
                detail=beside.format(sorted(idle[other])[run.rounds // 2]),
            ),
            Figure(
                "from send to a waiting receive, p99",
                5,
                late[name],
                "ms",
                at_most=True,
                detail=beside.format(sorted(late[other])[run.rounds // 2]),
            ),
        ]
    )


async def _round(engine: Engine, urls: list[str]) -> tuple[float, float]:
    """Processor seconds for each second of waiting; and the 99th percentile of how late messages came, in ms."""
    sent_at: dict[int, float] = {}
    delays_s: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(_wait(engine, place, url, sent_at, delays_s))
            for place, url in itertools.islice(itertools.cycle(enumerate(urls)), CLIENTS)
        ]
        await asyncio.sleep(3.0)  # until all of them are there
        cpu_s, started = engine.cpu_s(), time.perf_counter()
        await asyncio.sleep(IDLE_S)
        cost = (engine.cpu_s() - cpu_s) / (time.perf_counter() - started)
        client = await Client.connect(engine.port)
        for number in range(MESSAGES):
            place = number % QUEUES
            sent_at[place] = time.perf_counter()
            await client.call(json_request("sqs", "SendMessage", {"QueueUrl": urls[place], "MessageBody": "now"}))
            await asyncio.sleep(PAUSE_S)
        client.close()
        await asyncio.sleep(1.0)  # MiniStack looks into its queues ten times a second
        for task in waiting:
            task.cancel()
    if len(delays_s) < MESSAGES:
        raise TimeoutError(f"{engine.name}: {MESSAGES - len(delays_s)} of {MESSAGES} messages did not come")
    return cost, quantiles(delays_s, n=100)[98] * 1000


async def _wait(engine: Engine, place: int, url: str, sent_at: dict[int, float], delays_s: list[float]) -> None:
    """One client that waits, and waits again when it has got a message or nothing came."""
    client = await Client.connect(engine.port)
    request = json_request("sqs", "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
    try:
        while True:
            if b"ReceiptHandle" in await client.call(request):
                delays_s.append(time.perf_counter() - sent_at[place])
    finally:
        client.close()
