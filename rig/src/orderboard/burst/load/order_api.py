"""The requests of the load generator to order-api, and their answers."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import aiohttp

from orderboard.burst.load.generator import Answer, answer_of
from orderboard.orders.problem import problem_line

_RECORDED_WITHIN_S: Final = 30.0
_POLL_EVERY_S: Final = 0.1
_BACKOFF_S: Final = 0.2
_MAX_BACKOFF_S: Final = 5.0
_TRY_AGAIN: Final = (408, 429)  # the request came too slowly, or too many came


class Answered(NamedTuple):
    """An answer. reason: of each but 202."""

    answer: Answer
    answered_s: float
    order_id: str = ""
    total_cents: int = 0
    reason: str = ""


class OrderApi:
    """order-api. An order that it cannot take is tried `attempts` times."""

    def __init__(self, http: aiohttp.ClientSession, now_s: Callable[[], float], attempts: int) -> None:
        self._http, self._now_s, self._attempts = http, now_s, attempts

    async def place(self, body: bytes, idempotency_key: str) -> Answered:
        """Place an order."""
        return await self._post("orders", body, {"Idempotency-Key": idempotency_key})

    async def cancel(self, order_id: str, reason: str) -> Answer:
        """Cancel an order."""
        body = json.dumps({"reason": reason}).encode()
        return (await self._post(f"orders/{order_id}/cancellation", body, {})).answer

    async def until_recorded(self, order_id: str) -> None:
        """Wait until the order can be read, at most half a minute."""
        until_s = self._now_s() + _RECORDED_WITHIN_S
        while self._now_s() < until_s:
            try:
                async with self._http.get(f"orders/{order_id}") as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(_POLL_EVERY_S)

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answered:
        found = await self._post_once(path, body, headers)
        answers = [found.answer]
        while found.answer in ("unavailable", "unreached") and len(answers) < self._attempts:
            await asyncio.sleep(min(_MAX_BACKOFF_S, _BACKOFF_S * 2 ** len(answers)))
            found = await self._post_once(path, body, headers)
            answers.append(found.answer)
        return found._replace(answer=answer_of(answers))

    async def _post_once(self, path: str, body: bytes, headers: dict[str, str]) -> Answered:
        try:
            async with self._http.post(path, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            unreached = isinstance(exc, aiohttp.ClientConnectorError)
            return Answered("unreached" if unreached else "unavailable", self._now_s(), reason=type(exc).__name__)
        answered_s = self._now_s()
        if response.status == 202:
            document: dict[str, Any] = json.loads(content)
            return Answered("acknowledged", answered_s, str(document["order_id"]), document.get("total_cents", 0))
        unavailable = response.status >= 500 or response.status in _TRY_AGAIN
        reason = f"{response.status} {problem_line(content, response.reason or '')}".strip()
        return Answered("unavailable" if unavailable else "refused", answered_s, reason=reason)
