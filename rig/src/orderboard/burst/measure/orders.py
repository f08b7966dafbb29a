"""The orders of a burst and the generator's replies, without the orders' bodies."""

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from orderboard_contracts.identity import order_id_for

from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.load.generator import Answer, Reply
from orderboard.burst.load.stream import WHOLE, Closed, Open, Part, Stream
from orderboard.burst.scenario.defaults import MAX_ORDERS
from orderboard.orders.kinds import Ending

# Orders of each stream, by generator: the first ones of its part.
Sent = Sequence[Sequence[int]]
# Orders that left no trace may lie between two that did: those in flight, and those that were refused.
_MOST_GAPS: Final = 10_000
_NO_REPLY: Final = Reply(
    stream=0,
    number=0,
    intended_s=0.0,
    sent_s=0.0,
    answered_s=0.0,
    waited=False,
    answer="unavailable",
    order_ids=(),
    total_cents=0,
    cancellation=None,
    refusals=("no answer until the burst ended",),
)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """The measurements of one order. Seconds count from the start; finished_s is None without an outcome event."""

    stream: str
    kind: str
    key: str
    answer: Answer
    intended_s: float
    sent_s: float
    answered_s: float
    finished_s: float | None
    order_ids: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def accept_ms(self) -> float | None:
        """From the intended time to the answer 202."""
        return (self.answered_s - self.intended_s) * 1000 if self.answer == "acknowledged" else None

    @property
    def end_to_end_ms(self) -> float | None:
        """From the intended time to the outcome event."""
        return None if self.finished_s is None else (self.finished_s - self.intended_s) * 1000


class Kept(NamedTuple):
    """An order without its body. cancelled: the generator asks for that after its answer."""

    kind: str
    key: str
    express: bool
    may_end: frozenset[Ending]
    may_be_refused: bool
    line: int
    cancelled: bool


class Orders:
    """Every order of every stream, generated as far as needed, and its reply."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = [_OfStream(stream) for stream in streams]

    @property
    def planned(self) -> int | None:
        """The number of orders to send; None if it depends on the answers."""
        return self.planned_of(WHOLE)

    def planned_of(self, part: Part) -> int | None:
        """Return the number of orders of one generator; None if it depends on the answers."""
        numbers = [each.stream.split(part).planned for each in self._streams]
        return None if None in numbers else sum(number or 0 for number in numbers)

    def clients_at(self, at_s: float) -> int | None:
        """Return how many clients send at a moment; None without a closed stream."""
        loads = [each.stream.load for each in self._streams]
        working = [load.working(at_s) for load in loads if isinstance(load, Closed)]
        return sum(working) if working else None

    @property
    def any_open(self) -> bool:
        """True if a stream has intended times; clients intend to send when they do."""
        return any(each.is_open for each in self._streams)

    @property
    def answered(self) -> int:
        """The number of replies."""
        return sum(len(each.replies) for each in self._streams)

    def replied(self, reply: Reply) -> bool:
        """Keep a reply; return False if the order has one already."""
        return self._streams[reply.stream].replies.setdefault(reply.number, reply) is reply

    def of(self, reply: Reply) -> Kept:
        """Return the order of a reply."""
        return self._streams[reply.stream].order(reply.number)

    def is_open(self, reply: Reply) -> bool:
        """Return whether the order had an intended time of its stream."""
        return self._streams[reply.stream].is_open

    def replies(self) -> Iterator[Reply]:
        """Iterate over all replies, by stream."""
        for each in self._streams:
            yield from each.replies.values()

    def records(self, finished_s: Mapping[str, float]) -> Iterator[OrderRecord]:
        """Iterate over every order with a reply, by stream and number. finished_s: by order id."""
        for each in self._streams:
            for number, reply in sorted(each.replies.items()):
                order = each.order(number)
                yield OrderRecord(
                    stream=each.stream.name,
                    kind=order.kind,
                    key=order.key,
                    answer=reply.answer,
                    intended_s=reply.intended_s,
                    sent_s=reply.sent_s,
                    answered_s=reply.answered_s,
                    finished_s=finished_s.get(reply.order_ids[0]) if reply.order_ids else None,
                    order_ids=reply.order_ids,
                    refusals=reply.refusals,
                )

    def attempts(self, sent: Sent) -> list[Attempt]:
        """Return every order that was sent. One in flight when the burst ended has no reply."""
        return [
            _attempt(each.order(number), each.replies.get(number))
            for stream, each in enumerate(self._streams)
            for number in each.sent_numbers([counts[stream] for counts in sent])
        ]

    def sent_at_most(
        self, part: Part, sent: Sequence[int], until_s: float, landed: Container[str | None]
    ) -> tuple[int, ...]:
        """Return how many orders of each stream a generator may have sent that ended without a report of its last ones.

        Those of an open stream that were due until then, and those whose ids are known. sent: that it has reported.
        """
        return tuple(
            each.sent_at_most(part, count, until_s, landed) for each, count in zip(self._streams, sent, strict=True)
        )


class _OfStream:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.is_open = isinstance(stream.load, Open)
        self.replies: dict[int, Reply] = {}
        self._orders: list[Kept] = []
        self._to_come = stream.orders()

    def sent_numbers(self, counts: Sequence[int]) -> Iterator[int]:
        """Yield the numbers of the orders that were sent. counts: of each generator, how many."""
        parts = len(counts)
        ends = ((count - 1) * parts + index + 1 for index, count in enumerate(counts) if count)
        for number in range(max((1 + max(self.replies, default=-1), *ends))):
            if number // parts < counts[number % parts] or number in self.replies:
                yield number

    def sent_at_most(self, part: Part, count: int, until_s: float, landed: Container[str | None]) -> int:
        """Return how many orders of this stream the generator of a part may have sent."""
        load, planned = self.stream.load, self.stream.planned
        most = MAX_ORDERS if planned is None else planned
        if isinstance(load, Open):
            count = max(count, bisect_right(load.split(part).times_s, until_s))
        following, missing = count, 0
        while (number := part.index + following * part.of) < most and missing < _MOST_GAPS:
            following += 1
            missing += 1
            if order_id_for(self.order(number).key) in landed:
                count, missing = following, 0
        return count

    def order(self, number: int) -> Kept:
        while len(self._orders) <= number:
            _, order = next(self._to_come)
            self._orders.append(
                Kept(
                    order.kind,
                    order.idempotency_key,
                    order.body.get("priority") == "express",
                    order.may_end,
                    order.may_be_refused,
                    order.line,
                    order.cancellation != "never",
                )
            )
        return self._orders[number]


def lag_ms(reply: Reply) -> float:
    """Return how much later than intended the order was sent."""
    return (reply.sent_s - reply.intended_s) * 1000


def _attempt(order: Kept, reply: Reply | None) -> Attempt:
    found = reply or _NO_REPLY._replace(cancellation="unavailable" if order.cancelled else None)
    return Attempt(
        kind=order.kind,
        idempotency_key=order.key,
        answer=found.answer,
        may_end=order.may_end,
        order_ids=found.order_ids,
        refusals=found.refusals,
        total_cents=found.total_cents,
        express=order.express,
        cancellation=found.cancellation,
        may_be_refused=order.may_be_refused,
        line=order.line,
        example=found.example,
    )
