"""The load generator: sends orders at their intended times, whether or not earlier ones were answered.

Open loop: a slow system does not slow the generator down, and latency counts from the intended time, which avoids
coordinated omission (https://www.youtube.com/watch?v=lJ8ydIuPFeU). Late sends are reported. The connections bound the
memory: an order without a free connection waits, and is late. It runs in a separate process, so that the command's
other work does not disturb its clock.
"""

import asyncio
import gc
import json
import multiprocessing
import queue
import resource
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, NamedTuple

import aiohttp

from orderboard.burst.load.mix import OrderSource, PlannedOrder
from orderboard.errors import RigError
from orderboard.orders.problem import problem_line

Answer = Literal["acknowledged", "refused", "unavailable"]

_START_AFTER_S: Final = 0.2
_REPORT_EVERY_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 15.0
# Below order-api's 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_RECORDED_WITHIN_S: Final = 30.0
_POLL_EVERY_S: Final = 0.1
_BACKOFF_S: Final = 0.2
_MAX_BACKOFF_S: Final = 5.0
_TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True)
class Job:
    """The orders to send, and their times. An order that the API cannot take is tried `attempts` times."""

    api_url: str
    source: OrderSource
    seed: int
    run: str
    times_s: Sequence[float]
    connections: int
    attempts: int = 1


class Reply(NamedTuple):
    """The answer to one order. Seconds count from the start. Of an order sent twice, the better answer counts."""

    number: int
    intended_s: float
    sent_s: float
    answered_s: float
    waited: bool  # for a free connection
    answer: Answer
    order_ids: tuple[str, ...]  # one for each 202
    total_cents: int
    cancellation: Answer | None
    refusals: tuple[str, ...]  # status and reason, or the error, of each answer other than 202


class Update(NamedTuple):
    """A report of the generator, ten times a second. done: everything has been sent and answered."""

    sent: int
    replies: tuple[Reply, ...]
    done: bool


class Generator:
    """The parent's handle on the generator process, which waits for start()."""

    def __init__(self, job: Job) -> None:
        # All processes of a machine share time.monotonic(), so the start can be given as a time.
        context = multiprocessing.get_context("spawn")
        self._updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(job, theirs), name="generator", daemon=True)
        self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._receive, name="generator-updates", daemon=True)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    def start(self) -> float:
        """Wait until it is ready and start it; return second 0 by time.monotonic(), which is a moment ahead."""
        try:
            self._ours.recv()
            start_at = time.monotonic() + _START_AFTER_S
            self._ours.send(start_at)
        except (EOFError, OSError) as exc:
            raise RigError("The generator could not start; its error is above.") from exc
        self._thread.start()
        return start_at

    def updates(self) -> list[Update]:
        """Return the updates since the last call; raise RigError when the process failed."""
        found: list[Update] = []
        while not self._updates.empty():
            found.append(self._updates.get())
        if not found and not self._thread.is_alive() and self._process.exitcode not in (0, None):
            raise RigError(f"The generator ended with code {self._process.exitcode}; its error is above.")
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        if self._thread.ident is not None:
            self._thread.join()

    def _receive(self) -> None:
        try:
            while True:
                self._updates.put(self._ours.recv())
        except (EOFError, OSError):
            pass


