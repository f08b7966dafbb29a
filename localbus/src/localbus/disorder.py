"""A standard queue as AWS promises it, no better: duplicates, another order, polls that miss. Off unless asked for.

AWS delivers at least once and in about the order of sending, and a short poll asks only some of its servers. Engines
that never show it hide the bugs of those who rely on more. The same seed gives the same disorder for the same requests.
Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from localbus.clock import Clock
from localbus.journal import Journal
from localbus.line import Line
from localbus.message import Message, Received
from localbus.queue import Queue

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
                raise ValueError(f"{name} is a probability, from 0 to 1")


def parse(text: str) -> Disorder:
    """A disorder as the command line has it: `seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2`."""
    return read(dict(part.partition("=")[::2] for part in text.split(",")))


def read(given: Mapping[str, Any]) -> Disorder:
    """A disorder of named numbers, or of texts that are such; raises ValueError."""
    names = [each.name for each in fields(Disorder)]
    for name in given:
        if name not in names:
            raise ValueError(f"there is no {name!r}; there are {', '.join(names)}")
    try:
        numbers = {name: int(value) if name == "seed" else float(value) for name, value in given.items()}
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError(f"{dict(given)} has a value that is no number") from exc
    return Disorder(**numbers)  # type: ignore[arg-type]  # the seed is an int


class DisorderlyLine(Line):
    """A line in which some messages overtake up to twenty earlier ones."""

    def __init__(self, chance: random.Random, reordering: float) -> None:
        super().__init__()
        self._chance = chance
        self._reordering = reordering

    def join(self, message: Message) -> None:
        """Take in a message, perhaps further to the front."""
        if self._chance.random() >= self._reordering:
            super().join(message)
            return
        message.place = next(self._places) - self._chance.uniform(0, FURTHEST_OVERTAKEN)
        lane = self._lane(message)
        lane.put_back(message)
        self._offer(lane)


class DisorderlyQueue(Queue):
    """A standard queue that delivers some messages twice at a time, and lets some short polls miss."""

    def __init__(self, name: str, arn: str, clock: Clock, journal: Journal, disorder: Disorder) -> None:
        super().__init__(name, arn, clock, journal)
        self._disorder = disorder
        self._chance = random.Random(f"{disorder.seed} {arn}")  # noqa: S311 (chance is the purpose)
        self._order = DisorderlyLine(self._chance, disorder.reordering)

    def receive(self, most: int, visibility_timeout_s: int | None = None) -> list[Received]:
        """Receive, unless this poll asks the servers that have nothing."""
        if self._chance.random() < self._disorder.missed_polls:
            self._journal.note("missed", self.arn, "", self._clock.now())
            return []
        return super().receive(most, visibility_timeout_s)

    def _hand_out(self, message: Message, now: float, visibility_timeout_s: int) -> Received:
        duplicate = self._chance.random() < self._disorder.duplicates
        received = super()._hand_out(message, now, 0 if duplicate else visibility_timeout_s)
        if duplicate:
            self._journal.note("duplicated", self.arn, message.message_id, now)
        return received
