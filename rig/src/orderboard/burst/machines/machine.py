"""A machine that joined a burst, and its generators, as the burst sees them."""

import asyncio
import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from orderboard.burst.load.generator import Command, Job, Update
from orderboard.burst.machines.clock import UNKNOWN, Clock
from orderboard.burst.machines.messages import (
    Bye,
    Ended,
    FromMachine,
    Hello,
    Jobs,
    Leave,
    Over,
    Ping,
    Pong,
    Ready,
    Report,
    Start,
    Tell,
    ToMachine,
)
from orderboard.errors import RigError

_READY_WITHIN_S: Final = 60.0
_SENT_WITHIN_S: Final = 10.0
_CLOCK_WITHIN_S: Final = 20.0
_CLOSED_WITHIN_S: Final = 3.0
_PINGS: Final = 20


class Machine:
    """The connection to one machine. Its coroutines run in the server's event loop, everything else in any thread."""

    def __init__(self, hello: Hello, numbers: tuple[int, ...], socket: web.WebSocketResponse, host: str | None) -> None:
        self.name, self.numbers = hello.machine, numbers
        self.host = host  # that it calls us by; None if it is on this machine
        self.gone = ""  # why
        self._socket, self._loop = socket, asyncio.get_running_loop()
        self._pongs: dict[int, asyncio.Future[tuple[float, float]]] = {}
        self._pinged = 0
        self._run: Run | None = None
        self._measuring: asyncio.Task[None] | None = None

    def receive(self, message: FromMachine) -> None:
        """Take a message. One of an earlier run changes nothing."""
        received_at = time.monotonic()
        run = self._run
        match message:
            case Pong(number=number, at=at):
                if (waiting := self._pongs.pop(number, None)) is not None and not waiting.done():
                    waiting.set_result((at, received_at))
            case Leave(why=why):
                self.gone = why
            case Ready() | Report() | Ended() if run is not None and message.run == run.number:
                run.receive(message)
            case _:
                pass

    def left(self, why: str) -> None:
        """Note that the connection has ended; call it in the event loop."""
        self.gone = self.gone or why
        if self._run is not None:
            self._run.wake()
        if self._measuring is not None:
            self._measuring.cancel()

    def begin(self, run: int, jobs: Mapping[int, Job]) -> "Run":
        """Send the jobs of a run, by number."""
        self._run = Run(self, run, jobs)
        self.send(Jobs.of(run, jobs), wait=True)
        return self._run

    def send(self, message: ToMachine, *, wait: bool = False) -> None:
        """Send a message. One that cannot be sent is not an error: then the machine is gone. wait: until it is sent."""
        sending = asyncio.run_coroutine_threadsafe(self._send(message), self._loop)
        if wait:
            with suppress(FutureTimeoutError):
                sending.result(_SENT_WITHIN_S)

    def measure_clock(self) -> Clock:
        """Return its clock; raise RigError if it does not answer."""
        try:
            return asyncio.run_coroutine_threadsafe(self.clock(), self._loop).result(_CLOCK_WITHIN_S)
        except (FutureTimeoutError, ConnectionError) as exc:
            raise RigError(f"{self.name} joined, but does not answer any more. Start the burst again.") from exc

    def later(self, run: "Run") -> None:
        """Measure the clock once more, after the load; call it in the event loop."""
        self._measuring = self._loop.create_task(self._measure_drift(run))

    async def dismiss(self) -> None:
        """Say goodbye and close the connection; a machine that does not answer is left alone."""
        with suppress(TimeoutError):
            await self._send(Bye())
            await asyncio.wait_for(self._socket.close(), _CLOSED_WITHIN_S)

    async def clock(self) -> Clock:
        """Measure the clock: the ping with the shortest way there and back counts."""
        best = UNKNOWN
        for _ in range(_PINGS):
            self._pinged += 1
            self._pongs[self._pinged] = self._loop.create_future()
            sent_at = time.monotonic()
            waiting = self._pongs[self._pinged]
            await self._send(Ping(number=self._pinged))
            their_at, answered_at = await asyncio.wait_for(waiting, _CLOCK_WITHIN_S)
            best = best.or_better(Clock.between(sent_at, their_at, answered_at))
        return best

    async def _measure_drift(self, run: "Run") -> None:
        with suppress(ConnectionError, TimeoutError):
            run.clock = run.clock.drifted_to(await self.clock())

    async def _send(self, message: ToMachine) -> None:
        with suppress(ConnectionError, RuntimeError):  # it is closed or closing
            await self._socket.send_str(message.model_dump_json())


