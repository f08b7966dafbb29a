"""One row a second: what the book says of that second, and what the queues looked like in it."""

from dataclasses import dataclass

from orderboard.burst.measure.recorder import Book, Second, percentile
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.model import Moment
from orderboard.orders.queues import Depth


@dataclass(frozen=True)
class _Seen:
    sample: Sample
    workers: int
    oldest_age_s: float | None
    unfinished: int


class Timeline:
    """Collects one look a second, and puts the rows together at the end."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._seen: dict[int, _Seen] = {}
        self.peak_backlog = 0

    def sample(self, now_s: float, sample: Sample, workers: int) -> None:
        """Note how things are. The last look of a second is the one that stays."""
        self.peak_backlog = max(self.peak_backlog, sample.backlog)
        self._seen[int(now_s)] = _Seen(sample, workers, self._book.oldest_age_s(now_s), self._book.unfinished)

    def moments(self) -> tuple[Moment, ...]:
        """Every second from the start to the last in which something happened or was seen."""
        book = self._book
        last = max((*self._seen, *book.seconds), default=-1)
        seen = None
        rows = []
        for at_s in range(last + 1):
            seen = self._seen.get(at_s, seen)
            rows.append(_moment(at_s, book.seconds.get(at_s, Second()), seen, loading=at_s <= book.last_answer_s))
        return tuple(rows)


def _moment(at_s: int, second: Second, seen: _Seen | None, *, loading: bool) -> Moment:
    accept, end_to_end = sorted(second.accept_ms), sorted(second.end_to_end_ms)
    depths = {} if seen is None else seen.sample.depths
    work, express, alerts, witness = (depths.get(name) for name in ("work", "express", "alerts", "witness"))
    return Moment(
        at_s=at_s,
        phase="load" if loading else "drain",
        intended=second.intended,
        sent=second.sent,
        accepted=second.accepted,
        refused=second.refused,
        unavailable=second.unavailable,
        finished=second.finished,
        accept_p50_ms=_percentile(accept, 50),
        accept_p99_ms=_percentile(accept, 99),
        end_to_end_p50_ms=_percentile(end_to_end, 50),
        end_to_end_p99_ms=_percentile(end_to_end, 99),
        oldest_age_s=None if seen is None or seen.oldest_age_s is None else round(seen.oldest_age_s, 3),
        unfinished=0 if seen is None else seen.unfinished,
        generator_lag_ms=None if second.lag_ms is None else round(second.lag_ms, 3),
        workers=0 if seen is None else seen.workers,
        work_visible=_visible(work),
        work_in_flight=_in_flight(work),
        express_visible=_visible(express),
        express_in_flight=_in_flight(express),
        alerts_visible=_visible(alerts),
        alerts_in_flight=_in_flight(alerts),
        dead_letters=None if not depths or seen is None else seen.sample.dead_letters,
        witness_visible=_visible(witness),
    )


def _percentile(ordered: list[float], percent: float) -> float | None:
    return round(percentile(ordered, percent), 3) if ordered else None


def _visible(depth: Depth | None) -> int | None:
    return None if depth is None else depth.visible + depth.delayed


def _in_flight(depth: Depth | None) -> int | None:
    return None if depth is None else depth.in_flight
