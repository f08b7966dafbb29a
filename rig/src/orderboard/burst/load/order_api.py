"""The requests of the load generator to order-api, and their answers."""

import asyncio
import json
import time
from typing import Final, NamedTuple
from urllib.parse import quote

from orderboard.burst.load.connections import Connections
from orderboard.burst.load.generator import Answer, answer_of
from orderboard.burst.load.http_connection import Done, HttpAnswer, NoAnswer
from orderboard.burst.load.mix import PlannedOrder
from orderboard.orders.problem import problem_line

_RECORDED_WITHIN_S: Final = 30.0
_POLL_EVERY_S: Final = 0.1
_BACKOFF_S: Final = 0.2
_MAX_BACKOFF_S: Final = 5.0
_TRY_AGAIN: Final = (408, 429)  # the request came too slowly, or too many came
_encode = json.JSONEncoder(ensure_ascii=False).encode


class Answered(NamedTuple):
    """An answer, at a moment of time.monotonic(). reason: of each but 202."""

    answer: Answer
    at: float
    order_id: str = ""
    total_cents: int = 0
    reason: str = ""


class OrderApi:
    """order-api. An order that it cannot take is tried `attempts` times."""

    def __init__(self, api_url: str, api_token: str | None, attempts: int) -> None:
        headers = {"User-Agent": "orderboard-burst", "Accept": "*/*", "Content-Type": "application/json"}
        if api_token is not None:
            headers["Authorization"] = f"Bearer {api_token}"
        self._connections, self._attempts = Connections(api_url, headers), attempts
        self._orders = self._connections.head("POST", "orders") + b"Idempotency-Key: "

    def request(self, order: PlannedOrder) -> bytes:
        """Return the request that places an order."""
        try:
            body = _encode(order.body).encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can hold
            body = json.dumps(order.body).encode()
        key = order.idempotency_key.encode("latin-1")
        return b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (self._orders, key, len(body), body)

    def send(self, request: bytes, done: Done) -> None:
        """Send a request once; `answered` reads the result."""
        self._connections.send(request, done)

    async def place(self, request: bytes) -> Answered:
        """Place an order."""
        found = answered(await self._connections.exchange(request))
        answers = [found.answer]
        while found.answer in ("unavailable", "unreached") and len(answers) < self._attempts:
            await asyncio.sleep(min(_MAX_BACKOFF_S, _BACKOFF_S * 2 ** len(answers)))
            found = answered(await self._connections.exchange(request))
            answers.append(found.answer)
        return found._replace(answer=answer_of(answers))

    async def cancel(self, order_id: str, reason: str) -> Answer:
        """Cancel an order."""
        body = _encode({"reason": reason}).encode()
        head = self._connections.head("POST", f"orders/{quote(order_id, safe='')}/cancellation")
        return (await self.place(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))).answer

    async def until_recorded(self, order_id: str) -> None:
        """Wait until the order can be read, at most half a minute."""
        request = self._connections.head("GET", f"orders/{quote(order_id, safe='')}") + b"\r\n"
        until = time.monotonic() + _RECORDED_WITHIN_S
        while time.monotonic() < until:
            result = await self._connections.exchange(request)
            if isinstance(result, HttpAnswer) and result.status == 200:
                return
            await asyncio.sleep(_POLL_EVERY_S)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


def answered(result: HttpAnswer | NoAnswer) -> Answered:
    """Read the end of a request."""
    if isinstance(result, NoAnswer):
        return Answered("unavailable" if result.sent else "unreached", result.at, reason=result.reason)
    status = result.status
    if status == 202:
        try:
            document = json.loads(result.content)
            return Answered("acknowledged", result.at, str(document["order_id"]), document.get("total_cents", 0))
        except (ValueError, TypeError, KeyError):
            return Answered("unavailable", result.at, reason="202 without an order_id")
    unavailable = status >= 500 or status in _TRY_AGAIN
    reason = f"{status} {problem_line(result.content, result.phrase)}".strip()
    return Answered("unavailable" if unavailable else "refused", result.at, reason=reason)
