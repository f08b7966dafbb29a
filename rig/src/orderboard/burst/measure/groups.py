"""Latencies by stream and by kind of order. Pure."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.percentiles import percentiles
from orderboard.burst.model import GroupLatency


@dataclass
class _Group:
    orders: int = 0
    accept_ms: "array[float]" = field(default_factory=lambda: array("d"))
    end_to_end_ms: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, order: OrderRecord) -> None:
        self.orders += 1
        for values, ms in ((self.accept_ms, order.accept_ms), (self.end_to_end_ms, order.end_to_end_ms)):
            if ms is not None:
                values.append(ms)


def latency_groups(orders: Iterable[OrderRecord]) -> tuple[GroupLatency, ...]:
    """Return the streams, if there are several, and then the kinds, those with the most orders first."""
    streams: dict[str, _Group] = {}
    kinds: dict[str, _Group] = {}
    for order in orders:
        streams.setdefault(order.stream, _Group()).add(order)
        kinds.setdefault(order.kind, _Group()).add(order)
    by_stream = _latencies("stream", streams) if len(streams) > 1 else ()
    by_kind = sorted(_latencies("kind", kinds), key=lambda each: -each.orders)
    return (*by_stream, *by_kind)


def _latencies(by: Literal["stream", "kind"], groups: dict[str, _Group]) -> Iterator[GroupLatency]:
    for name, group in groups.items():
        yield GroupLatency(
            by=by,
            name=name,
            orders=group.orders,
            accept=percentiles(group.accept_ms),
            end_to_end=percentiles(group.end_to_end_ms),
        )
