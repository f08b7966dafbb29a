"""A standard queue as AWS promises it, no better: duplicates, another order, polls that miss.

Off unless asked for, at the start or while it runs. AWS delivers at least once and in about the order of sending, and a
short poll asks only some of its servers. Engines that never show it hide the bugs of those who rely on more. The same
seed gives the same disorder for the same requests.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from localbus.clock import Clock
from localbus.journal import Journal
from localbus.sqs.message import Message, Received
from localbus.sqs.queue import Queue
from localbus.sqs.ready_queue import Line

FURTHEST_OVERTAKEN = 20


@dataclass(frozen=True)
class Disorder:
    """How likely each thing is, from 0 to 1."""

    seed: int = 0
    duplicates: float = 0.0
    reordering: float = 0.0
    missed_polls: float = 0.0
    doubled_events: float = 0.0  # a rule of EventBridge that is triggered twice by one event

    def __post_init__(self) -> None:
        for name in ("duplicates", "reordering", "missed_polls", "doubled_events"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"invalid {name} {getattr(self, name)}: expected a probability from 0 to 1")


def parse(text: str) -> Disorder:
    """A disorder as the command line has it: `seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2`."""
    return read(dict(part.partition("=")[::2] for part in text.split(",")))


def read(given: Mapping[str, Any]) -> Disorder:
    """A disorder of named numbers, or of texts that are such; raises ValueError."""
    names = [each.name for each in fields(Disorder)]
    for name in given:
        if name not in names:
            raise ValueError(f"unknown setting {name!r}: expected {', '.join(names)}")
    numbers: dict[str, Any] = {}
    for name, value in given.items():
        try:
            numbers[name] = int(value) if name == "seed" else float(value)
        except (TypeError, ValueError, OverflowError) as exc:
            raise ValueError(f"invalid {name} {value!r}: expected a number") from exc
    return Disorder(**numbers)


@dataclass(frozen=True)
class Disorders:
    """What is asked for everywhere, and for queues of certain names instead of that."""

    everywhere: Disorder = field(default_factory=Disorder)
    queues: Mapping[str, Disorder] = field(default_factory=dict)

    def of(self, queue_name: str) -> Disorder:
        """What the queue of that name is to do."""
        return self.queues.get(queue_name, self.everywhere)

    def document(self) -> dict[str, Any]:
        """The form that `read_all` reads; {} when nothing is asked for."""
        queues = {"queues": {name: asdict(disorder) for name, disorder in self.queues.items()}} if self.queues else {}
        return (asdict(self.everywhere) if self.everywhere != Disorder() else {}) | queues


def read_all(given: Any) -> Disorders:
    """Read `{"seed": 7, "duplicates": 0.05, "queues": {"work": {"missed_polls": 1}}}`; raises ValueError."""
    queues = given.get("queues", {}) if isinstance(given, dict) else None
    if not isinstance(queues, dict) or not all(isinstance(one, dict) for one in queues.values()):
        raise ValueError(
            'expected settings such as {"seed": 7, "duplicates": 0.05, "queues": {"work": {"missed_polls": 1}}}'
        )
    everywhere = {name: value for name, value in given.items() if name != "queues"}
    return Disorders(read(everywhere), {name: read(one) for name, one in queues.items()})


class DisorderlyLine(Line):
    """A line in which some messages overtake up to twenty earlier ones."""

    def __init__(self) -> None:
        super().__init__()
        self._reordering = 0.0
        self._chance = random.Random(0)  # noqa: S311 (chance is the purpose)

    def disturb(self, reordering: float, chance: random.Random) -> None:
        """Let so many messages overtake from now on."""
        self._reordering = reordering
        self._chance = chance

    def join(self, message: Message) -> None:
        """Take in a message, perhaps further to the front."""
        if not self._reordering or self._chance.random() >= self._reordering:
            super().join(message)
            return
        message.place = next(self._places) - self._chance.uniform(0, FURTHEST_OVERTAKEN)
        lane = self._lane(message)
        lane.put_back(message)
        self._offer(lane)


class DisorderlyQueue(Queue):
    """A standard queue that, where asked, delivers messages twice at a time, reorders, and lets short polls miss."""

    def __init__(self, name: str, arn: str, clock: Clock, journal: Journal, disorder: Disorder) -> None:
        super().__init__(name, arn, clock, journal)
        self._line = DisorderlyLine()
        self._order = self._line
        self.disturb(disorder)

    def disturb(self, disorder: Disorder) -> None:
        """From now on do this; chance begins anew, from the seed and the queue's ARN."""
        self._disorder = disorder
        self._chance = random.Random(f"{disorder.seed} {self.arn}")  # noqa: S311 (chance is the purpose)
        self._line.disturb(disorder.reordering, self._chance)

    def receive(self, most: int, visibility_timeout_s: int | None = None) -> list[Received]:
        """Receive, unless this poll asks the servers that have nothing."""
        if self._disorder.missed_polls and self._chance.random() < self._disorder.missed_polls:
            self._journal.note("missed", self.arn, "", self._clock.now())
            return []
        return super().receive(most, visibility_timeout_s)

    def _hand_out(self, message: Message, now: float, visibility_timeout_s: int) -> Received:
        if not self._disorder.duplicates or self._chance.random() >= self._disorder.duplicates:
            return super()._hand_out(message, now, visibility_timeout_s)
        received = super()._hand_out(message, now, 0)
        self._journal.note("duplicated", self.arn, message.message_id, now)
        return received
