"""The generators of a burst: their delays, of all together and of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from orderboard.burst.load.generator import Reply
from orderboard.burst.load.stream import Part
from orderboard.burst.measure.orders import Orders, lag_ms
from orderboard.burst.measure.percentiles import percentile, rate, to_ms
from orderboard.burst.model import GeneratorStats, OneGenerator

LATE_AFTER_MS: Final = 50.0


@dataclass(frozen=True)
class GeneratorRun:
    """One generator, as it reported. sent: the orders of each stream.

    cores: its processor time, over the load. ended: why it ended before it was done; ended_s: until when it may have
    sent orders that it could not report.
    """

    sent: tuple[int, ...]
    machine: str = ""
    cores: float | None = None
    clock_error_s: float | None = None
    ended: str = ""
    ended_s: float | None = None

    @property
    def total(self) -> int:
        """The orders of all streams."""
        return sum(self.sent)


def generator_stats(
    orders: Orders, generators: Sequence[GeneratorRun], *, connections: int, duration_s: float, stopped: bool = False
) -> GeneratorStats:
    """Summarize how well the generators kept to the intended times. stopped: before the end of the load."""
    replies = [*orders.replies()]
    sent = sum(each.total for each in generators)
    least_s = 0.0 if stopped else duration_s  # the load lasted so long, or until the last was sent
    pace = _pace(orders, replies, sent, orders.planned, least_s)
    return GeneratorStats(
        **pace,
        not_sent=pace["orders"] - sent,
        late_after_ms=LATE_AFTER_MS,
        connections=connections,
        intended_rate=rate(pace["orders"], duration_s) if orders.any_open else pace["achieved_rate"],
        each=tuple(
            _one_generator(orders, replies, Part(number, len(generators)), each, least_s)
            for number, each in enumerate(generators)
        ),
    )


def _one_generator(
    orders: Orders, replies: Sequence[Reply], part: Part, run: GeneratorRun, least_s: float
) -> OneGenerator:
    own = replies if part.of == 1 else [reply for reply in replies if reply.number % part.of == part.index]
    return OneGenerator(
        number=part.index + 1,
        machine=run.machine,
        **_pace(orders, own, run.total, orders.planned_of(part), least_s),
        cores=run.cores,
        clock_error_ms=None if run.clock_error_s is None else to_ms(run.clock_error_s * 1000),
        ended=run.ended,
    )


def _pace(orders: Orders, replies: Sequence[Reply], sent: int, planned: int | None, least_s: float) -> dict[str, Any]:
    lags_ms = sorted(lag_ms(each) for each in replies if orders.is_open(each)) or [0.0]
    last_sent_s = max((reply.sent_s for reply in replies), default=0.0)
    due = sent if planned is None else planned
    return {
        "orders": due,
        "sent": sent,
        "late": sum(each > LATE_AFTER_MS for each in lags_ms),
        "lag_p50_ms": to_ms(percentile(lags_ms, 50)),
        "lag_p99_ms": to_ms(percentile(lags_ms, 99)),
        "lag_max_ms": to_ms(lags_ms[-1]),
        "waited_for_connection": sum(reply.waited and lag_ms(reply) > LATE_AFTER_MS for reply in replies),
        "achieved_rate": rate(sent, last_sent_s if sent < due else max(least_s, last_sent_s)),
    }
