"""Orders over HTTP, as a customer places and reads them."""

from typing import Any

import httpx
from orderboard_contracts.record import FINAL_STATUSES
from support.waiting import eventually


def place(
    api: httpx.Client, *, key: str | None = None, customer_id: str = "ada", quantity: int = 1, **fields: str
) -> str:
    """Place an order of so many flat whites that must be accepted; return its id."""
    order = {"customer_id": customer_id, "lines": [{"sku": "flat-white", "quantity": quantity}], **fields}
    answer = api.post("/orders", json=order, headers={} if key is None else {"Idempotency-Key": key})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    order_id: str = answer.json()["order_id"]
    return order_id


def cancel(api: httpx.Client, order_id: str) -> None:
    """Request the cancellation of an order; the request must be accepted."""
    answer = api.post(f"/orders/{order_id}/cancellation", json={})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text


async def finished(api: httpx.Client, order_id: str, *, within_s: float = 5) -> dict[str, Any]:
    """The order, once it has a final state."""
    return await eventually(lambda: recorded(api, order_id), within_s=within_s)


def look(api: httpx.Client, order_id: str) -> httpx.Response:
    """The API's response for an order."""
    return api.get(f"/orders/{order_id}")


def ids_of_customer(api: httpx.Client, customer_id: str) -> list[str]:
    """The ids of a customer's latest orders."""
    answer = api.get("/orders", params={"customer_id": customer_id})
    assert answer.status_code == httpx.codes.OK, answer.text
    return [order["order_id"] for order in answer.json()["orders"]]


def recorded(api: httpx.Client, order_id: str) -> dict[str, Any]:
    """The order in its final state; an AssertionError while it has none."""
    answer = look(api, order_id)
    assert answer.status_code == httpx.codes.OK, answer.text
    order: dict[str, Any] = answer.json()
    assert order["status"] in FINAL_STATUSES
    return order
