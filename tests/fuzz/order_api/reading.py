"""Reading: an order as it was placed, a customer's orders in pages, odd cursors and other parameters."""

from __future__ import annotations

import base64
import json
import random
import uuid
from typing import Any, Final
from urllib.parse import quote_from_bytes

from fuzz.order_api import bodies
from fuzz.order_api.connection import Request
from fuzz.order_api.customer import Customer

_OK, _REFUSED = frozenset({200}), frozenset({400, 404, 422})
_LIMITS: Final = (
    "0",
    "-1",
    "101",
    "1.0",
    "1e1",
    " 5",
    "+5",
    "05",
    "1_0",
    "٣",
    "",
    "x",
    "9" * 5_000,
    "null",
    "5\x00",
    "[5]",
)
_CUSTOMER_IDS: Final = ("", "-a", "a b", "x" * 65, "a\n", "é", "\ud800", "a/b", "..", "a\x00", "%", "{}", "*")


async def reading(customer: Customer) -> None:
    """Read an order: as it was placed, once it is recorded."""
    orders, rng = customer.record.orders, customer.rng
    order_id = (
        rng.choice(list(orders)[-2000:]) if orders and rng.random() < 0.8 else str(uuid.UUID(int=rng.getrandbits(128)))
    )
    target = f"/orders/{order_id}".encode()
    if rng.random() < 0.2:
        odd = rng.choice(
            (order_id.upper(), "{" + order_id + "}", order_id[:-1], order_id.replace("-", ""), order_id + "%0a")
        )
        await customer.send(Request("GET", f"/orders/{odd}".encode(), expected=_REFUSED if odd != order_id else None))
        return
    for response in await customer.send(Request("GET", target, expected=frozenset({200, 404}))):
        if response.status == 200 and (fault := _misread(json.loads(response.body), orders.get(order_id))):
            customer.record.faults.append(f"{fault}\n  {response.body[:600]!r}\n  {customer.repeat}")


def _misread(view: dict[str, Any], placed: dict[str, Any] | None) -> str | None:
    if placed is None:
        return None if view["status"] == "cancelled" else "an order that nobody placed is recorded"
    if view["status"] == "cancelled" and "customer_id" not in view:
        return None
    of_view = (view["customer_id"], view.get("note"), [(each["sku"], each["quantity"]) for each in view["lines"]])
    of_order = (
        placed["customer_id"],
        placed.get("note"),
        [(each["sku"], each["quantity"]) for each in placed["lines"]],
    )
    return None if of_view == of_order else f"recorded as {of_view}, not as {of_order}"


async def listing(customer: Customer) -> None:
    """List a customer's orders over some pages: newest first and none twice; then with an odd parameter or cursor."""
    rng, seen, cursor = customer.rng, list[tuple[str, str]](), ""
    customer_id = rng.choice(bodies.CUSTOMERS)
    for _ in range(rng.randrange(1, 5)):
        limit = rng.choice((1, 2, 5, 20, 100))
        query = f"customer_id={customer_id}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        [*responses] = await customer.send(Request("GET", f"/orders?{query}".encode(), expected=_OK))
        page = json.loads(responses[0].body) if responses and responses[0].status == 200 else {"orders": []}
        seen += [(each["placed_at"], each["order_id"]) for each in page["orders"]]
        if len(page["orders"]) > limit or any(each["customer_id"] != customer_id for each in page["orders"]):
            customer.record.faults.append(f"a page of other or of too many orders: {query}\n  {customer.repeat}")
        if not (cursor := page.get("next_cursor", "")):
            break
    if [at for at, _ in seen] != sorted((at for at, _ in seen), reverse=True) or len(set(seen)) != len(seen):
        customer.record.faults.append(f"orders of {customer_id} twice or not in order: {seen}\n  {customer.repeat}")
    await customer.send(_odd_listing(customer_id, cursor, rng))


def _odd_listing(customer_id: str, cursor: str, rng: random.Random) -> Request:
    kind = rng.randrange(5)
    if kind == 0:
        return Request("GET", _query(customer_id=customer_id, limit=rng.choice(_LIMITS)))
    if kind == 1:
        return Request("GET", _query(customer_id=rng.choice(_CUSTOMER_IDS)), expected=_REFUSED)
    if kind == 2:
        target = rng.choice(
            (b"/orders", b"/orders?", b"/orders?customer_id", b"/orders?customer_id=a&customer_id=b", b"/orders?%")
        )
        return Request("GET", target)
    if kind == 3 and cursor:
        return Request("GET", _query(customer_id="somebody-else", cursor=cursor), expected=_REFUSED)
    return Request("GET", _query(customer_id=customer_id, cursor=_odd_cursor(customer_id, cursor, rng)))


def _odd_cursor(customer_id: str, cursor: str, rng: random.Random) -> str:
    texts = (
        "",
        "=",
        "x",
        "é",
        "\x00",
        "a" * 513,
        "e30",
        "bnVsbA",
        "////",
        "W10",
        cursor[:-1],
        cursor + "=",
        cursor + "A",
        cursor[::-1],
    )
    position: dict[str, Any] = {
        "customer_id": customer_id,
        "placed_at": "2026-01-01T00:00:00Z",
        "order_id": str(uuid.uuid5(uuid.NAMESPACE_URL, "x")),
    }
    times = (
        "0000000000",
        "9999999999",
        "2026-13-45T99:99:99Z",
        "----------",
        "",
        5,
        None,
        "T" * 41,
        "2026-01-01T00:00:00\n",
    )
    if rng.random() < 0.4:
        return rng.choice(texts)
    name = rng.choice(list(position))
    position[name] = rng.choice((*times, "x", [], {"S": "x"}, "a" * 64))
    document = json.dumps(position) if rng.random() < 0.8 else json.dumps(position)[:-1] + ',"x":1}'
    return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def _query(**parameters: str) -> bytes:
    texts = {name: quote_from_bytes(value.encode("utf-8", "surrogatepass")) for name, value in parameters.items()}
    return ("/orders?" + "&".join(f"{name}={text}" for name, text in texts.items())).encode()
