"""The order client: which responses are retried, and which are answers."""

import json
from collections.abc import Callable

import httpx
from orderboard.orders.client import Accepted, Answer, OrderClient, Refused, Unavailable

ACCEPTED = httpx.Response(202, json={"order_id": "o-1", "total_cents": 240})


async def _ask(
    respond: Callable[[httpx.Request], httpx.Response], order: dict[str, object] | None = None, attempts: int = 3
) -> Answer:
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://api") as http:
        client = OrderClient(http, attempts=attempts, backoff_s=0.001)
        return await client.place(order or {"customer_id": "ada"}, idempotency_key="key-1")


async def test_503_is_asked_again_with_the_same_key() -> None:
    """An API that is not available is asked again under the same Idempotency-Key until it takes the order."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ACCEPTED if len(seen) == 3 else httpx.Response(503, headers={"Retry-After": "0"})

    answer = await _ask(respond)

    assert answer == Accepted("o-1", 240, retries=2)
    assert [request.headers["Idempotency-Key"] for request in seen] == ["key-1"] * 3


async def test_no_connection_is_asked_again() -> None:
    """A lost connection may have placed the order; asking again under the same key cannot place it twice."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            raise httpx.ReadError("reset")
        return ACCEPTED

    assert await _ask(respond) == Accepted("o-1", 240, retries=1)


async def test_retries_are_reported() -> None:
    """A caller can show that the API cannot be reached while it is asked again, and the answer has the same reason."""

    def respond(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111]", request=request)

    reasons: list[str] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://api") as http:
        client = OrderClient(http, attempts=3, backoff_s=0.001, on_retry=reasons.append)
        answer = await client.place({}, idempotency_key="key-1")

    assert reasons == ["cannot connect to http://api"] * 2
    assert answer == Unavailable("cannot connect to http://api", retries=2)


async def test_it_gives_up_in_the_end() -> None:
    """After the last attempt the answer says what kept it from being placed."""
    answer = await _ask(lambda _: httpx.Response(503, json={"detail": "SNS is down"}, headers={"Retry-After": "0"}))

    assert answer == Unavailable("503: SNS is down", retries=2)


async def test_a_refusal_is_an_answer() -> None:
    """422 is returned at once, with each field and what is expected."""
    problem = {"detail": "1 error", "errors": [{"field": "/lines/0/sku", "detail": "not on the menu"}]}

    answer = await _ask(lambda _: httpx.Response(422, json=problem))

    assert answer == Refused(422, "/lines/0/sku: not on the menu")


async def test_whatever_is_json_can_be_sent() -> None:
    """Lone surrogates and not-a-number travel to the API, which refuses them, and break nothing here."""
    bodies: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(400, text="no")

    for text in ('{"note": "\\ud800"}', '{"n": NaN}'):
        assert await _ask(respond, json.loads(text)) == Refused(400, "no")

    assert all(body.isascii() for body in bodies)
