"""Records the steps of an experiment: parties and their calls, time that passes, and what is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath

from orderboard.lab.steps import (
    Call,
    Check,
    Each,
    Engine,
    Finish,
    Holds,
    Kept,
    Party,
    ReceiveAll,
    Requests,
    Say,
    Serve,
    Settle,
    Start,
    Step,
    Until,
    Wait,
)
from orderboard.lab.values import Variable

_YOU: Final = Party("you")


@dataclass(frozen=True)
class Response:
    """The response to a call. `response["Messages[0].Body"]` is a value of it, by JMESPath."""

    call: Call
    lab: Recorder

    def __getitem__(self, path: str) -> Variable:
        return self.keep(path, path.rpartition(".")[2])

    def keep(self, path: str, name: str, *, is_list: bool = False) -> Variable:
        """Return what `path` finds, under a name of your choice."""
        for each in self.call.keeps:
            if each.path == path:
                return each.variable
        jmespath.compile(path)  # a mistake in it shows where it was made
        variable = self.lab.variable(name, is_list=is_list)
        self.call.keeps.append(Kept(path, variable))
        return variable

    @property
    def count(self) -> Variable:
        """The number of messages."""
        return self.keep("length(Messages || `[]`)", "count")

    @property
    def body(self) -> Variable:
        """The body of the first message."""
        return self.keep("Messages[0].Body", "body")

    @property
    def bodies(self) -> Variable:
        """The bodies of all messages."""
        return self.keep("Messages[].Body || `[]`", "bodies", is_list=True)

    @property
    def receipt(self) -> Variable:
        """The receipt handle of the first message."""
        return self.keep("Messages[0].ReceiptHandle", "receipt")

    @property
    def error(self) -> Variable:
        """The code of the error; an empty text if the call succeeded. From here on the call may fail."""
        if self.call.error is None:
            self.call.error = self.lab.variable("error")
        return self.call.error


@dataclass(frozen=True)
class Client:
    """A party's client of a service: its methods are boto3's, and record a call."""

    party: Party
    service: str
    lab: Recorder

    def __getattr__(self, operation: str) -> Callable[..., Response]:
        if operation.startswith("_"):
            raise AttributeError(operation)

        def record(**parameters: Any) -> Response:
            call = Call(self.party, self.service, operation, parameters)
            self.lab.add(call)
            return Response(call, self.lab)

        return record


@dataclass(frozen=True)
class Actor:
    """A party that makes calls: `producer.sqs.send_message(...)`, by the parameters of boto3."""

    party: Party
    lab: Recorder

    def client(self, service: str) -> Client:
        """The client of any service, by boto3's name."""
        return Client(self.party, service, self.lab)

    @property
    def sqs(self) -> Client:
        """Amazon SQS."""
        return self.client("sqs")

    @property
    def sns(self) -> Client:
        """Amazon SNS."""
        return self.client("sns")

    @property
    def events(self) -> Client:
        """Amazon EventBridge."""
        return self.client("events")

    @property
    def functions(self) -> Client:
        """AWS Lambda."""
        return self.client("lambda")

    def receive_all(
        self, queue: Variable, *, count: int = 10, idle_s: int = 2, delete: bool = True, path: str = "Body"
    ) -> Variable:
        """Receive until `count` messages came, or none comes for `idle_s` real seconds. Return what `path` (JMESPath)
        finds in each message, in the order in which they came."""
        found = self.lab.variable("received", is_list=True)
        self.lab.add(ReceiveAll(self.party, queue, found, count, idle_s, delete, path))
        return found

    def serve(self, *statuses: int) -> Endpoint:
        """Start an HTTP endpoint that answers with these statuses in turn, the last one for ever."""
        step = Serve(self.party, self.lab.variable("endpoint_url"), list(statuses) or [200])
        self.lab.add(step)
        return Endpoint(step, self.lab)


@dataclass(frozen=True)
class Endpoint:
    """An HTTP endpoint of this machine that keeps the requests that it gets."""

    step: Serve
    lab: Recorder

    @property
    def url(self) -> Variable:
        """Its address."""
        return self.step.url

    def requests(self, path: str, *, count: int, within_s: float = 5) -> Variable:
        """Wait for `count` requests, at most `within_s` real seconds; return what `path` finds in each (`Requests`)."""
        found = self.lab.variable("requests", is_list=True)
        self.lab.add(Requests(self.step, found, path, count, within_s))
        return found

    def request(self, path: str, *, number: int = 1, within_s: float = 5) -> Variable:
        """Wait for request `number`, at most `within_s` real seconds; return what `path` finds in it."""
        found = self.lab.variable(path.rpartition(".")[2])
        self.lab.add(Requests(self.step, found, path, number, within_s))
        return found


