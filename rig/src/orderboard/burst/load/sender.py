"""The generator's process: sends each order at its time over HTTP, and reports the answers to the parent."""

import asyncio
import gc
import json
import queue
import resource
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

import aiohttp

from orderboard.burst.load.generator import Answer, Command, Job, Reply, Update, answer_of
from orderboard.burst.load.mix import PlannedOrder
from orderboard.orders.problem import problem_line

_REPORT_EVERY_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 15.0
# Below order-api's 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_RECORDED_WITHIN_S: Final = 30.0
_POLL_EVERY_S: Final = 0.1
_BACKOFF_S: Final = 0.2
_MAX_BACKOFF_S: Final = 5.0
_TRY_AGAIN: Final = (408, 429)  # the request came too slowly, or too many came
_EXAMPLES: Final = 100  # of refused orders
_EXAMPLE_CHARACTERS: Final = 500


def run_sender(job: Job, pipe: Connection) -> None:
    """Announce that it is ready, wait for the start, and send everything."""
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
        self._refused_for: set[str] = set()
        self._sending: asyncio.Task[None] | None = None

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
            self._load = asyncio.create_task(self._run_load())
            asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._obey)
            await asyncio.wait((self._load,))
            flushing.cancel()
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            if not self._load.cancelled():
                self._load.result()
        self._outbox.put(Update(self._sent, tuple(self._replies), done=True))
        self._outbox.put(None)
        reporter.join()

    async def _run_load(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._sending = group.create_task(self._send_all(group))

    def _obey(self) -> None:
        """Carry out a command of the parent: cancelled orders have no reply."""
        try:
            command: Command = self._pipe.recv()
        except (EOFError, OSError):  # the parent has gone
            command = "abort"
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        (self._sending if command == "stop" and self._sending is not None else self._load).cancel()

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
            if order.sends == 1:  # needs no task for it
                answers = [await self._post("/orders", body, headers)]
            else:
                sends = [self._post("/orders", body, headers) for _ in range(order.sends)]
                answers = await asyncio.gather(*sends)
            accepted = [each for each in answers if each.answer == "acknowledged"]
            counts = answer_of(each.answer for each in answers)
            best = min((each for each in answers if each.answer == counts), key=lambda each: each.answered_s)
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
                example=self._example(best, body),
            )
        )

    def _example(self, answered: "_Answered", body: bytes) -> str:
        seen = self._refused_for
        if answered.answer != "refused" or answered.reason in seen or len(seen) >= _EXAMPLES:
            return ""
        seen.add(answered.reason)
        return body.decode()[:_EXAMPLE_CHARACTERS]

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
        found = await self._post_once(path, body, headers)
        answers = [found.answer]
        while found.answer in ("unavailable", "unreached") and len(answers) < self._job.attempts:
            await asyncio.sleep(min(_MAX_BACKOFF_S, _BACKOFF_S * 2 ** len(answers)))
            found = await self._post_once(path, body, headers)
            answers.append(found.answer)
        return found._replace(answer=answer_of(answers))

    async def _post_once(self, path: str, body: bytes, headers: dict[str, str]) -> "_Answered":
        try:
            async with self._http.post(path, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            unreached = isinstance(exc, aiohttp.ClientConnectorError)
            return _Answered("unreached" if unreached else "unavailable", self._now_s(), reason=type(exc).__name__)
        answered_s = self._now_s()
        if response.status == 202:
            document: dict[str, Any] = json.loads(content)
            return _Answered("acknowledged", answered_s, str(document["order_id"]), document.get("total_cents", 0))
        unavailable = response.status >= 500 or response.status in _TRY_AGAIN
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
