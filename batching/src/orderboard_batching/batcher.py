"""Many callers, few calls: a Batcher collects entries for a short time and sends them together.

It knows no AWS service. What one call may hold (entries, bytes) and how it is sent come from its owner.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

Entry = TypeVar("Entry")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Limits:
    """What one call may hold, and how long entries wait for company.

    max_bytes counts what size_bytes says of each entry. slots is the number of calls under way at once. max_waiting
    bounds the entries that wait; one more is refused. attempts counts sends of one entry, the first included.
    """

    max_entries: int
    max_bytes: int = 1 << 62
    linger_s: float = 0.002
    slots: int = 4
    max_waiting: int = 10_000
    attempts: int = 4
    backoff_base_s: float = 0.05
    backoff_max_s: float = 1.0


@dataclass(frozen=True)
class Refused:
    """One entry of a call that otherwise went through, by the service's own code and message."""

    code: str
    message: str
    retryable: bool


class BatcherFullError(Exception):
    """Too many entries wait already: shed this one now, the caller tries again later."""


class EntryTooLargeError(Exception):
    """The entry alone is larger than a call may be: it can never be sent."""


class EntryRefusedError(Exception):
    """The service refused this entry, at once for good or after every attempt."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.code}: {refused.message}")
        self.refused = refused


@dataclass
class _Waiting(Generic[Entry, Result]):
    entry: Entry
    size_bytes: int
    future: "asyncio.Future[Result]"
    attempt: int = 1


class Batcher(Generic[Entry, Result]):
    """Sends entries in batches; each submit gets its own entry's result.

    send takes 1 to max_entries entries and answers one Result or Refused for each, in order. What it raises, every
    caller of that call gets. A caller that is cancelled while it waits takes its entry out; once the call is under way
    the entry may have taken effect (at-least-once). Use it as an async context manager: leaving sends what waits.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Entry]], Awaitable[Sequence[Result | Refused]]],
        *,
        limits: Limits,
        size_bytes: Callable[[Entry], int] = lambda _: 0,
    ) -> None:
        self._send = send
        self._limits = limits
        self._size_bytes = size_bytes
        self._waiting: deque[_Waiting[Entry, Result]] = deque()
        self._more = asyncio.Event()
        self._full_batch = asyncio.Event()
        self._slots = asyncio.Semaphore(limits.slots)
        self._calls: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def waiting(self) -> int:
        """How many entries wait to be sent."""
        return len(self._waiting)

    async def submit(self, entry: Entry) -> Result:
        """Send entry with others and return its result.

        Raises BatcherFullError, EntryTooLargeError, EntryRefusedError, or what the call itself raised.
        """
        size_bytes = self._size_bytes(entry)
        if size_bytes > self._limits.max_bytes:
            raise EntryTooLargeError(f"{size_bytes} bytes; a call holds {self._limits.max_bytes}")
        if self._closing or len(self._waiting) >= self._limits.max_waiting:
            raise BatcherFullError(f"{len(self._waiting)} entries wait already")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._enqueue(_Waiting(entry, size_bytes, future))
        return await future

    def _enqueue(self, waiting: _Waiting[Entry, Result]) -> None:
        self._waiting.append(waiting)
        self._more.set()
        if len(self._waiting) >= self._limits.max_entries:
            self._full_batch.set()

    def _next_batch(self) -> list[_Waiting[Entry, Result]]:
        batch: list[_Waiting[Entry, Result]] = []
        batch_bytes = 0
        while self._waiting and len(batch) < self._limits.max_entries:
            if self._waiting[0].future.done():  # its caller has gone
                self._waiting.popleft()
                continue
            batch_bytes += self._waiting[0].size_bytes
            if batch_bytes > self._limits.max_bytes:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            await self._slots.acquire()
            try:
                await self._linger()
                batch = self._next_batch()
                if not self._waiting:
                    self._more.clear()
                if len(self._waiting) < self._limits.max_entries:
                    self._full_batch.clear()
            except BaseException:
                self._slots.release()
                raise
            if not batch:
                self._slots.release()
                continue
            call = asyncio.create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._call_done)

    async def _linger(self) -> None:
        if self._closing or len(self._waiting) >= self._limits.max_entries:
            return
        try:
            async with asyncio.timeout(self._limits.linger_s):
                await self._full_batch.wait()
        except TimeoutError:
            pass

    def _call_done(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        self._slots.release()

    async def _call(self, batch: list[_Waiting[Entry, Result]]) -> None:
        try:
            outcomes = await self._send([waiting.entry for waiting in batch])
            paired = list(zip(batch, outcomes, strict=True))
        except BaseException as exc:
            for waiting in batch:
                if not waiting.future.done():
                    waiting.future.set_exception(exc)
            if not isinstance(exc, Exception):
                raise
            return
        for waiting, outcome in paired:
            self._settle(waiting, outcome)

    def _settle(self, waiting: _Waiting[Entry, Result], outcome: Result | Refused) -> None:
        if waiting.future.done():
            return
        if not isinstance(outcome, Refused):
            waiting.future.set_result(outcome)
        elif outcome.retryable and waiting.attempt < self._limits.attempts and not self._closing:
            waiting.attempt += 1
            asyncio.get_running_loop().call_later(self._backoff_s(waiting.attempt), self._retry, waiting, outcome)
        else:
            waiting.future.set_exception(EntryRefusedError(outcome))

    def _backoff_s(self, attempt: int) -> float:
        """Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
        ceiling_s = min(self._limits.backoff_max_s, self._limits.backoff_base_s * 2 ** (attempt - 1))
        return random.uniform(0, ceiling_s)  # noqa: S311 - spreads load, guards nothing

    def _retry(self, waiting: _Waiting[Entry, Result], outcome: Refused) -> None:
        if waiting.future.done():
            return
        if self._closing:
            waiting.future.set_exception(EntryRefusedError(outcome))
        else:
            self._enqueue(waiting)

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        self._full_batch.set()
        while self._waiting or self._calls:
            await asyncio.sleep(0)
            if self._calls:
                await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
            elif self._waiting and all(waiting.future.done() for waiting in self._waiting):
                break
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