@dataclass
class Recorder:
    """The steps of one experiment, in the order in which they were recorded.

    needs: what the engine must have beyond AWS's API: "disorder" and "faults" (settings of localbus), "functions".
    """

    needs: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)
    _open: list[list[Step]] = field(default_factory=list)

    def actor(self, name: str) -> Actor:
        """A party with this name, such as "consumer A"."""
        return Actor(Party(name), self)

    @property
    def you(self) -> Actor:
        """The person who sets up and looks."""
        return Actor(_YOU, self)

    def step(self, text: str) -> None:
        """A sentence about the steps that follow."""
        self.add(Say(text))

    def wait(self, seconds: float, why: str) -> None:
        """Let time pass. `why` completes "30 s pass: "."""
        self.add(Wait(seconds, why))

    def settle(self, seconds: float, why: str) -> None:
        """Wait on AWS alone. `why` completes "AWS needs 15 s: "."""
        self.add(Settle(seconds, why))

    def check(self, text: str, found: Variable, expected: str | int | Sequence[str], holds: Holds = "is") -> None:
        """A part of the claim, and what is expected of a value."""
        self.add(Check(text, found, holds, _plain(expected)))

    @contextmanager
    def each(self, name: str, items: Sequence[str]) -> Iterator[Variable]:
        """Repeat the steps inside for each item."""
        loop = Each(self.variable(name), list(items))
        self.add(loop)
        self._open.append(loop.steps)
        try:
            yield loop.variable
        finally:
            self._open.pop()

    def start(self, response: Response) -> None:
        """Let the call that was just recorded go on in the background, until `finish`."""
        call = self._taken_back(response)
        self.add(Start(call))

    def finish(self, response: Response) -> None:
        """Wait for the end of a call that `start` began. Its values are known from here on."""
        self.add(Finish(response.call))

    def until(
        self,
        response: Response,
        found: Variable,
        expected: str | int | Sequence[str],
        holds: Holds = "is",
        within_s: float = 5,
    ) -> None:
        """Repeat the call that was just recorded until a value of it holds, at most `within_s` real seconds."""
        call = self._taken_back(response)
        if [each.variable for each in call.keeps] != [found]:
            raise ValueError("The call of `until` keeps one value, which is the one that it waits for.")
        self.add(Until(call, holds, _plain(expected), within_s))

    def faults(self, why: str, *rules: Mapping[str, Any]) -> None:
        """Let calls fail in localbus, by rules of its developer API. Ended at the end."""
        self.engine("faults", {"rules": [dict(each) for each in rules]}, why)

    def calm(self, kind: str, why: str) -> None:
        """End a setting of localbus."""
        self.engine(kind, None, why)

    def engine(self, kind: str, document: Mapping[Any, Any] | None, why: str) -> None:
        """Change a setting of localbus; None ends it."""
        if kind not in self.needs:
            raise ValueError(f"Add {kind!r} to the experiment's needs.")
        self.add(Engine("disorder" if kind == "disorder" else "faults", document, why))

    def add(self, step: Step) -> None:
        """Record a step."""
        (self._open[-1] if self._open else self.steps).append(step)

    def all_steps(self) -> Iterator[Step]:
        """Every step, those of loops too, in order."""
        yield from _flat(self.steps)

    def variable(self, name: str, *, is_list: bool = False) -> Variable:
        """A variable that no other step has: `receipt`, `receipt_2`."""
        plain = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).strip("_").lower()
        if not plain or plain[0].isdigit():
            plain = f"value_{plain}".rstrip("_")
        self._names[plain] = number = self._names.get(plain, 0) + 1
        return Variable(plain if number == 1 else f"{plain}_{number}", is_list)

    def _taken_back(self, response: Response) -> Call:
        steps = self._open[-1] if self._open else self.steps
        if not steps or steps[-1] is not response.call:
            raise ValueError("This works on the call that was just recorded.")
        steps.pop()
        return response.call


def _plain(expected: str | int | Sequence[str]) -> str | int | list[str]:
    return expected if isinstance(expected, str | int) else list(expected)


def _flat(steps: Sequence[Step]) -> Iterator[Step]:
    for each in steps:
        yield each
        if isinstance(each, Each):
            yield from _flat(each.steps)
