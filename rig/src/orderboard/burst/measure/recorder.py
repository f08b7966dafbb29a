"""The rig's record of a burst: every reply of the generator and every outcome, second by second.

Every latency is kept, in four bytes, so percentiles are exact and need no buckets. One thread only.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.load.generator import Reply
from orderboard.burst.load.mix import PlannedOrder
from orderboard.burst.model import CurvePoint, GeneratorStats, Interval, Latency
from orderboard.orders.kinds import Ending

LATE_AFTER_MS: Final = 50.0
_PERCENTILES: Final = (50, 90, 95, 99, 99.9)
_Z_95: Final = 1.96  # 95 % of a normal distribution lie within so many standard deviations
_NINES: Final = 5  # the curve ends at 99.999 % or at the last value


@dataclass
class Second:
    """The events of one second."""

    intended: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    unavailable: int = 0
    finished: int = 0
    lag_ms: float | None = None
    accept_ms: "array[float]" = field(default_factory=lambda: array("f"))
    end_to_end_ms: "array[float]" = field(default_factory=lambda: array("f"))


class _Order(NamedTuple):
    """An order without its body."""

    kind: str
    key: str
    express: bool
    may_end: frozenset[Ending]
    may_be_refused: bool
    line: int


class Recorder:
    """Orders sent, answered and finished, by second and in total."""

    def __init__(self, orders: Iterable[PlannedOrder], times_s: Sequence[float]) -> None:
        self._orders = tuple(map(_kept, orders))
        self._replies: dict[int, Reply] = {}
        self._intended_s: dict[str, float] = {}  # of every accepted order
        self._finished: set[str] = set()
        self._finished_early: dict[str, float] = {}  # before the generator reported that they were accepted
        self._unfinished: dict[str, float] = {}  # in the order of acceptance -> when
        self._sent_by: dict[int, int] = {}  # second -> how many had been sent by then, answered or not
        self.seconds: dict[int, Second] = {}
        self.accepted = 0
        self.last_answer_s = 0.0
        self.last_finish_s = 0.0
        for time_s in times_s:
            self._second(time_s).intended += 1

    @property
    def orders(self) -> int:
        """The number of orders to send."""
        return len(self._orders)

    @property
    def answered(self) -> int:
        """The number of orders with an answer, or without one for good."""
        return len(self._replies)

    @property
    def finished(self) -> int:
        """The number of different orders with an outcome event."""
        return len(self._finished) + len(self._finished_early)

    @property
    def unfinished(self) -> int:
        """The number of orders that were accepted and whose outcome event is still to come."""
        return len(self._unfinished)

    def oldest_age_s(self, now_s: float) -> float | None:
        """Return the age of the oldest unfinished order."""
        oldest = next(iter(self._unfinished.values()), None)
        return None if oldest is None else max(0.0, now_s - oldest)

    def sent(self, sent: int, now_s: float) -> None:
        """Record how many have been sent by now."""
        self._sent_by[int(now_s)] = sent

    def sent_per_s(self, now_s: float, seconds: int = 5) -> float:
        """Return the send rate over the last whole seconds."""
        last = int(now_s) - 1
        by_second = [self._sent_by.get(max(last - back, 0), 0) if last >= back else 0 for back in (0, seconds)]
        return max(0, by_second[0] - by_second[1]) / max(1, min(seconds, last + 1))

    def replied(self, reply: Reply) -> None:
        """Record the answer to an order."""
        self._replies[reply.number] = reply
        sent, answered = self._second(reply.sent_s), self._second(reply.answered_s)
        sent.sent += 1
        sent.lag_ms = max(_lag_ms(reply), sent.lag_ms or 0.0)
        self.last_answer_s = max(self.last_answer_s, reply.answered_s)
        match reply.answer:
            case "acknowledged":
                self.accepted += 1
                answered.accepted += 1
                answered.accept_ms.append((reply.answered_s - reply.intended_s) * 1000)
                self._accepted(reply)
            case "refused":
                answered.refused += 1
            case "unavailable" | "unreached":
                answered.unavailable += 1

    def outcome(self, order_id: str, at_s: float) -> None:
        """Record the final outcome of an order; a repeated one changes nothing."""
        if order_id in self._finished or order_id in self._finished_early:
            return
        self._second(at_s).finished += 1
        self.last_finish_s = max(self.last_finish_s, at_s)
        if order_id in self._intended_s:
            self._finish(order_id, at_s)
        else:
            self._finished_early[order_id] = at_s

    def attempts(self, sent: int) -> list[Attempt]:
        """Return every order that was sent, for the verdict. One in flight when the burst ended has no reply."""
        found = []
        for number in range(max(sent, 1 + max(self._replies, default=-1))):
            order, reply = self._orders[number], self._replies.get(number)
            attempt = Attempt(
                kind=order.kind,
                idempotency_key=order.key,
                answer="unavailable",
                may_end=order.may_end,
                express=order.express,
                may_be_refused=order.may_be_refused,
                line=order.line,
                refusals=("no answer until the burst ended",),
            )
            if reply is not None:
                attempt = replace(
                    attempt,
                    answer=reply.answer,
                    order_ids=reply.order_ids,
                    refusals=reply.refusals,
                    total_cents=reply.total_cents,
                    cancellation=reply.cancellation,
                    example=reply.example,
                )
            found.append(attempt)
        return found

    def generator_stats(self, *, sent: int, connections: int, duration_s: float) -> GeneratorStats:
        """Summarize how well the generator kept to the intended times."""
        lags_ms = sorted(map(_lag_ms, self._replies.values())) or [0.0]
        last_sent_s = max((reply.sent_s for reply in self._replies.values()), default=0.0)
        return GeneratorStats(
            orders=self.orders,
            sent=sent,
            not_sent=self.orders - sent,
            late=sum(lag_ms > LATE_AFTER_MS for lag_ms in lags_ms),
            late_after_ms=LATE_AFTER_MS,
            lag_p50_ms=_ms(percentile(lags_ms, 50)),
            lag_p99_ms=_ms(percentile(lags_ms, 99)),
            lag_max_ms=_ms(lags_ms[-1]),
            waited_for_connection=sum(
                reply.waited and _lag_ms(reply) > LATE_AFTER_MS for reply in self._replies.values()
            ),
            connections=connections,
            intended_rate=rate(self.orders, duration_s),
            achieved_rate=rate(sent, max(duration_s, last_sent_s)),
        )

    def recent(self, now_s: float, seconds: int = 5) -> Iterator[Second]:
        """Iterate over the last whole seconds."""
        for number in range(max(0, int(now_s) - seconds), int(now_s)):
            if number in self.seconds:
                yield self.seconds[number]

    def accept(self) -> Latency | None:
        """Return the latency of all accepted orders."""
        return latency(value for second in self.seconds.values() for value in second.accept_ms)

    def end_to_end(self) -> Latency | None:
        """Return the latency of all finished orders."""
        return latency(value for second in self.seconds.values() for value in second.end_to_end_ms)

    def _accepted(self, reply: Reply) -> None:
        order_id = reply.order_ids[0]
        self._intended_s[order_id] = reply.intended_s
        if (at_s := self._finished_early.pop(order_id, None)) is not None:
            self._finish(order_id, at_s)
        elif self._orders[reply.number].may_end != {"dead-lettered"}:  # a poisoned order has no outcome event
            self._unfinished[order_id] = reply.answered_s

    def _finish(self, order_id: str, at_s: float) -> None:
        self._finished.add(order_id)
        self._unfinished.pop(order_id, None)
        self._second(at_s).end_to_end_ms.append((at_s - self._intended_s[order_id]) * 1000)

    def _second(self, at_s: float) -> Second:
        return self.seconds.setdefault(max(0, int(at_s)), Second())


def _kept(order: PlannedOrder) -> _Order:
    express = order.body.get("priority") == "express"
    return _Order(order.kind, order.idempotency_key, express, order.may_end, order.may_be_refused, order.line)


def rate(count: int, over_s: float) -> float:
    """Return a count a second; 0 over no time."""
    return round(count / over_s, 1) if over_s > 0 else 0.0


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of a sorted sequence that is not empty."""
    rank = math.ceil(round(percent * len(ordered) / 100, 6))  # 99.9 is a little more in binary
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def latency(values_ms: Iterable[float]) -> Latency | None:
    """Return percentiles and their curve; None without values."""
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
        intervals=tuple(_intervals(ordered)),
    )


def _curve(ordered: Sequence[float]) -> Iterator[CurvePoint]:
    """Yield ten points for each nine, as far as there are enough values, and the maximum."""
    for nine in range(_NINES):
        if 10**nine > len(ordered):
            break
        for step in range(10):
            percent = 100 - 10 ** -(nine + step / 10) * 100
            yield CurvePoint(percentile=round(percent, 6), ms=_ms(percentile(ordered, percent)))
    yield CurvePoint(percentile=100, ms=_ms(ordered[-1]))


def _intervals(ordered: Sequence[float]) -> Iterator[Interval]:
    """Yield the 95 % interval of each percentile, by the normal approximation of the binomial distribution of ranks."""
    count = len(ordered)
    for percent in _PERCENTILES:
        share = percent / 100
        half = _Z_95 * math.sqrt(count * share * (1 - share))
        low, high = math.floor(count * share - half), math.ceil(count * share + half) + 1
        if low >= 1 and high <= count:
            yield Interval(percentile=percent, low_ms=_ms(ordered[low - 1]), high_ms=_ms(ordered[high - 1]))


def _ms(value: float) -> float:
    return round(value, 3)


def _lag_ms(reply: Reply) -> float:
    return (reply.sent_s - reply.intended_s) * 1000