class Run:
    """One run on one machine."""

    def __init__(self, machine: Machine, number: int, jobs: Mapping[int, Job]) -> None:
        self.machine, self.number, self._jobs = machine, number, jobs
        self.generators = {each: JoinedGenerator(self, each) for each in jobs}
        self.clock = UNKNOWN
        self._ready = threading.Event()
        self._problem = ""
        self._measured = self._over = False

    def receive(self, message: Ready | Report | Ended) -> None:
        """Take a message of this run."""
        if isinstance(message, Ready):
            self._problem = message.problem
            self.wake()
        elif isinstance(message, Report) and not self._is_own(message):
            self.machine.left("it reported orders that it was not given")
        elif (generator := self.generators.get(message.generator)) is not None:
            generator.receive(message)
            if all(each.done for each in self.generators.values()) and not self._measured:
                self._measured = True
                self.machine.later(self)

    def _is_own(self, report: Report) -> bool:
        """Return whether the job of this generator has these orders: the record relies on that."""
        job, update = self._jobs.get(report.generator), report.update
        if job is None or len(update.sent) != len(job.streams):
            return False
        return all(
            0 <= each.stream < len(job.streams)
            and job.streams[each.stream].has(each.number)
            and (each.answer != "acknowledged" or bool(each.order_ids))
            for each in update.replies
        )

    def wake(self) -> None:
        """End the wait for `ready`."""
        self._ready.set()

    def ready(self) -> None:
        """Wait until its generators can start, and measure the clock; raise RigError."""
        in_time = self._ready.wait(_READY_WITHIN_S)
        if self.machine.gone:
            raise RigError(f"{self.machine.name} is gone before the load began ({self.machine.gone}).")
        if self._problem:
            raise RigError(f"{self.machine.name} cannot send: {self._problem}")
        if not in_time:
            raise RigError(f"{self.machine.name} was not ready within {_READY_WITHIN_S:g} s.")
        if self.clock is UNKNOWN:
            self.clock = self.machine.measure_clock()

    def start(self, at: float) -> None:
        """Start all of its generators at this second of our clock, once."""
        self.machine.send(Start(run=self.number, at=at + self.clock.offset_s))

    def end(self) -> None:
        """End its generators, once."""
        if not self._over:
            self._over = True
            self.machine.send(Over(run=self.number))


@dataclass
class JoinedGenerator:
    """A generator of a machine that joined: a GeneratorHandle."""

    run: Run
    number: int
    done: bool = False
    pid: None = None
    start_takes_s: float = 1.0
    _ended: str = ""
    _last: int = 0  # report
    _updates: "queue.SimpleQueue[Update]" = field(default_factory=queue.SimpleQueue)

    def receive(self, message: Report | Ended) -> None:
        """Take a report, or note the end. A report that came before changes nothing."""
        if isinstance(message, Ended):
            self._ended = message.problem
        elif message.number > self._last:
            self._last = message.number
            self.done = self.done or message.update.done
            self._updates.put(message.update)

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.run.machine.name

    @property
    def clock_error_s(self) -> float:
        """The most by which its times may be off."""
        return self.run.clock.error_s

    @property
    def problem(self) -> str:
        """The reason why it ended before it was done."""
        return "" if self.done else self._ended or self.run.machine.gone

    def ready(self) -> None:
        """Wait until it can start; raise RigError."""
        self.run.ready()

    def start(self, at: float) -> None:
        """Start it, with the other generators of its machine."""
        if self.number == min(self.run.generators):
            self.run.start(at)

    def updates(self) -> list[Update]:
        """Return the updates since the last call."""
        found: list[Update] = []
        while not self._updates.empty():
            found.append(self._updates.get())
        return found

    def command(self, command: Command) -> None:
        """End the load early."""
        self.run.machine.send(Tell(run=self.run.number, generator=self.number, command=command))

    def stop(self) -> None:
        """End it, with the other generators of its machine."""
        self.run.end()
