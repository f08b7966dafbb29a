"""Reading of orders that a worker has recorded in the table."""

from datetime import UTC, datetime, timedelta

from integration.order_api.service import ApiProcess
from orderboard_aws_client.order_codec import to_item
from orderboard_contracts.identity import new_order_id
from support.order_rows import completed
from support.stack import DeployedStack

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def recorded(stack: DeployedStack, customer_id: str, *, minute: int = 0) -> str:
    """Write a completed order as a worker would; return its id."""
    order_id = new_order_id()
    record = completed(order_id, customer_id, NOON + timedelta(minutes=minute))
    stack.dynamodb.put_item(TableName=stack.outputs.orders_table, Item=to_item(record))
    return order_id


async def test_an_order_is_404_until_it_is_recorded(stack: DeployedStack, api: ApiProcess) -> None:
    """First 404 with Retry-After, then the order with its lines and prices."""
    before = await api.http.get(f"/orders/{new_order_id()}")
    order_id = recorded(stack, "grace")

    after = await api.http.get(f"/orders/{order_id}")

    assert (before.status_code, before.headers["retry-after"]) == (404, "1")
    assert after.status_code == 200
    assert after.json()["lines"] == [{"sku": "tea", "quantity": 2, "unit_price_cents": 320}]


async def test_pages_show_every_order_of_a_customer_once(stack: DeployedStack, api: ApiProcess) -> None:
    """Newest first, nobody else's, and the last page has no cursor."""
    expected = [recorded(stack, "ada", minute=minute) for minute in range(7)][::-1]
    recorded(stack, "eve")

    seen: list[str] = []
    parameters = {"customer_id": "ada", "limit": "3"}
    while True:
        page = (await api.http.get("/orders", params=parameters)).json()
        seen += [order["order_id"] for order in page["orders"]]
        if "next_cursor" not in page:
            break
        parameters["cursor"] = page["next_cursor"]

    assert seen == expected
