"""The load generator: sends orders at their intended times, whether or not earlier ones were answered.

Open loop: a slow system does not slow the generator down, and latency counts from the intended time, which avoids
coordinated omission (https://www.youtube.com/watch?v=lJ8ydIuPFeU). Late sends are reported. The connections bound the
memory: an order without a free connection waits, and is late. It runs in a separate process, whose side is `sender`,
so that the command's other work does not disturb its clock.
"""

import multiprocessing
import queue
import signal
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Final, Literal, NamedTuple

from orderboard.burst.load.stream import Part, Stream
from orderboard.errors import RigError

# acknowledged: 202. refused: 4xx, so it was not placed. unavailable: 5xx, 408, 429 or no answer, so it may have been
# placed or not. unreached: no connection was made, so it was not placed.
Answer = Literal["acknowledged", "refused", "unavailable", "unreached"]
_FIRST_COUNTS: Final[Sequence[Answer]] = ("acknowledged", "unavailable", "refused", "unreached")


@dataclass(frozen=True)
class Job:
    """The orders to send. An order that the API cannot take is tried `attempts` times.

    connections: of all open streams together; each client of a closed one has its own.
    """

    api_url: str
    streams: Sequence[Stream]
    connections: int
    attempts: int = 1
    api_token: str | None = field(default=None, repr=False)

    def split(self, generators: int) -> "list[Job]":
        """Return the jobs of so many generators, which are this one together."""
        parts = [Part(index, generators) for index in range(generators)]
        return [
            replace(
                self,
                streams=[stream.split(part) for stream in self.streams],
                connections=part.share(self.connections),
            )
            for part in parts
        ]


def answer_of(answers: Iterable[Answer]) -> Answer:
    """Return the answer that counts for an order sent several times: it may have been placed if any send may have."""
    return min(answers, key=_FIRST_COUNTS.index)


class Reply(NamedTuple):
    """The answer to one order, by `answer_of`. Seconds count from the start; a client intends to send when it does."""

    stream: int
    number: int  # in its stream
    intended_s: float
    sent_s: float
    answered_s: float
    waited: bool  # for a free connection
    answer: Answer
    order_ids: tuple[str, ...]  # one for each 202
    total_cents: int
    cancellation: Answer | None
    refusals: tuple[str, ...]  # status and reason, or the error, of each answer other than 202
    example: str = ""  # the order's JSON, if it is the first that was refused for this reason


class Update(NamedTuple):
    """A report of a generator, ten times a second. done: everything has been sent and answered.

    sent: of each stream, how many; they are the first ones of its part. processor_s: the processor time that it used.
    """

    sent: tuple[int, ...]
    replies: tuple[Reply, ...]
    done: bool
    processor_s: float = 0.0


Command = Literal["stop", "abort"]  # stop: send no more. abort: neither wait for answers.


class Generator:
    """The handle on a generator process of this machine, which waits for start()."""

    machine = ""
    clock_error_s = None
    start_takes_s = 0.2

    def __init__(self, job: Job) -> None:
        # All processes of a machine share time.monotonic(), so the start can be given as a time.
        context = multiprocessing.get_context("spawn")
        self._updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(job, theirs), name="generator", daemon=True)
        self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._receive, name="generator-updates", daemon=True)
        self._started = self._done = False

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def problem(self) -> str:
        """The signal or the code with which it ended before it was done; empty without one."""
        code = self._process.exitcode
        if not self._started or self._done or self._thread.is_alive() or not self._updates.empty() or code is None:
            return ""
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    @property
    def running(self) -> bool:
        """Return whether more updates may come."""
        return self._thread.is_alive()

    def ready(self) -> None:
        """Wait until it can start; raise RigError if it cannot."""
        try:
            self._ours.recv()
        except (EOFError, OSError) as exc:
            raise RigError("The generator could not start; its error is above.") from exc

    def start(self, at: float) -> None:
        """Start it; second 0 of its times is at this one of time.monotonic()."""
        with suppress(OSError):  # it has ended, which is its problem
            self._ours.send(at)
        self._started = True
        self._thread.start()

    def updates(self) -> list[Update]:
        """Return the updates since the last call."""
        found: list[Update] = []
        while not self._updates.empty():
            found.append(self._updates.get())
            self._done = self._done or found[-1].done
        return found

    def command(self, command: Command) -> None:
        """End the load early; the last update says how many orders were sent."""
        with suppress(OSError):  # it has ended
            self._ours.send(command)

    def stop(self) -> None:
        """End the process, be it frozen or not."""
        self._process.kill()
        self._process.join()
        if self._thread.ident is not None:
            self._thread.join()

    def _receive(self) -> None:
        try:
            while True:
                self._updates.put(self._ours.recv())
        except (EOFError, OSError):
            pass


def local_generators(jobs: Sequence[Job]) -> Sequence[Generator]:
    """Start a process for each job."""
    return [Generator(job) for job in jobs]


def _main(job: Job, pipe: Connection) -> None:
    from orderboard.burst.load.sender import run_sender  # noqa: PLC0415 - the parent does without the HTTP client

    run_sender(job, pipe)
