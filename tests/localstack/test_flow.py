"""The whole flow on LocalStack, from HTTP to the inbox, with the notifier in its own container."""

import secrets

import httpx
from localstack.container import LocalStack
from localstack.inbox import Inbox
from localstack.orders import cancel, finished, ids_of_customer, place, recorded
from localstack.queues import emptied
from localstack.workers import Workers
from orderboard.orders.all_logs import LogGroups, OfOrder
from orderboard.orders.service_logs import LogLine
from orderboard_contracts.identity import order_id_for
from support.stack import DeployedStack
from support.waiting import eventually

ANNOUNCED_WITHIN_S = 30  # the first announcement waits for the function's container


async def test_an_order_travels_all_the_way_to_the_inbox(
    api: httpx.Client, workers: Workers, inbox: Inbox, stack: DeployedStack, localstack: LocalStack
) -> None:
    """An express order that is large is made, and the notifier's container announces both facts, and logs them."""
    workers.start()

    order_id = place(api, priority="express", quantity=50)

    order = await finished(api, order_id)
    assert (order["status"], order["total_cents"]) == ("completed", 19_500)
    await eventually(lambda: inbox.kinds(order_id) == ["express_ready", "large_order"], within_s=ANNOUNCED_WITHIN_S)
    assert localstack.function_containers(stack.outputs.notifier_function)
    logs, of_order = LogGroups(stack.logs, stack.outputs.bus_name), OfOrder(order_id)
    lines: list[LogLine] = []

    def logged() -> None:
        lines.extend(of_order(logs.read()))
        assert [(line.service, line.event) for line in lines] == [("notifier", "alert.published")] * 2

    await eventually(logged, within_s=ANNOUNCED_WITHIN_S)


async def test_every_order_that_is_refused_by_the_worker_is_announced(
    api: httpx.Client, workers: Workers, inbox: Inbox
) -> None:
    """An order for something that is sold out is rejected, and the customer hears of it."""
    workers.start(sold_out="flat-white")

    order_id = place(api)

    order = await finished(api, order_id)
    assert (order["status"], order["rejection_reason"]) == ("rejected", "sold_out")
    await eventually(lambda: inbox.kinds(order_id) == ["order_rejected"], within_s=ANNOUNCED_WITHIN_S)


async def test_an_order_that_is_placed_again_and_again_is_made_and_announced_once(
    api: httpx.Client, workers: Workers, inbox: Inbox, stack: DeployedStack
) -> None:
    """Three messages of one Idempotency-Key leave one row and one alert."""
    key = secrets.token_hex(8)
    customer_id = f"customer-{key}"
    order_ids = {place(api, key=key, customer_id=customer_id, priority="express") for _ in range(3)}
    (order_id,) = order_ids
    assert stack.waiting(stack.outputs.express_queue) == 3

    workers.start()

    await eventually(lambda: inbox.of(order_id), within_s=ANNOUNCED_WITHIN_S)
    for queue in (stack.outputs.express_queue, stack.outputs.alerts_queue):
        await emptied(stack, queue, within_s=ANNOUNCED_WITHIN_S)
    assert inbox.kinds(order_id) == ["express_ready"]
    assert recorded(api, order_id)["receive_count"] == 1
    assert ids_of_customer(api, customer_id) == [order_id]


async def test_a_cancellation_that_overtakes_its_order_wins(
    api: httpx.Client, workers: Workers, stack: DeployedStack
) -> None:
    """The cancellation leaves a tombstone, and the order that comes after it is recorded as cancelled."""
    key = secrets.token_hex(8)
    order_id = order_id_for(key)
    workers.start()

    def tombstone() -> bool:
        row = stack.dynamodb.get_item(
            TableName=stack.outputs.orders_table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
        )
        return row.get("Item", {}).get("status") == {"S": "cancellation_pending"}

    cancel(api, order_id)
    await eventually(tombstone)
    assert place(api, key=key) == order_id

    assert (await finished(api, order_id))["status"] == "cancelled"


async def test_a_cancellation_that_comes_too_late_is_refused(api: httpx.Client, workers: Workers, inbox: Inbox) -> None:
    """A completed order stays completed, and the customer hears that the cancellation came too late."""
    workers.start()
    order_id = place(api)
    await finished(api, order_id)

    cancel(api, order_id)

    await eventually(lambda: inbox.kinds(order_id) == ["cancellation_refused"], within_s=ANNOUNCED_WITHIN_S)
    assert recorded(api, order_id)["status"] == "completed"
