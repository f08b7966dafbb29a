"""Sends the orders at their intended times, whether or not earlier ones were answered, in a process of its own.

Open loop: a slow system does not slow the generator down, and latency counts from the intended time, so nobody who
waited is left out (https://www.youtube.com/watch?v=lJ8ydIuPFeU explains coordinated omission). What could not be sent
on time is told too. Memory is bounded by the connections: an order that finds none free waits, and is late.
A process of its own, so that whatever the command does meanwhile does not disturb its clock.
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
from typing import Any, Final, NamedTuple

import aiohttp

from orderboard.burst.judge.verdict import Answer
from orderboard.burst.mix import Intent, Orders
from orderboard.errors import RigError

_START_AFTER_S: Final = 0.2
_TELL_EVERY_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 15.0
# Below order-api's own 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_ASK_AGAIN: Final = 429


@dataclass(frozen=True)
class Job:
    """What to send, where and when. All processes of a machine share time.monotonic(), so the start can be told."""

    api_url: str
    orders: Orders
    seed: int
    run: str
    times_s: Sequence[float]
    connections: int


class Reply(NamedTuple):
    """What became of one order. Seconds count from the start; those of an order sent twice are its better answer's."""

    number: int
    intended_s: float
    sent_s: float
    answered_s: float
    waited: bool  # for a free connection
    answer: Answer
    order_ids: tuple[str, ...]
    total_cents: int
    cancellation: Answer | None
    said: str  # the status, or the error, when it was not 202


class Told(NamedTuple):
    """What the generator tells ten times a second. done: everything has been sent and answered."""

    sent: int
    replies: tuple[Reply, ...]
    done: bool


class Generator:
    """The generator's process, seen from here. It waits for begin(); its replies come by told()."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(job, theirs), name="generator", daemon=True)
        self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._receive, name="generator-replies", daemon=True)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    def begin(self) -> float:
        """Let it start as soon as it is ready; return the start by time.monotonic(), which is a moment ahead."""
        try:
            self._ours.recv()
            start_at = time.monotonic() + _START_AFTER_S
            self._ours.send(start_at)
        except (EOFError, OSError) as exc:
            raise RigError("The generator could not start; what it said is above.") from exc
        self._thread.start()
        return start_at

    def told(self) -> list[Told]:
        """Everything that it told since the last call; raise RigError when it died."""
        found: list[Told] = []
        while not self._told.empty():
            found.append(self._told.get())
        if not found and not self._thread.is_alive() and self._process.exitcode not in (0, None):
            raise RigError(f"The generator ended with code {self._process.exitcode}; what it said is above.")
        return found

    def stop(self) -> None:
        """End it, wherever it is."""
        self._process.terminate()
        self._process.join()
        if self._thread.ident is not None:
            self._thread.join()

    def _receive(self) -> None:
        try:
            while True:
                self._told.put(self._ours.recv())
        except (EOFError, OSError):
            pass


def _main(job: Job, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the command's to handle
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    asyncio.run(_Sending(job, pipe).run())
    pipe.close()


class _Sending:
    def __init__(self, job: Job, pipe: Connection) -> None:
        self._job = job
        self._pipe = pipe
        self._free = asyncio.Semaphore(job.connections)
        self._start_at = 0.0
        self._sent = 0
        self._replies: list[Reply] = []
        self._outbox: queue.SimpleQueue[Told | None] = queue.SimpleQueue()

    async def run(self) -> None:
        """Send everything, and tell what comes of it until the last answer."""
        telling = threading.Thread(target=self._tell, daemon=True)  # a full pipe must not stop the clock
        telling.start()
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S)
        timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)
        async with aiohttp.ClientSession(
            self._job.api_url,
            connector=connector,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json"},
        ) as http:
            gc.collect()
            gc.freeze()
            self._pipe.send("ready")
            self._start_at = await asyncio.to_thread(self._pipe.recv)
            flushing = asyncio.create_task(self._flush())
            async with asyncio.TaskGroup() as group:
                await self._send_all(http, group)
            flushing.cancel()
        self._outbox.put(Told(self._sent, tuple(self._replies), done=True))
        self._outbox.put(None)
        telling.join()

    async def _send_all(self, http: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        job = self._job
        intents = job.orders.intents(seed=job.seed, run=job.run, orders=len(job.times_s))
        held_until_s = 0.0
        for number, (intended_s, intent) in enumerate(zip(job.times_s, intents, strict=True)):
            # Also when it is late already: the loop must get its turn to read answers.
            await asyncio.sleep(max(0.0, self._start_at + intended_s - time.monotonic()))
            for _ in range(intent.sends):
                if self._free.locked():
                    await self._free.acquire()
                    held_until_s = self._now_s()
                else:
                    await self._free.acquire()
            self._sent += 1
            # Also whoever stood behind one that waited.
            waited = intended_s < held_until_s
            group.create_task(self._send(http, number, intended_s, intent, waited=waited))

    async def _send(
        self, http: aiohttp.ClientSession, number: int, intended_s: float, intent: Intent, *, waited: bool
    ) -> None:
        body = json.dumps(intent.body, ensure_ascii=False).encode()
        headers = {"Idempotency-Key": intent.idempotency_key}
        sent_s = self._now_s()
        try:
            answers = await asyncio.gather(*(self._post(http, "/orders", body, headers) for _ in range(intent.sends)))
            accepted = [answer for answer in answers if answer.answer == "acknowledged"]
            best = min(accepted or answers, key=lambda answer: answer.answered_s)
            cancellation = None
            if intent.cancels and accepted:
                path = f"/orders/{best.order_id}/cancellation"
                cancellation = (await self._post(http, path, b'{"reason": "changed my mind"}', {})).answer
        finally:
            for _ in range(intent.sends):
                self._free.release()
        self._replies.append(
            Reply(
                number,
                intended_s,
                sent_s,
                best.answered_s,
                waited,
                best.answer,
                tuple(answer.order_id for answer in accepted),
                best.total_cents,
                cancellation,
                best.said,
            )
        )

    async def _post(self, http: aiohttp.ClientSession, path: str, body: bytes, headers: dict[str, str]) -> "_Answered":
        try:
            async with http.post(path, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            return _Answered("unavailable", self._now_s(), said=type(exc).__name__)
        answered_s = self._now_s()
        if response.status == 202:
            document: dict[str, Any] = json.loads(content)
            return _Answered("acknowledged", answered_s, str(document["order_id"]), document.get("total_cents", 0))
        unavailable = response.status >= 500 or response.status == _ASK_AGAIN
        return _Answered("unavailable" if unavailable else "refused", answered_s, said=str(response.status))

    def _now_s(self) -> float:
        return time.monotonic() - self._start_at

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            self._outbox.put(Told(self._sent, tuple(self._replies), done=False))
            self._replies.clear()

    def _tell(self) -> None:
        while (told := self._outbox.get()) is not None:
            try:
                self._pipe.send(told)
            except OSError:  # whoever listened is gone
                return


class _Answered(NamedTuple):
    answer: Answer
    answered_s: float
    order_id: str = ""
    total_cents: int = 0
    said: str = ""
