"""The system under measurement: its worker, its work queue, load on its API and bursts."""

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Final

from orderboard.burst.load.generator import Generator, Job, Reply
from orderboard.burst.load.handle import start_together
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.percentiles import percentile
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.report.now import Now
from orderboard.burst.runner import Runner
from orderboard.calibration.measure import LANES, each_of, through
from orderboard.calibration.operations import BATCH, Operations, batches, make_orders, operations
from orderboard.orders.queues import depth
from orderboard.system.system import System
from orderboard.terminal.progress import Screen

_LAST_POLL_S: Final = 4.0  # twice its long poll, so that every receive has returned
_POLL_S: Final = 0.05
_NORMAL: Final = Mix()


class _NoView:
    """A live view that shows nothing."""

    def update(self, now: Now) -> None:
        pass

    def judging(self) -> None:
        pass


@dataclass
class RunningSystem:
    """A running system. Its worker is paused except within `worker_running`, so that it disturbs no other part."""

    system: System
    screen: Screen
    rounds: int
    runs: int = 0

    @contextmanager
    def worker_running(self) -> Iterator[None]:
        """Let the worker run within a with block."""
        self.resume_worker()
        try:
            yield
        finally:
            self.pause_worker()

    def resume_worker(self) -> None:
        """Continue the worker, also before it is stopped: a paused process handles no SIGTERM."""
        self._signal(signal.SIGCONT)

    def pause_worker(self) -> None:
        """Pause the worker, and wait until its receive calls have returned empty."""
        self._signal(signal.SIGSTOP)
        time.sleep(_LAST_POLL_S)

    def _signal(self, number: signal.Signals) -> None:
        for service in self.system.workers:
            service.process.popen.send_signal(number)

    def fill(self, count: int) -> None:
        """Send `count` orders to the work queue, which must be empty."""

        async def send() -> None:
            async with operations(self.system.target) as calls:
                orders = make_orders(count, self.system.target)
                await through(each_of(batches(orders, BATCH), calls.send), seconds=inf)

        asyncio.run(send())

    def empty(self) -> None:
        """Empty the work queue by receiving, since PurgeQueue is allowed only once a minute."""

        async def take() -> None:
            async with operations(self.system.target) as calls:
                url = self.system.target.queue_url(self.system.target.outputs.work_queue)
                while depth(self.system.target.sqs, url).total:
                    await asyncio.gather(*(_take_all(calls) for _ in range(LANES)))

        asyncio.run(take())

    def drained_after_s(self, began: float) -> float:
        """Wait until the work queue is empty; the seconds since `began`."""
        target = self.system.target
        url = target.queue_url(target.outputs.work_queue)
        while depth(target.sqs, url).total:
            time.sleep(_POLL_S)
        return time.perf_counter() - began

    def load(self, api_url: str, times_s: Sequence[float], connections: int = 512) -> "Load":
        """Send normal orders at these times and wait for every response."""
        self.runs += 1
        stream = Stream(Mix(), Open(times_s), self.runs, f"bench-{self.runs}")
        generator = Generator(Job(api_url, (stream,), connections))
        replies: list[Reply] = []
        try:
            start_together([generator])
            done = False
            while not done:
                for batch in generator.updates():
                    replies.extend(batch.replies)
                    done = done or batch.done
                time.sleep(_POLL_S)
        finally:
            generator.stop()
        return Load(tuple(reply for reply in replies if reply.answer == "acknowledged"), len(replies))

    def run_burst(self, orders: int, rate: float, mix: Mix = _NORMAL) -> RunResult:
        """Send orders at `rate` a second, and wait until all have ended."""
        self.runs += 1
        times_s = [number / rate for number in range(orders)]
        plan = Plan((Stream(mix, Open(times_s), self.runs, f"bench-{self.runs}"),), give_up_after_s=30)
        with self.worker_running():
            return Runner(self.system, plan, _NoView()).run()


def turns(sides: Sequence[str], number: int) -> Sequence[str]:
    """The sides in the order of a round. Each goes first in its turn, so that none always has the warmer machine."""
    first = number % len(sides)
    return (*sides[first:], *sides[:first])


async def _take_all(calls: Operations) -> None:
    while await calls.receive_delete():
        pass


@dataclass(frozen=True)
class Load:
    """Responses to an open-loop load."""

    accepted: tuple[Reply, ...]
    sent: int

    def __add__(self, other: "Load") -> "Load":
        """The responses of two loads."""
        return Load(self.accepted + other.accepted, self.sent + other.sent)

    @property
    def accepted_per_s(self) -> float:
        """Orders a second from the start to the last 202."""
        return len(self.accepted) / max(reply.answered_s for reply in self.accepted)

    @property
    def p99_ms(self) -> float:
        """Milliseconds from the intended time to the 202."""
        return percentile(sorted((reply.answered_s - reply.intended_s) * 1000 for reply in self.accepted), 99)
