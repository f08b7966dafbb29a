"""Batching of concurrent callers: a Batcher sends an entry at once, and those that follow it closely in shared calls.

It is independent of any AWS service: its owner supplies the limits of a call and the function that sends it.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from types import TracebackType
from typing import Any, Final, Generic, Self, cast

from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.entry_queue import Entry, EntryQueue, Result, Waiting
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError, EntryTooLargeError

_BACKOFF: Final = Backoff(base_s=0.05, max_s=1.0)
_STOPPED: Final = EntryError("Stopped", "the batcher was stopped before the response arrived", retryable=True)


@dataclass(frozen=True)
class Limits:
    """Limits of a Batcher.

    max_bytes applies to the sum of size_bytes over the entries of a call. linger_s is the least time between the starts
    of two calls, unless a call is full: an entry that comes alone does not wait. max_waiting bounds the entries that
    wait for a call or for their next attempt. attempts counts the sends of one entry, including the first.
    """

    max_entries: int
    max_bytes: int = 1 << 62
    linger_s: float = 0.002
    max_concurrent_calls: int = 4
    max_waiting: int = 10_000
    attempts: int = 4
    backoff: Backoff = _BACKOFF

    def __post_init__(self) -> None:
        for name in ("max_entries", "max_bytes", "max_concurrent_calls", "max_waiting", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")


class Batcher(Generic[Entry, Result]):
    """Sends entries in batches; each submit returns its entry's result.

    send receives 1 to max_entries entries and returns one Result or EntryError for each, in order. An exception it
    raises goes to every caller of that call. A caller that is cancelled while it waits withdraws its entry; once the
    call is under way, the entry may still take effect (at-least-once).

    Use it as an async context manager. Leaving the context accepts no further entries and sends those that wait,
    including retries. Cancel the exit to stop early; every remaining caller then gets an EntryRefusedError.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Entry]], Awaitable[Sequence[Result | EntryError]]],
        *,
        limits: Limits,
        size_bytes: Callable[[Entry], int] = lambda _: 0,
    ) -> None:
        self._send = send
        self._limits = limits
        self._size_bytes = size_bytes
        self._queue: EntryQueue[Entry, Result] = EntryQueue()
        self._backing_off: dict[Waiting[Entry, Result], asyncio.TimerHandle] = {}
        self._calls: set[asyncio.Task[Sequence[Result | EntryError]]] = set()
        self._due: asyncio.Handle | None = None  # the next look at the queue
        self._last_call_s = -inf
        self._open = False

    @property
    def waiting(self) -> int:
        """The number of entries that wait for a call or for their next attempt."""
        return len(self._queue) + len(self._backing_off)

    async def submit(self, entry: Entry) -> Result:
        """Send an entry, together with others, and return its result.

        Raises BatcherFullError, EntryTooLargeError, EntryRefusedError, or the exception of the call itself.
        """
        return await self.start(entry)

    async def submit_many(self, entries: Sequence[Entry]) -> list[Result | Exception]:
        """Send entries together and return for each its result, or the exception that submit would raise."""
        results = await asyncio.gather(*map(self._started, entries), return_exceptions=True)
        return cast("list[Result | Exception]", results)

    def _started(self, entry: Entry) -> "asyncio.Future[Result]":
        try:
            return self.start(entry)
        except (BatcherFullError, EntryTooLargeError) as exc:
            failed: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            failed.set_exception(exc)
            return failed

    def start(self, entry: Entry) -> "asyncio.Future[Result]":
        """Return the future result of an entry, which is sent together with others. Cancel it to withdraw the entry.

        Raises BatcherFullError or EntryTooLargeError.
        """
        size_bytes = self._size_bytes(entry)
        if size_bytes > self._limits.max_bytes:
            raise EntryTooLargeError(f"the entry has {size_bytes} bytes; the limit is {self._limits.max_bytes}")
        if not self._open:
            raise BatcherFullError("the batcher accepts entries only inside its `async with` block")
        if self.waiting >= self._limits.max_waiting:
            raise BatcherFullError(f"{self.waiting} entries are already waiting")
        waiting = Waiting[Entry, Result](entry, size_bytes, self._withdraw)
        self._enqueue(waiting)
        return waiting

    def _enqueue(self, waiting: Waiting[Entry, Result]) -> None:
        self._queue.append(waiting)
        if self._is_full() or not self._open:
            self._dispatch()
        elif self._due is None:
            self._schedule()

    def _withdraw(self, waiting: Waiting[Entry, Result]) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)
        elif waiting in self._backing_off:
            self._backing_off.pop(waiting).cancel()

    def _schedule(self) -> None:
        """Look at the queue once a call is due: at the earliest when all callers of this moment have started."""
        if len(self._calls) < self._limits.max_concurrent_calls:  # otherwise the next call that ends looks
            loop = asyncio.get_running_loop()
            due_s = self._last_call_s + self._limits.linger_s
            lingers = due_s > loop.time()
            self._due = loop.call_at(due_s, self._look, due_s) if lingers else loop.call_soon(self._look, due_s)

    def _look(self, due_s: float) -> None:
        self._due = None
        self._dispatch(reached_s=due_s)

    def _dispatch(self, reached_s: float = -inf) -> None:
        """Start the calls that are due. Runs after each event that may make one due.

        A timer of uvloop may fire just before its time, as its clock has whole milliseconds; reached_s counts then.
        """
        while self._queue and len(self._calls) < self._limits.max_concurrent_calls:
            now_s = max(asyncio.get_running_loop().time(), reached_s)
            if not (self._is_full() or not self._open or now_s >= self._last_call_s + self._limits.linger_s):
                if self._due is None:
                    self._schedule()
                return
            batch = self._queue.take_batch(self._limits.max_entries, self._limits.max_bytes)
            self._last_call_s = now_s
            call = asyncio.create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(partial(self._call_done, batch))

    def _is_full(self) -> bool:
        return len(self._queue) >= self._limits.max_entries or self._queue.size_bytes >= self._limits.max_bytes

    async def _call(self, batch: Sequence[Waiting[Entry, Result]]) -> Sequence[Result | EntryError]:
        results = await self._send([waiting.entry for waiting in batch])
        if len(results) != len(batch):
            raise ValueError(f"send returned {len(results)} results for {len(batch)} entries")
        return results

    def _call_done(
        self, batch: Sequence[Waiting[Entry, Result]], call: "asyncio.Task[Sequence[Result | EntryError]]"
    ) -> None:
        self._calls.discard(call)
        if call.cancelled():
            for waiting in batch:
                waiting.fail(EntryRefusedError(_STOPPED))
        elif (failure := call.exception()) is not None:
            for waiting in batch:
                waiting.fail(_copied(failure))
        else:
            for waiting, result in zip(batch, call.result(), strict=True):
                self._resolve(waiting, result)
        self._dispatch()

    def _resolve(self, waiting: Waiting[Entry, Result], result: Result | EntryError) -> None:
        if waiting.done():
            return
        if not isinstance(result, EntryError):
            waiting.set_result(result)
        elif result.retryable and waiting.attempt < self._limits.attempts:
            wait_s = self._limits.backoff.full_jitter_s(waiting.attempt)
            self._backing_off[waiting] = asyncio.get_running_loop().call_later(wait_s, self._retry, waiting)
        else:
            waiting.fail(EntryRefusedError(result))

    def _retry(self, waiting: Waiting[Entry, Result]) -> None:
        del self._backing_off[waiting]
        waiting.attempt += 1
        self._enqueue(waiting)

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open = False
        self._dispatch()
        try:
            while pending := self._unresolved():
                await asyncio.wait(pending)
        finally:
            await self._stop()

    def _unresolved(self) -> "set[asyncio.Future[Any]]":
        return {*self._calls, *self._queue, *self._backing_off}

    async def _stop(self) -> None:
        """Fail every caller that still waits. After an orderly exit there are none."""
        if self._due is not None:
            self._due.cancel()
        for timer in self._backing_off.values():
            timer.cancel()
        for waiting in (*self._queue, *self._backing_off):
            waiting.fail(EntryRefusedError(_STOPPED))
        self._queue = EntryQueue()
        self._backing_off.clear()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)


def _copied(failure: BaseException) -> BaseException:
    """Copy an exception for one caller, as raising it modifies it; return the original if it cannot be copied."""
    try:
        twin = copy.copy(failure)
    except Exception:  # noqa: BLE001 - the exception's constructor may have required arguments and may raise anything
        return failure
    if type(twin) is not type(failure) or twin.args != failure.args:
        return failure
    twin.__cause__, twin.__context__ = failure.__cause__, failure.__context__
    twin.__suppress_context__ = failure.__suppress_context__
    return twin.with_traceback(failure.__traceback__)
