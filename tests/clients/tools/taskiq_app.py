"""taskiq with taskiq-aio-sqs: tasks of a receiver through a FIFO queue in order, and a delayed task."""

import asyncio
import os

import boto3
from taskiq.api import run_receiver_task
from taskiq_aio_sqs import SQSBroker

sqs = boto3.client("sqs")
sqs.create_queue(QueueName="work.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
sqs.create_queue(QueueName="later")
region = os.environ["AWS_REGION"]  # without it the broker is in us-east-1
orders = SQSBroker("work.fifo", region_name=region, wait_time_seconds=1, use_task_id_for_deduplication=True)
later = SQSBroker("later", region_name=region, wait_time_seconds=1, delay_seconds=1)
done: list[str] = []
all_done = asyncio.Event()


@orders.task
async def make(drink: str) -> None:
    """Note the drink."""
    done.append(drink)


@later.task
async def clean(what: str) -> None:
    """Note the work, which is the last."""
    done.append(what)
    all_done.set()


async def main() -> None:
    """Send, receive until all is done, stop."""
    for broker in (orders, later):
        await broker.startup()
    await clean.kiq("machine")
    for drink in ("tea", "coffee", "water"):
        await make.kiq(drink)
    receivers = [asyncio.create_task(run_receiver_task(broker, max_async_tasks=1)) for broker in (orders, later)]
    async with asyncio.timeout(15):
        await all_done.wait()
    for receiver in receivers:
        receiver.cancel()
    await asyncio.gather(*receivers, return_exceptions=True)
    for broker in (orders, later):
        await broker.shutdown()


asyncio.run(main())
assert done == ["tea", "coffee", "water", "machine"], done
