"""LocalStack without a worker, or with one that dies: the API does not feel it, and nothing is lost."""

import time

import httpx
from localstack.orders import finished, look, place
from localstack.queues import emptied, holding
from localstack.workers import Workers
from support.stack import DeployedStack
from support.waiting import eventually

ORDERS = 30


async def test_orders_are_taken_while_no_worker_runs_and_made_when_one_does(
    api: httpx.Client, workers: Workers, stack: DeployedStack
) -> None:
    """Every order is answered 202 without delay, waits on the queue, and is made later."""
    began = time.monotonic()
    order_ids = [place(api) for _ in range(ORDERS)]
    mean_s = (time.monotonic() - began) / ORDERS

    assert mean_s < 1
    assert stack.waiting(stack.outputs.work_queue) == ORDERS
    unknown = look(api, order_ids[0])
    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert int(unknown.headers["Retry-After"]) > 0

    workers.start()

    for order_id in order_ids:
        order = await finished(api, order_id, within_s=20)
        assert order["status"] == "completed"
    await emptied(stack, stack.outputs.work_queue)


async def test_what_a_killed_worker_had_in_hand_is_made_by_the_next(
    api: httpx.Client, workers: Workers, stack: DeployedStack
) -> None:
    """Orders in the hands of a worker that is killed come back after the visibility timeout and are made once."""
    doomed = workers.start(preparation_ms="60000")
    order_ids = [place(api) for _ in range(5)]
    await eventually(lambda: holding(stack, stack.outputs.work_queue).in_flight == len(order_ids))

    doomed.process.kill()
    workers.start()

    for order_id in order_ids:
        order = await finished(api, order_id, within_s=20)
        assert (order["status"], order["receive_count"], order["worker_id"]) == ("completed", 2, "worker-2")
