"""The messages between a burst and the machines that joined it: JSON texts over a WebSocket.

Values only, checked as they are read, because the other side may be another version. Times are seconds of the machine's
time.monotonic().
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orderboard.burst.load.generator import Command, Job, Update
from orderboard.burst.load.mix import Mix, OwnOrders
from orderboard.burst.load.stream import Closed, Open, Part, Stream
from orderboard.burst.scenario.defaults import MAX_GENERATORS

PATH: Final = "/generators"
MAX_NAME: Final = 40
# A connection without a sign of life for one and a half times that is lost.
HEARTBEAT_S: Final = 5.0
# The code that makes the orders and sends them: with another, an order would be another.
_OF_LOAD: Final = ("orderboard.burst.load", "orderboard.burst.machines", "orderboard.orders")


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hello(_Message):
    """A machine asks to join with so many generators."""

    type: Literal["hello"] = "hello"
    version: str
    machine: str = Field(min_length=1, max_length=MAX_NAME, pattern=r"^[\w.-]+$")
    generators: int = Field(ge=1, le=MAX_GENERATORS)


class Pong(_Message):
    """The answer to a ping, and the time of the machine."""

    type: Literal["pong"] = "pong"
    number: int
    at: float


class Ready(_Message):
    """The generators of a run can start; or why they cannot."""

    type: Literal["ready"] = "ready"
    run: int
    problem: str = Field(default="", max_length=500)


class Report(_Message):
    """An update of one generator; they have numbers, so that one that comes again or late is known."""

    type: Literal["report"] = "report"
    run: int
    generator: int
    number: int
    update: Update


class Ended(_Message):
    """A generator ended before it was done."""

    type: Literal["ended"] = "ended"
    run: int
    generator: int
    problem: str = Field(max_length=100)


class Leave(_Message):
    """The machine leaves, after its last reports."""

    type: Literal["leave"] = "leave"
    why: str = Field(max_length=100)


FromMachine = Hello | Pong | Ready | Report | Ended | Leave


class Welcome(_Message):
    """The machine has joined, and has these of all generators."""

    type: Literal["welcome"] = "welcome"
    numbers: tuple[int, ...]
    of: int


class Refused(_Message):
    """The machine cannot join."""

    type: Literal["refused"] = "refused"
    why: str


class Ping(_Message):
    """A question for the time, which is answered at once."""

    type: Literal["ping"] = "ping"
    number: int


class StreamText(_Message):
    """A stream of orders, for one generator."""

    source: Annotated[OwnOrders | Mix, Field(union_mode="left_to_right")]
    load: Annotated[Open | Closed, Field(union_mode="left_to_right")]
    seed: int
    run: str
    name: str
    part: Part


class JobText(_Message):
    """The job of one generator."""

    api_url: str
    streams: tuple[StreamText, ...]
    connections: int
    attempts: int
    api_token: str | None = Field(repr=False)

    def job(self) -> Job:
        """Return the job."""
        streams = [Stream(each.source, each.load, each.seed, each.run, each.name, each.part) for each in self.streams]
        return Job(self.api_url, streams, self.connections, self.attempts, self.api_token)


class Jobs(_Message):
    """The jobs of a run, by the numbers of the generators."""

    type: Literal["jobs"] = "jobs"
    run: int
    jobs: Mapping[int, JobText]

    @staticmethod
    def of(run: int, jobs: Mapping[int, Job]) -> "Jobs":
        """Return the jobs as a message has them."""
        return Jobs.model_validate({"run": run, "jobs": jobs}, from_attributes=True)


class Start(_Message):
    """Second 0 of a run, in the machine's time."""

    type: Literal["start"] = "start"
    run: int
    at: float


class Tell(_Message):
    """A command to a generator."""

    type: Literal["tell"] = "tell"
    run: int
    generator: int
    command: Command


class Over(_Message):
    """A run has ended: its generators end, too."""

    type: Literal["over"] = "over"
    run: int


class Bye(_Message):
    """No run follows."""

    type: Literal["bye"] = "bye"


ToMachine = Welcome | Refused | Ping | Jobs | Start | Tell | Over | Bye

_FROM_MACHINE: Final[TypeAdapter[FromMachine]] = TypeAdapter(Annotated[FromMachine, Field(discriminator="type")])
_TO_MACHINE: Final[TypeAdapter[ToMachine]] = TypeAdapter(Annotated[ToMachine, Field(discriminator="type")])


def from_machine(text: str | bytes) -> FromMachine:
    """Parse a message of a machine; raise ValidationError."""
    return _FROM_MACHINE.validate_json(text)


def to_machine(text: str | bytes) -> ToMachine:
    """Parse a message of the burst; raise ValidationError."""
    return _TO_MACHINE.validate_json(text)


@cache
def own_version() -> str:
    """Return the version of the code that sends orders: both sides must have the same."""
    digest = hashlib.sha256()
    for package in _OF_LOAD:
        for file in sorted(files(package).iterdir(), key=lambda each: each.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return f"orderboard {version('orderboard')} ({digest.hexdigest()[:8]})"


def numbers_text(numbers: Sequence[int], of: int) -> str:
    """Return `generator 2 of 3` or `generators 2 and 3 of 4`."""
    return f"generator{'s' if len(numbers) > 1 else ''} {' and '.join(map(str, numbers))} of {of}"
