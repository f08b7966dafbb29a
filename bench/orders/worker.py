"""The worker against a bare loop, a plain boto3 loop and dramatiq, each on an equal backlog."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from goals import Goal
from orderboard.calibration.operations import Operations, Order, make_orders, operations
from orderboard.orders.queues import BATCH
from orderboard.system.target import Target
from orderboard_aws_client.clients import count_requests
from orders.dramatiq_peer import dramatiq_peer
from orders.plain_row import plain_row
from orders.running import RunningSystem, turns

BACKLOG: Final = 2_000
_LANES: Final = 4


def worker_part(running: RunningSystem) -> list[Goal]:
    """Ratios of orders a second. The four sides alternate in every round."""
    rounds: list[dict[str, float]] = []
    with dramatiq_peer(running) as peer:
        sides: Mapping[str, Callable[[], float]] = {
            "worker": lambda: _worker(running),
            "bare loop": lambda: _bare(running),
            "plain boto3 loop": lambda: _plain(running),
            "dramatiq": lambda: peer.drain(BACKLOG),
        }
        for number in range(1, running.rounds + 1):
            with running.screen.task(f"Worker, round {number}") as task:
                rates: dict[str, float] = {}
                for name in turns(tuple(sides), number):
                    task.detail(name)
                    rates[name] = BACKLOG / sides[name]()
                rounds.append(rates)
    by_round = ", ".join("/".join(f"{rates[name]:.0f}" for name in sides) for rates in rounds)

    def goal(limit: float, other: str, detail: str) -> Goal:
        ratios = [rates["worker"] / rates[other] for rates in rounds]
        return Goal(f"worker : {other}", limit, ratios, detail=detail)

    return [
        goal(0.8, "bare loop", f"orders a second, {'/'.join(sides)}, by round: {by_round}"),
        goal(6.0, "plain boto3 loop", "see above"),
        goal(4.0, "dramatiq", "dramatiq_sqs, 2 processes with 8 threads each; see above"),
    ]


def _worker(running: RunningSystem) -> float:
    running.fill(BACKLOG)
    began = time.perf_counter()
    with running.worker_running():
        return running.drained_after_s(began)


def _bare(running: RunningSystem) -> float:
    """Receive 10, one batched conditional write, delete 10, nothing else."""
    running.fill(BACKLOG)
    rows = make_orders(BACKLOG, running.system.target)
    return asyncio.run(_bare_loop(running.system.target, rows))


async def _receive_write_delete(calls: Operations, rows: Iterator[Order]) -> int:
    """Make the calls that a worker cannot do without. The rows are prepared, not those of the messages."""
    handles = await calls.receive()
    if not handles:
        return 0
    await calls.write(list(itertools.islice(rows, len(handles))))
    return await calls.delete(handles)


async def _bare_loop(target: Target, rows: list[Order]) -> float:
    left = iter(rows)
    async with operations(target) as calls:
        began = time.perf_counter()
        done = 0

        async def lane() -> None:
            nonlocal done
            while done < BACKLOG:
                more = await _receive_write_delete(calls, left)
                done += more

        await asyncio.gather(*(lane() for _ in range(_LANES)))
        return time.perf_counter() - began


def _plain(running: RunningSystem) -> float:
    """A first attempt: boto3, a receive of 10, then PutItem and DeleteMessage for each."""
    running.fill(BACKLOG)
    took_s, _ = plain_loop(running.system.target, BACKLOG)
    return took_s


def plain_loop(target: Target, orders: int) -> tuple[float, int]:
    """Process `orders` orders; the seconds and the number of requests to AWS."""
    requests = 0

    def count(_service: str, _operation: str, more: int, _entries: int) -> None:
        nonlocal requests
        requests += more

    sqs, dynamodb = target.sqs, target.dynamodb
    for client in (sqs, dynamodb):
        count_requests(client, count)
    queue_url = target.queue_url(target.outputs.work_queue)
    began, done, requests = time.perf_counter(), 0, 0
    while done < orders:
        for message in sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=BATCH).get("Messages", []):
            dynamodb.put_item(
                TableName=target.outputs.orders_table,
                Item=plain_row(json.loads(message["Body"])),
                ConditionExpression="attribute_not_exists(order_id)",
            )
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
    return time.perf_counter() - began, requests
