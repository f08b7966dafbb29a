"""The rig's record of a burst: every reply of the generator and every outcome, second by second.

Every latency is kept, in four bytes, so percentiles are exact and need no buckets. One thread only.
"""

from array import array
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.load.generator import Reply
from orderboard.burst.load.stream import Open, Part, Stream
from orderboard.burst.measure.generators import GeneratorRun, generator_stats
from orderboard.burst.measure.orders import OrderRecord, Orders, Sent, lag_ms
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.model import GeneratorStats, Latency


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


class Recorder:
    """Orders sent, answered and finished, by second and in total.

    shared: others send orders, too, so an outcome counts once its order is known to be one of these.
    """

    def __init__(self, streams: Sequence[Stream], *, shared: bool = False) -> None:
        self._shared = shared
        self._orders = Orders(streams)
        self._intended_s: dict[str, float] = {}  # of every accepted order
        self._finished: dict[str, float] = {}  # when
        self._finished_early: dict[str, float] = {}  # before the generator reported that they were accepted
        self._unfinished: dict[str, float] = {}  # in the order of acceptance -> when
        self._sent_by: dict[int, int] = {}  # second -> how many had been sent by then, answered or not
        self.seconds: dict[int, Second] = {}
        self.accepted = 0
        self.last_answer_s = 0.0
        self.last_finish_s = 0.0
        for stream in streams:
            for time_s in stream.load.times_s if isinstance(stream.load, Open) else ():
                self._second(time_s).intended += 1

    @property
    def planned(self) -> int | None:
        """The number of orders to send; None if clients send as many as they can."""
        return self._orders.planned

    def clients_at(self, at_s: float) -> int | None:
        """Return how many clients send at a moment; None without a closed stream."""
        return self._orders.clients_at(at_s)

    @property
    def answered(self) -> int:
        """The number of orders with an answer, or without one for good."""
        return self._orders.answered

    @property
    def finished(self) -> int:
        """The number of different orders with an outcome event."""
        return len(self._finished) + (0 if self._shared else len(self._finished_early))

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
        """Record the answer to an order; a repeated one changes nothing."""
        if not self._orders.replied(reply):
            return
        sent, answered = self._second(reply.sent_s), self._second(reply.answered_s)
        sent.sent += 1
        if self._orders.is_open(reply):
            sent.lag_ms = max(lag_ms(reply), sent.lag_ms or 0.0)
        else:
            sent.intended += 1  # a client intends to send when it does
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
        if order_id in self._intended_s:
            self._ended(at_s)
            self._finish(order_id, at_s)
        else:
            self._finished_early[order_id] = at_s
            if not self._shared:
                self._ended(at_s)

    def attempts(self, sent: Sent) -> list[Attempt]:
        """Return every order that was sent, for the verdict."""
        return self._orders.attempts(sent)

    def sent_at_most(self, generators: Sequence[GeneratorRun], landed: Container[str | None]) -> Sent:
        """Return the orders that were sent, and those that a generator which ended early may have sent, too.

        landed: the ids of orders that are in a table or a queue.
        """
        return [
            each.sent
            if each.ended_s is None
            else self._orders.sent_at_most(Part(index, len(generators)), each.sent, each.ended_s, landed)
            for index, each in enumerate(generators)
        ]

    def records(self) -> Iterator[OrderRecord]:
        """Iterate over every order with an answer, by stream."""
        return self._orders.records(self._finished)

    def generator_stats(
        self, generators: Sequence[GeneratorRun], *, connections: int, duration_s: float, stopped: bool = False
    ) -> GeneratorStats:
        """Summarize how well the generators kept to the intended times. stopped: before the end of the load."""
        return generator_stats(
            self._orders, generators, connections=connections, duration_s=duration_s, stopped=stopped
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
            if self._shared:
                self._ended(at_s)
            self._finish(order_id, at_s)
        elif self._orders.of(reply).may_end != {"dead-lettered"}:  # a poisoned order has no outcome event
            self._unfinished[order_id] = reply.answered_s

    def _ended(self, at_s: float) -> None:
        self._second(at_s).finished += 1
        self.last_finish_s = max(self.last_finish_s, at_s)

    def _finish(self, order_id: str, at_s: float) -> None:
        self._finished[order_id] = at_s
        self._unfinished.pop(order_id, None)
        self._second(at_s).end_to_end_ms.append((at_s - self._intended_s[order_id]) * 1000)

    def _second(self, at_s: float) -> Second:
        number = max(0, int(at_s))
        if (second := self.seconds.get(number)) is None:
            second = self.seconds[number] = Second()
        return second
