"""The rig's own ledger while it runs: every reply of the generator and every outcome heard, second by second.

Every latency is kept as a number of four bytes, so percentiles are exact and need no buckets. One thread only.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from orderboard.burst.judge.verdict import Attempt
from orderboard.burst.load.generator import Reply
from orderboard.burst.mix import Intent
from orderboard.burst.model import CurvePoint, Latency

LATE_AFTER_MS: Final = 50.0
_NINES: Final = 5  # the curve ends at 99.999 % or at the last value


@dataclass
class Second:
    """What happened in one second."""

    intended: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    unavailable: int = 0
    finished: int = 0
    lag_ms: float | None = None
    accept_ms: "array[float]" = field(default_factory=lambda: array("f"))
    end_to_end_ms: "array[float]" = field(default_factory=lambda: array("f"))


class Book:
    """What was sent, answered and finished, by second and as a whole."""

    def __init__(self, intents: Iterable[Intent], times_s: Sequence[float]) -> None:
        self._orders = tuple((intent.kind, intent.idempotency_key, intent.body.get("priority")) for intent in intents)
        self._replies: dict[int, Reply] = {}
        self._intended_s: dict[str, float] = {}  # of every accepted order
        self._finished: set[str] = set()
        self._heard_early: dict[str, float] = {}  # finished before the generator told that it was accepted
        self._unfinished: dict[str, float] = {}  # in the order of acceptance -> when
        self.seconds: dict[int, Second] = {}
        self.accepted = 0
        self._sent_by: dict[int, int] = {}  # second -> how many had been sent by then, answered or not
        self.last_answer_s = 0.0
        self.last_finish_s = 0.0
        for time_s in times_s:
            self._second(time_s).intended += 1

    @property
    def orders(self) -> int:
        """How many are to be sent."""
        return len(self._orders)

    @property
    def finished(self) -> int:
        """How many different orders were heard to have ended."""
        return len(self._finished) + len(self._heard_early)

    @property
    def unfinished(self) -> int:
        """How many were accepted, should be heard to end, and were not yet."""
        return len(self._unfinished)

    def oldest_age_s(self, now_s: float) -> float | None:
        """For how long the oldest unfinished order has been so."""
        oldest = next(iter(self._unfinished.values()), None)
        return None if oldest is None else max(0.0, now_s - oldest)

    def sent(self, sent: int, now_s: float) -> None:
        """Note how many had been sent by now."""
        self._sent_by[int(now_s)] = sent

    def sent_per_s(self, now_s: float, seconds: int = 5) -> float:
        """How many were sent in the last whole seconds, for each of them."""
        last = int(now_s) - 1
        by_second = [self._sent_by.get(max(last - back, 0), 0) if last >= back else 0 for back in (0, seconds)]
        return max(0, by_second[0] - by_second[1]) / max(1, min(seconds, last + 1))

    def replied(self, reply: Reply) -> None:
        """Note what became of an order."""
        self._replies[reply.number] = reply
        sent, answered = self._second(reply.sent_s), self._second(reply.answered_s)
        lag_ms = (reply.sent_s - reply.intended_s) * 1000
        sent.sent += 1
        sent.lag_ms = max(lag_ms, sent.lag_ms or 0.0)
        self.last_answer_s = max(self.last_answer_s, reply.answered_s)
        match reply.answer:
            case "acknowledged":
                self.accepted += 1
                answered.accepted += 1
                answered.accept_ms.append((reply.answered_s - reply.intended_s) * 1000)
                self._accepted(reply)
            case "refused":
                answered.refused += 1
            case "unavailable":
                answered.unavailable += 1

    def heard(self, order_id: str, at_s: float) -> None:
        """Note that an order was heard to have ended. What is said again changes nothing."""
        if order_id in self._finished or order_id in self._heard_early:
            return
        self._second(at_s).finished += 1
        self.last_finish_s = max(self.last_finish_s, at_s)
        if order_id in self._intended_s:
            self._finish(order_id, at_s)
        else:
            self._heard_early[order_id] = at_s

    def attempts(self) -> list[Attempt]:
        """Every order that was sent, for the verdict."""
        found = []
        for number, reply in sorted(self._replies.items()):
            kind, key, priority = self._orders[number]
            found.append(
                Attempt(
                    kind,
                    key,
                    reply.answer,
                    reply.order_ids,
                    reply.total_cents,
                    priority == "express",
                    reply.cancellation,
                )
            )
        return found

    def lags_ms(self) -> list[float]:
        """How late each order was sent, sorted."""
        return sorted((reply.sent_s - reply.intended_s) * 1000 for reply in self._replies.values())

    def waited(self) -> int:
        """How many were late because no connection was free."""
        return sum(
            reply.waited and (reply.sent_s - reply.intended_s) * 1000 > LATE_AFTER_MS
            for reply in self._replies.values()
        )

    def last_sent_s(self) -> float:
        """When the last order left."""
        return max((reply.sent_s for reply in self._replies.values()), default=0.0)

    def recent(self, now_s: float, seconds: int = 5) -> Iterator[Second]:
        """The last whole seconds."""
        for number in range(max(0, int(now_s) - seconds), int(now_s)):
            if number in self.seconds:
                yield self.seconds[number]

    def accept(self) -> Latency | None:
        """Over all accepted orders."""
        return latency(value for second in self.seconds.values() for value in second.accept_ms)

    def end_to_end(self) -> Latency | None:
        """Over all finished orders."""
        return latency(value for second in self.seconds.values() for value in second.end_to_end_ms)

    def _accepted(self, reply: Reply) -> None:
        order_id = reply.order_ids[0]
        self._intended_s[order_id] = reply.intended_s
        if (at_s := self._heard_early.pop(order_id, None)) is not None:
            self._finish(order_id, at_s)
        elif self._orders[reply.number][0] != "poison":  # of which nothing will be heard
            self._unfinished[order_id] = reply.answered_s

    def _finish(self, order_id: str, at_s: float) -> None:
        self._finished.add(order_id)
        self._unfinished.pop(order_id, None)
        self._second(at_s).end_to_end_ms.append((at_s - self._intended_s[order_id]) * 1000)

    def _second(self, at_s: float) -> Second:
        return self.seconds.setdefault(max(0, int(at_s)), Second())


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed (nearest rank); ordered is sorted and not empty."""
    rank = math.ceil(round(percent * len(ordered) / 100, 6))  # 99.9 is a little more in binary
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def latency(values_ms: Iterable[float]) -> Latency | None:
    """Percentiles and curve; None of nothing."""
    ordered = sorted(values_ms)
    if not ordered:
        return None
    return Latency(
        count=len(ordered),
        mean_ms=_ms(math.fsum(ordered) / len(ordered)),
        p50_ms=_ms(percentile(ordered, 50)),
        p90_ms=_ms(percentile(ordered, 90)),
        p95_ms=_ms(percentile(ordered, 95)),
        p99_ms=_ms(percentile(ordered, 99)),
        p999_ms=_ms(percentile(ordered, 99.9)),
        max_ms=_ms(ordered[-1]),
        curve=tuple(_curve(ordered)),
    )


def _curve(ordered: Sequence[float]) -> Iterator[CurvePoint]:
    """Ten points to each nine, as far as there are values to tell them apart, and the maximum."""
    for nine in range(_NINES):
        if 10**nine > len(ordered):
            break
        for step in range(10):
            percent = 100 - 10 ** -(nine + step / 10) * 100
            yield CurvePoint(percentile=round(percent, 6), ms=_ms(percentile(ordered, percent)))
    yield CurvePoint(percentile=100, ms=_ms(ordered[-1]))


def _ms(value: float) -> float:
    return round(value, 3)
