"""The generator's process: sends each order at its time over HTTP, and reports the answers to the parent."""

import asyncio
import gc
import queue
import resource
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Final

import uvloop

from orderboard.burst.load.generator import Answer, Command, Job, Reply, Update, answer_of
from orderboard.burst.load.http_connection import HttpAnswer, NoAnswer
from orderboard.burst.load.open_load import Due, FreeConnections, OpenLoad, Prepared, timer_s, with_requests
from orderboard.burst.load.order_api import Answered, OrderApi, answered
from orderboard.burst.load.stream import Client, Closed, Open

_REPORT_EVERY_S: Final = 0.1
_CLIENT_RETRIES_AFTER_S: Final = 0.5
_EXAMPLES: Final = 100  # of refused orders
_EXAMPLE_CHARACTERS: Final = 500
_COLLECT_AFTER: Final = 50_000  # new objects: a collection finds nearly nothing, and stops the clock


def run_sender(job: Job, pipe: Connection) -> None:
    """Announce that it is ready, wait for the start, and send everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the command's to handle
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    uvloop.run(_Sender(job, pipe).run())
    pipe.close()


class _Sender:
    def __init__(self, job: Job, pipe: Connection) -> None:
        self._job = job
        self._pipe = pipe
        self._api = OrderApi(job.api_url, job.api_token, job.attempts)
        self._free = FreeConnections(job.connections)
        self._start_at = self._used_before_s = 0.0
        self._sent = [0 for _ in job.streams]
        self._under_way = 0  # without tasks
        self._none_under_way = asyncio.Event()
        self._results: list[tuple[Due, float, HttpAnswer | NoAnswer]] = []
        self._replies: list[Reply] = []
        self._outbox: queue.SimpleQueue[Update | None] = queue.SimpleQueue()
        self._refused_for: set[str] = set()
        self._open: list[OpenLoad] = []
        self._sending: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Send everything, and report until the last answer."""
        reporter = threading.Thread(target=self._report, daemon=True)  # a full pipe must not stop the clock
        reporter.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        self._pipe.send("ready")
        self._start_at = await asyncio.to_thread(self._pipe.recv)
        self._used_before_s = time.process_time()
        loop = asyncio.get_running_loop()
        flushing = loop.create_task(self._flush())
        self._load = loop.create_task(self._run_load())
        loop.add_reader(self._pipe.fileno(), self._obey)
        await asyncio.wait((self._load,))
        flushing.cancel()
        loop.remove_reader(self._pipe.fileno())
        if not self._load.cancelled():
            self._load.result()
        self._put_update(done=True)
        self._outbox.put(None)
        self._api.close()
        reporter.join()

    async def _run_load(self) -> None:
        async with asyncio.TaskGroup() as group:
            for stream, each in enumerate(self._job.streams):
                orders = with_requests(self._api, each.orders())  # of all clients together
                match each.load:
                    case Open(times_s=times_s):
                        on_time = zip(times_s, orders, strict=True)
                        load = OpenLoad(stream, on_time, self._free, partial(self._send, group))
                        self._open.append(load)
                        self._sending.append(group.create_task(load.run(self._start_at)))
                    case Closed() as closed:
                        for client in closed.clients:
                            being = self._be_client(group, stream, client, closed.think_s, orders)
                            self._sending.append(group.create_task(being))
        while self._under_way:
            self._none_under_way.clear()
            await self._none_under_way.wait()

    def _obey(self) -> None:
        """Carry out a command of the parent: cancelled orders have no reply."""
        try:
            command: Command = self._pipe.recv()
        except (EOFError, OSError):  # the parent has gone
            command = "abort"
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        for load in self._open:
            load.stop()  # now: a timer may come before the end of its task
        for task in self._sending if command == "stop" else (self._load,):
            task.cancel()

    async def _be_client(
        self, group: asyncio.TaskGroup, stream: int, client: Client, think_s: float, orders: Iterator[Prepared]
    ) -> None:
        await self._until(client.from_s)
        while (now_s := self._now_s()) < client.until_s and (prepared := next(orders, None)) is not None:
            self._sent[stream] += 1
            sending = group.create_task(self._send_and_follow(Due(stream, now_s, *prepared)))
            await asyncio.wait((sending,))  # it goes on when the load is stopped
            was_answered = sending.result() in ("acknowledged", "refused")
            await self._until(self._now_s() + (think_s if was_answered else max(think_s, _CLIENT_RETRIES_AFTER_S)))

    def _send(self, group: asyncio.TaskGroup, due: Due) -> None:
        self._sent[due.stream] += 1
        if due.order.sends > 1 or due.order.cancellation != "never" or self._job.attempts > 1:
            group.create_task(self._send_and_follow(due))
        else:
            self._under_way += 1
            self._api.send(due.request, partial(self._answered, due, self._now_s()))

    def _answered(self, due: Due, sent_s: float, result: HttpAnswer | NoAnswer) -> None:
        """Keep the result until the next report: read together, answers take a fraction of the time."""
        self._results.append((due, sent_s, result))
        self._under_way -= 1
        if not self._under_way:
            self._none_under_way.set()
        self._free.give_back(due.held)

    async def _send_and_follow(self, due: Due) -> Answer:
        """Send an order that takes more than a request, or whose answer is waited for."""
        order, cancellation, sent_s = due.order, None, self._now_s()
        try:
            answers = await asyncio.gather(*(self._api.place(due.request) for _ in range(order.sends)))
            best = _best(answers)
            if order.cancellation == "at once" and best.order_id:
                cancellation = await self._api.cancel(best.order_id, "changed my mind")
        finally:
            if due.held:
                self._free.give_back(due.held)
        if order.cancellation == "when final" and best.order_id:
            await self._api.until_recorded(best.order_id)
            cancellation = await self._api.cancel(best.order_id, "too late, I fear")
        self._replies.append(self._reply(due, sent_s, answers, cancellation))
        return best.answer

    def _reply(self, due: Due, sent_s: float, answers: Sequence[Answered], cancellation: Answer | None) -> Reply:
        best = _best(answers)
        return Reply(
            stream=due.stream,
            number=due.number,
            intended_s=due.intended_s,
            sent_s=sent_s,
            answered_s=best.at - self._start_at,
            waited=due.waited,
            answer=best.answer,
            order_ids=tuple(each.order_id for each in answers if each.answer == "acknowledged"),
            total_cents=best.total_cents,
            cancellation=cancellation,
            refusals=tuple(each.reason for each in answers if each.answer != "acknowledged"),
            example=self._example(best, due.request),
        )

    def _example(self, best: Answered, request: bytes) -> str:
        seen = self._refused_for
        if best.answer != "refused" or best.reason in seen or len(seen) >= _EXAMPLES:
            return ""
        seen.add(best.reason)
        return request.partition(b"\r\n\r\n")[2].decode()[:_EXAMPLE_CHARACTERS]

    def _now_s(self) -> float:
        return time.monotonic() - self._start_at

    async def _until(self, at_s: float) -> None:
        while (ahead_s := at_s - self._now_s()) > 0:  # noqa: ASYNC110 - a timer may fire a little too early
            await asyncio.sleep(timer_s(ahead_s))

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            self._put_update(done=False)

    def _put_update(self, *, done: bool) -> None:
        results, self._results = self._results, []
        for due, sent_s, result in results:
            self._replies.append(self._reply(due, sent_s, (answered(result),), None))
        used_s = time.process_time() - self._used_before_s
        self._outbox.put(Update(tuple(self._sent), tuple(self._replies), done, used_s))
        self._replies.clear()

    def _report(self) -> None:
        while (update := self._outbox.get()) is not None:
            try:
                self._pipe.send(update)
            except OSError:  # the parent has gone
                return


def _best(answers: Sequence[Answered]) -> Answered:
    """Return the first of the answers that count."""
    if len(answers) == 1:
        return answers[0]
    counts = answer_of(each.answer for each in answers)
    return min((each for each in answers if each.answer == counts), key=lambda each: each.at)
