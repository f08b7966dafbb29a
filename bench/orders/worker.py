"""The worker against a bare loop and a plain boto3 loop, each on an equal backlog."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from goals import Goal
from orderboard.calibration.operations import Operations, Order, make_orders, operations
from orderboard.orders.queues import BATCH
from orderboard.system.target import Target
from orderboard_aws_client.clients import count_requests
from orders.running import RunningSystem, turns

BACKLOG: Final = 2_000
_LANES: Final = 4


def worker_part(running: RunningSystem) -> list[Goal]:
    """Ratios of orders a second. The three sides alternate in every round."""
    to_bare, to_plain, details = [], [], []
    for number in range(1, running.rounds + 1):
        with running.screen.task(f"Worker, round {number}") as task:
            rates: dict[str, float] = {}
            for name in turns(tuple(_SIDES), number):
                task.detail(name)
                rates[name] = BACKLOG / _SIDES[name](running)
        worker, bare_, plain = (rates[name] for name in _SIDES)
        to_bare.append(worker / bare_)
        to_plain.append(worker / plain)
        details.append(f"{worker:.0f}/{bare_:.0f}/{plain:.0f}")
    detail = f"orders a second, worker/bare/plain, by round: {', '.join(details)}"
    return [
        Goal("worker : bare loop", 0.8, to_bare, detail=detail),
        Goal("worker : plain boto3 loop", 6.0, to_plain, detail="see above"),
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


_SIDES: Final[Mapping[str, Callable[[RunningSystem], float]]] = {
    "worker": _worker,
    "bare loop": _bare,
    "plain boto3 loop": _plain,
}


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
                Item=_item(json.loads(message["Body"])),
                ConditionExpression="attribute_not_exists(order_id)",
            )
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
    return time.perf_counter() - began, requests


def _item(event: dict[str, Any]) -> dict[str, Any]:
    data = event["data"]
    row = {"order_id": data["order_id"], "status": "completed", "customer_id": data["customer_id"]}
    row |= {"placed_at": event["time"], "note": data["note"], "digest": data["digest"]}
    return {
        name: {"S": value} for name, value in itertools.chain(row.items(), (("traceparent", event["traceparent"]),))
    }
