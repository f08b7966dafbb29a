"""A customer of order-api: sends requests on one connection, judges each response, and records what was accepted."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote

from fuzz.order_api.connection import Connection, Headers, NoResponseError, Request, Response
from fuzz.order_api.description import Description, InvalidBodyError
from fuzz.order_api.publications import Sent, content_of

JSON: Final[Headers] = ((b"Content-Type", b"application/json"),)
_PATIENCE_S: Final = 2
_CORRELATION: Final = b"X-Correlation-ID"


@dataclass
class Record:
    """The state of a run. `sent` is by correlation id, `orders` are those that were accepted."""

    description: Description
    faults: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    sent: dict[str, Sent] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def judge(self, request: Request, response: Response, repeat: str) -> None:
        """Compare a response with what the request deserves, and record a command that was accepted."""
        self.answers[str(response.status)] += 1
        shown = f"{_shown(request)}\n  {response.status} {response.body[:300]!r}\n  {repeat}"
        faults = [self.description.fault(request, response), self._unexpected(request, response.status)]
        order_id, content = None, None
        if response.status == 202:
            order_id, content, fault = self._accepted(request, response)
            faults.append(fault)
        self.faults += [f"{fault}\n  {shown}" for fault in faults if fault is not None]
        correlation_id = response.headers.get("x-correlation-id", request.correlation_id)
        self.sent[correlation_id] = Sent(shown, response.status != 503, order_id, content)

    def unanswered(self, request: Request, repeat: str, *, is_whole: bool = True) -> None:
        """Record a request without a response: a whole one may have been accepted."""
        self.answers["none"] += 1
        self.sent[request.correlation_id] = Sent(f"{_shown(request)}\n  {repeat}", answered=not is_whole)

    def _unexpected(self, request: Request, status: int) -> str | None:
        if request.expected is not None:
            right = status in request.expected or status == 503
        elif request.method == "POST" and not request.doubtful:
            right = (status in {202, 503}) == self.description.accepts(request)
        else:
            right = True
        return None if right else f"status {status} is not the right one"

    def _accepted(self, request: Request, response: Response) -> tuple[str, dict[str, Any], str | None]:
        order_id = str(response.headers["location"].rpartition("/")[2])
        cancels = b"cancellation" in request.target
        try:
            body = self.description.parsed_command(request.body, cancels=cancels)
        except InvalidBodyError as exc:
            return order_id, {}, f"accepted, though {exc}"
        if not cancels:
            self.orders[order_id] = body
        return order_id, content_of(body), None


@dataclass
class Customer:
    """A client with one connection, in one story at a time."""

    record: Record
    connection: Connection
    rng: random.Random = field(default_factory=random.Random)
    story: str = ""
    repeat: str = ""
    _sent: int = 0

    def begin(self, seed: int) -> None:
        """Begin the story of this seed."""
        self.rng, self.story, self._sent = random.Random(seed), f"fuzz-{seed}", 0
        self.repeat = f"the story of: python -m fuzz order-api --seed {seed} --count 1"

    def with_id(self, request: Request) -> Request:
        """Return the request with a correlation id, unless it has one."""
        if request.correlation_id or request.values(_CORRELATION.lower()):
            return request
        self._sent += 1
        correlation_id = f"{self.story}-{self._sent}"
        headers = (*request.headers, (_CORRELATION, correlation_id.encode()))
        return replace(request, headers=headers, correlation_id=correlation_id)

    async def send(self, *requests: Request, pieces: int = 1) -> list[Response]:
        """Send the requests at once, and judge their responses. Return fewer if the server closes the connection."""
        requests = tuple(map(self.with_id, requests))
        await self.connection.send(b"".join(each.encoded() for each in requests), pieces)
        responses = []
        for request in requests:
            try:
                response = await self.connection.response(request.method)
            except NoResponseError as exc:
                self.record.unanswered(request, self.repeat)
                if request.framing is None:
                    self.record.faults.append(f"no response ({exc})\n  {_shown(request)}\n  {self.repeat}")
                break
            self.record.judge(request, response, self.repeat)
            responses.append(response)
        return responses

    def headers(self) -> Headers:
        """Return the headers of an order, with or without a key."""
        return (*JSON, (b"Idempotency-Key", self.key())) if self.rng.random() < 0.6 else JSON

    def key(self) -> bytes:
        """Return a new Idempotency-Key."""
        return f"{self.story}-{self.rng.getrandbits(64):x}".encode()

    async def send_oddly(self, request: Request) -> None:
        """Send bytes that may not be a request; whatever comes, the connection ends here."""
        await self.connection.send(request.encoded())
        try:
            self.record.judge(request, await self._late_response(request.method), self.repeat)
        except NoResponseError:
            self.record.unanswered(request, self.repeat)
        self.connection.hang_up()

    async def _late_response(self, method: str) -> Response:
        """Return the response, if need be after the end of the input: the server may wait for the rest of a body."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self.connection.response(method)
        except TimeoutError:
            await self.connection.end_of_input()
            return await self.connection.response(method)

    async def abandon(self, request: Request, length: int | None = None) -> None:
        """Send a request, or the first bytes of it, and hang up: a whole one may be accepted."""
        request = self.with_id(request)
        data = request.encoded()
        await self.connection.send(data[:length])
        self.connection.hang_up()
        self.record.unanswered(request, self.repeat, is_whole=length is None or length >= len(data))


def _shown(request: Request) -> str:
    return f"{unquote(request.target.decode('latin-1'))[:80]}: {request.encoded()[:1500]!r}"
