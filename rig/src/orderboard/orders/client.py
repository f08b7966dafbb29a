"""An HTTP client of order-api that retries with the same Idempotency-Key."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from orderboard_contracts.identity import order_id_for

from orderboard.orders.problem import problem_line

_UNAVAILABLE: Final = (429, 503)
_MAX_RETRY_AFTER_S: Final = 5.0


@dataclass(frozen=True)
class Accepted:
    """202: the order, or its cancellation, is on its way."""

    order_id: str
    total_cents: int
    retries: int


@dataclass(frozen=True)
class Refused:
    """The API refused it for good; reason is its problem document in one line."""

    status: int
    reason: str


@dataclass(frozen=True)
class Unavailable:
    """The API could not be reached, or answered 429 or 503 to every attempt."""

    reason: str
    retries: int


Answer = Accepted | Refused | Unavailable


def refusal(answer: Answer) -> str | None:
    """Return why the order was not accepted; None when it was."""
    match answer:
        case Accepted():
            return None
        case Refused(status=status, reason=reason):
            return f"{status} {reason}"
        case Unavailable(reason=reason):
            return reason


class OrderClient:
    """Posts orders and cancellations. 429, 503 and a lost connection are retried; every other response is an answer."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        attempts: int = 8,
        backoff_s: float = 0.2,
        on_retry: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._http = http
        self._on_retry = on_retry
        self._attempts = attempts
        self._backoff_s = backoff_s

    async def place(self, order: Mapping[str, object], *, idempotency_key: str) -> Answer:
        """Post one order. A retry cannot place it twice: the order's id derives from the key."""
        return await self._post("/orders", {"Idempotency-Key": idempotency_key}, order)

    async def cancel(self, order_id: str, *, reason: str | None = None) -> Answer:
        """Request the cancellation of an order. 202 means that the request was published, not that it is in time."""
        return await self._post(f"/orders/{order_id}/cancellation", {}, {} if reason is None else {"reason": reason})

    async def order(self, order_id: str) -> dict[str, Any] | None:
        """The recorded order, None until it is recorded. Raises httpx.HTTPError."""
        response = await self._http.get(f"/orders/{order_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        view: dict[str, Any] = response.json()
        return view

    async def is_recorded(self, idempotency_key: str) -> bool:
        """Return whether the order with this key is recorded; False if the API does not answer."""
        try:
            return await self.order(order_id_for(idempotency_key)) is not None
        except httpx.HTTPError:
            return False

    async def _post(self, path: str, headers: Mapping[str, str], body: Mapping[str, object]) -> Answer:
        reason = "never tried"
        # Escaped to ASCII, so that everything that was read as JSON can be sent; the API validates it.
        content = json.dumps(body).encode()
        for attempt in range(self._attempts):
            delay_s = min(_MAX_RETRY_AFTER_S, self._backoff_s * 2**attempt)
            try:
                response = await self._http.post(
                    path, headers={"Content-Type": "application/json", **headers}, content=content
                )
            except httpx.ConnectError:
                reason = f"cannot connect to {self._http.base_url}"
            except httpx.TransportError as exc:
                reason = f"no answer from {self._http.base_url} ({exc or type(exc).__name__})"
            else:
                if response.status_code not in _UNAVAILABLE:
                    return _answer(response, attempt)
                reason = f"{response.status_code}: {_reason(response)}"
                delay_s = min(_MAX_RETRY_AFTER_S, _retry_after_s(response, delay_s))
            if attempt + 1 < self._attempts:
                self._on_retry(reason)
                await asyncio.sleep(delay_s)
        return Unavailable(reason, self._attempts - 1)


@asynccontextmanager
async def order_client(
    api_url: str,
    *,
    token: str | None = None,
    connections: int = 32,
    attempts: int = 8,
    on_retry: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[OrderClient]:
    """A client of the API at this URL. connections: how many requests run at once; more wait for a connection.

    on_retry is called with the reason before each retry.
    """
    # A proxy that the user's shell names is not meant for this machine.
    trust_env = httpx.URL(api_url).host not in ("127.0.0.1", "localhost", "::1")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    timeout = httpx.Timeout(15.0, pool=None)
    async with httpx.AsyncClient(
        base_url=api_url, headers=headers, limits=limits, timeout=timeout, trust_env=trust_env
    ) as http:
        yield OrderClient(http, attempts=attempts, on_retry=on_retry)


def _answer(response: httpx.Response, retries: int) -> Answer:
    if response.status_code != httpx.codes.ACCEPTED:
        return Refused(response.status_code, _reason(response))
    body = response.json()
    return Accepted(str(body["order_id"]), int(body.get("total_cents", 0)), retries)


def _reason(response: httpx.Response) -> str:
    return problem_line(response.content, response.reason_phrase)


def _retry_after_s(response: httpx.Response, default_s: float) -> float:
    # Seconds only: order-api sends no dates. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else default_s