def _main(job: Job, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the command's to handle
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    asyncio.run(_Sender(job, pipe).run())
    pipe.close()


class _Sender:
    def __init__(self, job: Job, pipe: Connection) -> None:
        self._job = job
        self._pipe = pipe
        self._free = asyncio.Semaphore(job.connections)
        self._start_at = 0.0
        self._sent = 0
        self._replies: list[Reply] = []
        self._outbox: queue.SimpleQueue[Update | None] = queue.SimpleQueue()

    async def run(self) -> None:
        """Send everything, and report until the last answer."""
        reporter = threading.Thread(target=self._report, daemon=True)  # a full pipe must not stop the clock
        reporter.start()
        async with aiohttp.ClientSession(
            self._job.api_url,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json"},
        ) as self._http:
            gc.collect()
            gc.freeze()
            self._pipe.send("ready")
            self._start_at = await asyncio.to_thread(self._pipe.recv)
            flushing = asyncio.create_task(self._flush())
            async with asyncio.TaskGroup() as group:
                await self._send_all(group)
            flushing.cancel()
        self._outbox.put(Update(self._sent, tuple(self._replies), done=True))
        self._outbox.put(None)
        reporter.join()

    async def _send_all(self, group: asyncio.TaskGroup) -> None:
        job = self._job
        orders = job.source.orders(seed=job.seed, run=job.run, count=len(job.times_s))
        held_until_s = 0.0
        for number, (intended_s, order) in enumerate(zip(job.times_s, orders, strict=True)):
            # Sleeps also when it is late already: the loop must get its turn to read answers.
            await asyncio.sleep(max(0.0, self._start_at + intended_s - time.monotonic()))
            for _ in range(order.sends):
                waits = self._free.locked()
                await self._free.acquire()
                held_until_s = self._now_s() if waits else held_until_s
            self._sent += 1
            waited = intended_s < held_until_s  # itself, or behind one that waited
            group.create_task(self._send(number, intended_s, order, waited=waited))

    async def _send(self, number: int, intended_s: float, order: PlannedOrder, *, waited: bool) -> None:
        body = json.dumps(order.body, ensure_ascii=False).encode()
        headers = {"Idempotency-Key": order.idempotency_key}
        cancellation = None
        sent_s = self._now_s()
        try:
            sends = [self._post("/orders", body, headers) for _ in range(order.sends)]
            answers = await asyncio.gather(*sends)
            accepted = [each for each in answers if each.answer == "acknowledged"]
            best = min(accepted or answers, key=lambda each: each.answered_s)
            if order.cancellation == "at once" and accepted:
                cancellation = await self._cancel(best.order_id, "changed my mind")
        finally:
            for _ in range(order.sends):
                self._free.release()
        if order.cancellation == "when final" and accepted:
            await self._until_recorded(best.order_id)
            cancellation = await self._cancel(best.order_id, "too late, I fear")
        self._replies.append(
            Reply(
                number=number,
                intended_s=intended_s,
                sent_s=sent_s,
                answered_s=best.answered_s,
                waited=waited,
                answer=best.answer,
                order_ids=tuple(each.order_id for each in accepted),
                total_cents=best.total_cents,
                cancellation=cancellation,
                refusals=tuple(each.reason for each in answers if each.answer != "acknowledged"),
            )
        )

    async def _cancel(self, order_id: str, reason: str) -> Answer:
        body = json.dumps({"reason": reason}).encode()
        return (await self._post(f"/orders/{order_id}/cancellation", body, {})).answer

    async def _until_recorded(self, order_id: str) -> None:
        until_s = self._now_s() + _RECORDED_WITHIN_S
        while self._now_s() < until_s:
            try:
                async with self._http.get(f"/orders/{order_id}") as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(_POLL_EVERY_S)

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> "_Answered":
        for attempt in range(1, self._job.attempts + 1):
            found = await self._post_once(path, body, headers)
            if found.answer != "unavailable" or attempt == self._job.attempts:
                break
            await asyncio.sleep(min(_MAX_BACKOFF_S, _BACKOFF_S * 2**attempt))
        return found

    async def _post_once(self, path: str, body: bytes, headers: dict[str, str]) -> "_Answered":
        try:
            async with self._http.post(path, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            return _Answered("unavailable", self._now_s(), reason=type(exc).__name__)
        answered_s = self._now_s()
        if response.status == 202:
            document: dict[str, Any] = json.loads(content)
            return _Answered("acknowledged", answered_s, str(document["order_id"]), document.get("total_cents", 0))
        unavailable = response.status >= 500 or response.status == _TOO_MANY_REQUESTS
        reason = f"{response.status} {problem_line(content, response.reason or '')}".strip()
        return _Answered("unavailable" if unavailable else "refused", answered_s, reason=reason)

    def _now_s(self) -> float:
        return time.monotonic() - self._start_at

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            self._outbox.put(Update(self._sent, tuple(self._replies), done=False))
            self._replies.clear()

    def _report(self) -> None:
        while (update := self._outbox.get()) is not None:
            try:
                self._pipe.send(update)
            except OSError:  # the parent has gone
                return


class _Answered(NamedTuple):
    answer: Answer
    answered_s: float
    order_id: str = ""
    total_cents: int = 0
    reason: str = ""
