"""Many callers, few calls: a Batcher collects entries for a short time and sends them together.

It knows no AWS service. What one call may hold (entries, bytes) and how it is sent come from its owner.
"""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, Self

from orderboard_aws_client.entry_queue import Entry, EntryQueue, Result, Waiting
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError, EntryTooLargeError
from orderboard_aws_client.limits import Limits

_STOPPED: Final = EntryError("Stopped", "sending was broken off before the answer came", retryable=True)


class Batcher(Generic[Entry, Result]):
    """Sends entries in batches; each submit gets its own entry's result.

    send takes 1 to max_entries entries and answers one Result or EntryError for each, in order. What it raises, every
    caller of that call gets. A caller that is cancelled while it waits takes its entry out; once the call is under way
    the entry may have taken effect (at-least-once).

    Use it as an async context manager. Leaving takes nothing more and sends what waits, further attempts included.
    Whoever cannot wait for that cancels it; then each caller left is told at once, by an EntryRefusedError.
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
        self._linger: asyncio.TimerHandle | None = None
        self._open = False

    @property
    def waiting(self) -> int:
        """How many entries wait for a call, or for their next attempt."""
        return len(self._queue) + len(self._backing_off)

    async def submit(self, entry: Entry) -> Result:
        """Send entry with others and return its result.

        Raises BatcherFullError, EntryTooLargeError, EntryRefusedError, or what the call itself raised.
        """
        size_bytes = self._size_bytes(entry)
        if size_bytes > self._limits.max_bytes:
            raise EntryTooLargeError(f"{size_bytes} bytes; a call holds {self._limits.max_bytes}")
        if not self._open:
            raise BatcherFullError("the batcher takes entries only inside its `async with`")
        if self.waiting >= self._limits.max_waiting:
            raise BatcherFullError(f"{self.waiting} entries wait already")
        loop = asyncio.get_running_loop()
        waiting = Waiting[Entry, Result](entry, size_bytes, loop.create_future(), loop.time())
        self._enqueue(waiting)
        try:
            return await waiting.future
        except asyncio.CancelledError:
            self._withdraw(waiting)
            raise

    def _enqueue(self, waiting: Waiting[Entry, Result]) -> None:
        self._queue.append(waiting)
        if self._linger is None or self._is_full() or not self._open:
            self._dispatch()  # otherwise the timer will: most entries join others that wait already

    def _withdraw(self, waiting: Waiting[Entry, Result]) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)
        elif waiting in self._backing_off:
            self._backing_off.pop(waiting).cancel()
        elif not waiting.future.cancelled() and waiting.future.done():
            waiting.future.exception()  # the answer came too late; asyncio would log that nobody looked at it

    def _dispatch(self) -> None:
        """Start the calls that are due. Whatever may make one due (an entry, a timer, a free slot) ends here."""
        while self._queue and len(self._calls) < self._limits.max_concurrent_calls:
            if not self._is_due():
                self._start_linger()
                return
            batch = self._queue.take_batch(self._limits.max_entries, self._limits.max_bytes)
            if batch:
                call = asyncio.create_task(self._call(batch))
                self._calls.add(call)
                call.add_done_callback(partial(self._call_done, batch))

    def _is_due(self) -> bool:
        return self._is_full() or not self._open or asyncio.get_running_loop().time() >= self._linger_ends_s()

    def _is_full(self) -> bool:
        return len(self._queue) >= self._limits.max_entries or self._queue.size_bytes >= self._limits.max_bytes

    def _linger_ends_s(self) -> float:
        return self._queue.oldest().waits_since_s + self._limits.linger_s

    def _start_linger(self) -> None:
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_at(self._linger_ends_s(), self._linger_over)

    def _linger_over(self) -> None:
        self._linger = None
        self._dispatch()

    async def _call(self, batch: Sequence[Waiting[Entry, Result]]) -> Sequence[Result | EntryError]:
        outcomes = await self._send([waiting.entry for waiting in batch])
        if len(outcomes) != len(batch):
            raise ValueError(f"{len(outcomes)} results for {len(batch)} entries: whose is whose cannot be told")
        return outcomes

    def _call_done(
        self, batch: Sequence[Waiting[Entry, Result]], call: "asyncio.Task[Sequence[Result | EntryError]]"
    ) -> None:
        self._calls.discard(call)
        if call.cancelled():
            for waiting in batch:
                self._fail(waiting, EntryRefusedError(_STOPPED))
        elif (failure := call.exception()) is not None:
            for waiting in batch:
                self._fail(waiting, _own_copy(failure))
        else:
            for waiting, outcome in zip(batch, call.result(), strict=True):
                self._settle(waiting, outcome)
        self._dispatch()

    def _settle(self, waiting: Waiting[Entry, Result], outcome: Result | EntryError) -> None:
        if waiting.future.done():
            return
        if not isinstance(outcome, EntryError):
            waiting.future.set_result(outcome)
        elif outcome.retryable and waiting.attempt < self._limits.attempts:
            loop = asyncio.get_running_loop()
            self._backing_off[waiting] = loop.call_later(self._backoff_s(waiting.attempt), self._retry, waiting)
        else:
            self._fail(waiting, EntryRefusedError(outcome))

    def _fail(self, waiting: Waiting[Entry, Result], failure: BaseException) -> None:
        if not waiting.future.done():
            waiting.future.set_exception(failure)

    def _backoff_s(self, attempt: int) -> float:
        """Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
        ceiling_s = min(self._limits.backoff_max_s, self._limits.backoff_base_s * 2 ** (attempt - 1))
        return random.uniform(0, ceiling_s)  # noqa: S311 - spreads load, guards nothing

    def _retry(self, waiting: Waiting[Entry, Result]) -> None:
        del self._backing_off[waiting]
        waiting.attempt += 1
        waiting.waits_since_s = asyncio.get_running_loop().time()
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
            while pending := self._unsettled():
                await asyncio.wait(pending)
        finally:
            await self._break_off()

    def _unsettled(self) -> "set[asyncio.Future[Any]]":
        return {*self._calls, *(waiting.future for waiting in (*self._queue, *self._backing_off))}

    async def _break_off(self) -> None:
        """Tell whoever still waits that it is over. After an orderly end there is nobody."""
        if self._linger is not None:
            self._linger.cancel()
        for timer in self._backing_off.values():
            timer.cancel()
        for waiting in (*self._queue, *self._backing_off):
            self._fail(waiting, EntryRefusedError(_STOPPED))
        self._queue = EntryQueue()
        self._backing_off.clear()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)


def _own_copy(failure: BaseException) -> BaseException:
    """A failure of one caller's own, as raising it writes traceback and context into it; failure if it has no copy."""
    try:
        twin = copy.copy(failure)
    except Exception:  # noqa: BLE001 - an exception's constructor may ask for anything and raise anything
        return failure
    if type(twin) is not type(failure) or twin.args != failure.args:
        return failure
    twin.__cause__, twin.__context__ = failure.__cause__, failure.__context__
    twin.__suppress_context__ = failure.__suppress_context__
    return twin.with_traceback(failure.__traceback__)
