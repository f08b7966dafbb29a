"""The generator's process: sends each order at its time over HTTP, and reports the answers to the parent."""

import asyncio
import gc
import json
import queue
import resource
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

import aiohttp

from orderboard.burst.load.generator import Answer, Command, Job, Reply, Update, answer_of
from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.load.order_api import Answered, OrderApi
from orderboard.burst.load.stream import Client, Closed, Open

_REPORT_EVERY_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 15.0
# Below order-api's 30 s, so that no order is sent on a connection that is just being closed.
_KEEP_ALIVE_S: Final = 15.0
_CLIENT_RETRIES_AFTER_S: Final = 0.5
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
        self._start_at = self._used_before_s = 0.0
        self._sent = [0 for _ in job.streams]
        self._replies: list[Reply] = []
        self._outbox: queue.SimpleQueue[Update | None] = queue.SimpleQueue()
        self._refused_for: set[str] = set()
        self._sending: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Send everything, and report until the last answer."""
        reporter = threading.Thread(target=self._report, daemon=True)  # a full pipe must not stop the clock
        reporter.start()
        token = self._job.api_token
        async with aiohttp.ClientSession(
            f"{self._job.api_url.rstrip('/')}/",  # so that a path in it counts
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Content-Type": "application/json",
                **({} if token is None else {"Authorization": f"Bearer {token}"}),
            },
        ) as http:
            self._api = OrderApi(http, self._now_s, self._job.attempts)
            gc.collect()
            gc.freeze()
            self._pipe.send("ready")
            self._start_at = await asyncio.to_thread(self._pipe.recv)
            self._used_before_s = time.process_time()
            flushing = asyncio.create_task(self._flush())
            self._load = asyncio.create_task(self._run_load())
            asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._obey)
            await asyncio.wait((self._load,))
            flushing.cancel()
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            if not self._load.cancelled():
                self._load.result()
        self._outbox.put(self._update(done=True))
        self._outbox.put(None)
        reporter.join()

    async def _run_load(self) -> None:
        async with asyncio.TaskGroup() as group:
            for stream, each in enumerate(self._job.streams):
                match each.load:
                    case Open(times_s=times_s):
                        self._sending.append(group.create_task(self._send_on_time(group, stream, times_s)))
                    case Closed() as load:
                        orders = each.orders()  # of all clients together
                        for client in load.clients:
                            being = self._be_client(group, stream, client, load.think_s, orders)
                            self._sending.append(group.create_task(being))

    def _obey(self) -> None:
        """Carry out a command of the parent: cancelled orders have no reply."""
        try:
            command: Command = self._pipe.recv()
        except (EOFError, OSError):  # the parent has gone
            command = "abort"
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        for task in self._sending if command == "stop" else (self._load,):
            task.cancel()

    async def _send_on_time(self, group: asyncio.TaskGroup, stream: int, times_s: Sequence[float]) -> None:
        held_until_s = 0.0
        orders = self._job.streams[stream].orders()
        for intended_s, (number, order) in zip(times_s, orders, strict=True):
            # Sleeps also when it is late already: the loop must get its turn to read answers.
            await asyncio.sleep(max(0.0, self._start_at + intended_s - time.monotonic()))
            for _ in range(order.sends):
                waits = self._free.locked()
                await self._free.acquire()
                held_until_s = self._now_s() if waits else held_until_s
            waited = intended_s < held_until_s  # itself, or behind one that waited
            self._sent[stream] += 1
            group.create_task(self._send(_Due(stream, number, intended_s, order, waited, order.sends)))

    async def _be_client(
        self,
        group: asyncio.TaskGroup,
        stream: int,
        client: Client,
        think_s: float,
        orders: Iterator[tuple[int, PlannedOrder]],
    ) -> None:
        await asyncio.sleep(max(0.0, self._start_at + client.from_s - time.monotonic()))
        while (now_s := self._now_s()) < client.until_s and (following := next(orders, None)) is not None:
            number, order = following
            self._sent[stream] += 1
            sending = group.create_task(self._send(_Due(stream, number, now_s, order)))
            await asyncio.wait((sending,))  # it goes on when the load is stopped
            answered = sending.result() in ("acknowledged", "refused")
            await asyncio.sleep(think_s if answered else max(think_s, _CLIENT_RETRIES_AFTER_S))

    async def _send(self, due: "_Due") -> Answer:
        order = due.order
        body = json.dumps(order.body, ensure_ascii=False).encode()
        cancellation = None
        sent_s = self._now_s()
        try:
            if order.sends == 1:  # needs no task for it
                answers = [await self._api.place(body, order.idempotency_key)]
            else:
                sends = [self._api.place(body, order.idempotency_key) for _ in range(order.sends)]
                answers = await asyncio.gather(*sends)
            accepted = [each for each in answers if each.answer == "acknowledged"]
            counts = answer_of(each.answer for each in answers)
            best = min((each for each in answers if each.answer == counts), key=lambda each: each.answered_s)
            if order.cancellation == "at once" and accepted:
                cancellation = await self._api.cancel(best.order_id, "changed my mind")
        finally:
            for _ in range(due.held):
                self._free.release()
        if order.cancellation == "when final" and accepted:
            await self._api.until_recorded(best.order_id)
            cancellation = await self._api.cancel(best.order_id, "too late, I fear")
        self._replies.append(
            Reply(
                stream=due.stream,
                number=due.number,
                intended_s=due.intended_s,
                sent_s=sent_s,
                answered_s=best.answered_s,
                waited=due.waited,
                answer=best.answer,
                order_ids=tuple(each.order_id for each in accepted),
                total_cents=best.total_cents,
                cancellation=cancellation,
                refusals=tuple(each.reason for each in answers if each.answer != "acknowledged"),
                example=self._example(best, body),
            )
        )
        return best.answer

    def _example(self, answered: Answered, body: bytes) -> str:
        seen = self._refused_for
        if answered.answer != "refused" or answered.reason in seen or len(seen) >= _EXAMPLES:
            return ""
        seen.add(answered.reason)
        return body.decode()[:_EXAMPLE_CHARACTERS]

    def _now_s(self) -> float:
        return time.monotonic() - self._start_at

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            self._outbox.put(self._update(done=False))
            self._replies.clear()

    def _update(self, *, done: bool) -> Update:
        used_s = time.process_time() - self._used_before_s
        return Update(tuple(self._sent), tuple(self._replies), done, used_s)

    def _report(self) -> None:
        while (update := self._outbox.get()) is not None:
            try:
                self._pipe.send(update)
            except OSError:  # the parent has gone
                return


class _Due(NamedTuple):
    """An order that is sent now. held: connections of the open streams, to be given back."""

    stream: int
    number: int
    intended_s: float
    order: PlannedOrder
    waited: bool = False
    held: int = 0
