"""End-to-end latency by step. Pure: from the times of an order's messages to percentiles of each step.

    step           ends                                          time, in localbus's journal
    accept         SNS has accepted the order                    published, of its first message
    sns_to_queue   it is in a queue                              delivered, of the first of its messages to arrive
    waiting        a worker receives it                          received, of the message and receive that finished it
    working        its outcome is on the event bus               published, of its first outcome event
    outcome        the outcome event is in the rig's queue       SQS's SentTimestamp, in ms: end to end ends here too

Each step begins where the one before ends, and the first at the intended send time, so the steps of one order add up to
its end-to-end latency. An order that is placed twice, duplicated or received again has several messages and receives.
The receive that finished it is the one after whose handling a worker first logged the outcome; if none did (a worker
was killed in between), the last one before the outcome was published. So whatever failed before counts as waiting.

Backends without a journal have the services' times only: those of order-api's log and of the order's row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.percentiles import percentiles, to_ms
from orderboard.burst.model import Split, StepLatency, Steps

Source = Literal["journal", "rows"]
_STEPS: Final[Mapping[Source, Mapping[str, str]]] = {
    "journal": {
        "accept": "until SNS has the order, from the intended send time",
        "sns_to_queue": "until it is in its queue",
        "waiting": "until the receive that finishes it",
        "working": "until its outcome is on the event bus",
        "outcome": "until the outcome event is delivered",
    },
    "rows": {
        "accept": "until order-api has published the order, from the intended send time",
        "queue": "until a worker records it: SNS, the queue and the worker's buffer",
        "outcome": "until the outcome event is delivered: the row written, the event published",
    },
}
_TEXTS: Final[Mapping[Source, str]] = {
    "journal": "Exact: the times at which localbus moved each message, from its journal.",
    "rows": "By the services' own times: only localbus has a journal, so the time in the queue is not known by itself.",
}
# A percentile of end to end -> the percentiles between which its orders are.
_AROUND: Final[Mapping[float | None, tuple[float, float]]] = {
    None: (0, 100),
    50: (49, 51),
    90: (89, 91),
    99: (98.5, 99.5),
}
_ALERT: Final = "from the event until its alert is in the inbox"


@dataclass
class Trace:
    """The times of one order's messages, in seconds since 1970, by message id; of a receive also by its count."""

    accepted_at: float | None = None  # by order-api's log
    recorded_at: float | None = None  # by the row
    event_at: float | None = None
    published: dict[str, float] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    received: dict[tuple[str, int], float] = field(default_factory=dict)
    handled: tuple[str, int] | None = None  # the receive that finished the order, by the worker's log

    @property
    def received_at(self) -> float | None:
        """The time of the receive that finished the order."""
        if self.handled in self.received:
            return self.received[self.handled]
        event_at = self.event_at
        return max((at for at in self.received.values() if event_at is None or at <= event_at), default=None)

    def ends(self, source: Source) -> tuple[float, ...] | None:
        """Return the end of each step but the last; None if one is not known."""
        found = [self.accepted_at, self.recorded_at]
        if source == "journal":
            published, arrived = (min(each.values(), default=None) for each in (self.published, self.arrived))
            found = [published, arrived, self.received_at, self.event_at]
        known = tuple(each for each in found if each is not None)
        return known if len(known) == len(found) else None


def steps_of(
    orders: Iterable[OrderRecord],
    traces: Mapping[str, Trace],
    alerts_ms: Sequence[float],
    *,
    source: Source,
    started_at: float,
) -> Steps | None:
    """Return the steps of the finished orders that have a trace; None if none finished.

    started_at: second 0 of the orders, in seconds since 1970. alerts_ms: the time of each alert.
    """
    measured, sampled = [], 0
    for order in orders:
        if order.finished_s is None or (trace := traces.get(order.order_ids[0])) is None:
            continue
        sampled += 1
        if (ends := trace.ends(source)) is not None:
            measured.append(_split(order.intended_s, [at - started_at for at in ends], order.finished_s))
    if not sampled:
        return None
    measured.sort(key=sum)
    columns = zip(*measured, strict=True)
    return Steps(
        source=source,
        text=_TEXTS[source],
        sampled=sampled,
        measured=len(measured),
        steps=tuple(
            step
            for (name, text), values in zip(_STEPS[source].items(), columns, strict=bool(measured))
            if (step := _latency(name, text, values)) is not None
        ),
        splits=tuple(_around(measured, *each) for each in _AROUND.items()) if measured else (),
        alert=_latency("alert", _ALERT, alerts_ms),
    )


def _split(intended_s: float, ends_s: Sequence[float], finished_s: float) -> list[float]:
    """Return milliseconds by step. Clocks differ by microseconds, so no step may end after the next."""
    ends = [finished_s]
    for end_s in reversed(ends_s):
        ends.append(max(intended_s, min(end_s, ends[-1])))
    ends.append(intended_s)
    ends.reverse()
    return [(end_s - begin_s) * 1000 for begin_s, end_s in pairwise(ends)]


def _around(measured: Sequence[Sequence[float]], wanted: float | None, between: tuple[float, float]) -> Split:
    """Return the mean steps of the orders between two percentiles of end to end, and of one order at least."""
    low, high = between
    last = len(measured) - 1
    first = min(int(low * len(measured) / 100), last)
    found = measured[first : max(first + 1, round(high * len(measured) / 100))]
    means = [to_ms(sum(values) / len(found)) for values in zip(*found, strict=True)]
    return Split(
        percentile=wanted,
        from_percentile=low,
        to_percentile=high,
        orders=len(found),
        end_to_end_ms=to_ms(sum(map(sum, found)) / len(found)),
        steps_ms=tuple(means),
    )


def _latency(name: str, text: str, values_ms: Iterable[float]) -> StepLatency | None:
    found = percentiles(values_ms)
    return None if found is None else StepLatency(name=name, text=text, **found.model_dump())
