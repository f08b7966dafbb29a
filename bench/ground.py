"""What every part of the benchmark stands on: one system on one backend process, whose worker sleeps at will."""

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Final

from orderboard.burst.load.generator import Generator, Job, Reply
from orderboard.burst.measure.recorder import percentile
from orderboard.burst.mix import Mix
from orderboard.calibration.measure import LANES, each_of, through
from orderboard.calibration.operations import BATCH, Bare, bare, batches, make_orders
from orderboard.orders.queues import depth
from orderboard.system.system import System
from orderboard.terminal.progress import Screen

_LAST_POLL_S: Final = 4.0  # its long poll is 2 s; what it asked for before it slept must be answered first
_LOOK_EVERY_S: Final = 0.05


@dataclass
class Ground:
    """The system. Its worker sleeps unless a part wakes it, so that it disturbs no other measurement."""

    system: System
    screen: Screen
    rounds: int
    runs: int = 0

    @contextmanager
    def awake(self) -> Iterator[None]:
        """The worker works for the length of a with block."""
        self.wake()
        try:
            yield
        finally:
            self.sleep()

    def wake(self) -> None:
        """SIGCONT: whoever sleeps does not hear that it must end."""
        self._signal(signal.SIGCONT)

    def sleep(self) -> None:
        """SIGSTOP, and wait until the polls that it had under way have been answered with nothing."""
        self._signal(signal.SIGSTOP)
        time.sleep(_LAST_POLL_S)

    def _signal(self, number: signal.Signals) -> None:
        for service in self.system.services[1:]:
            service.process.popen.send_signal(number)

    def fill(self, count: int) -> None:
        """Put so many orders on the work queue, which must be empty."""

        async def send() -> None:
            async with bare(self.system.target) as calls:
                orders = make_orders(count, self.system.target)
                await through(each_of(batches(orders, BATCH), calls.send), seconds=inf)

        asyncio.run(send())

    def empty(self) -> None:
        """Take everything off the work queue; PurgeQueue may be asked for only once a minute."""

        async def take() -> None:
            async with bare(self.system.target) as calls:
                url = self.system.target.queue_url(self.system.target.outputs.work_queue)
                while depth(self.system.target.sqs, url).total:
                    await asyncio.gather(*(_take_all(calls) for _ in range(LANES)))

        asyncio.run(take())

    def drained_after_s(self, began: float) -> float:
        """Wait until the work queue holds nothing, and say how long that took."""
        target = self.system.target
        url = target.queue_url(target.outputs.work_queue)
        while depth(target.sqs, url).total:
            time.sleep(_LOOK_EVERY_S)
        return time.perf_counter() - began

    def load(self, api_url: str, times_s: Sequence[float], connections: int = 512) -> "Load":
        """Send normal orders at these times, and wait for every answer."""
        self.runs += 1
        generator = Generator(Job(api_url, Mix(), self.runs, f"bench-{self.runs}", times_s, connections))
        replies: list[Reply] = []
        try:
            generator.begin()
            done = False
            while not done:
                for told in generator.told():
                    replies.extend(told.replies)
                    done = done or told.done
                time.sleep(_LOOK_EVERY_S)
        finally:
            generator.stop()
        return Load(tuple(reply for reply in replies if reply.answer == "acknowledged"), len(replies))


def turns(sides: Sequence[str], number: int) -> Sequence[str]:
    """The sides in the order of this round: each begins in its turn, so that none always has the warmer machine."""
    first = number % len(sides)
    return (*sides[first:], *sides[:first])


async def _take_all(calls: Bare) -> None:
    while await calls.receive_delete():
        pass


@dataclass(frozen=True)
class Load:
    """What an API answered under an open-loop load."""

    accepted: tuple[Reply, ...]
    sent: int

    def __add__(self, other: "Load") -> "Load":
        """Two loads' answers together."""
        return Load(self.accepted + other.accepted, self.sent + other.sent)

    @property
    def accepted_per_s(self) -> float:
        """From the start to the last 202."""
        return len(self.accepted) / max(reply.answered_s for reply in self.accepted)

    @property
    def p99_ms(self) -> float:
        """From the intended time to the 202."""
        return percentile(sorted((reply.answered_s - reply.intended_s) * 1000 for reply in self.accepted), 99)
