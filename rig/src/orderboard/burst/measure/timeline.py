"""The timeline: one row a second, from the recorder's events and a sample of the queues."""

from dataclasses import dataclass
from typing import Final

from orderboard.burst.measure.percentiles import percentile
from orderboard.burst.measure.recorder import Recorder, Second
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.model import TimelineRow

_COUNTS: Final = ("intended", "sent", "accepted", "refused", "unavailable", "finished")


@dataclass(frozen=True)
class _Observation:
    sample: Sample
    workers: int
    oldest_age_s: float | None
    unfinished: int


class Timeline:
    """Collects one observation a second and builds the rows at the end."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._observations: dict[int, _Observation] = {}
        self.peak_backlog = 0

    def observe(self, now_s: float, sample: Sample, workers: int) -> None:
        """Record the current state. The last observation of a second counts."""
        recorder = self._recorder
        self.peak_backlog = max(self.peak_backlog, sample.backlog)
        self._observations[int(now_s)] = _Observation(
            sample, workers, recorder.oldest_age_s(now_s), recorder.unfinished
        )

    def rows(self, first: int = 0, last: int | None = None) -> tuple[TimelineRow, ...]:
        """Return a row for every second, by default from the start to the last event or observation.

        The rest of a load that was stopped has none.
        """
        recorder = self._recorder
        if last is None:
            happened = (number for number, second in recorder.seconds.items() if _events(second))
            last = max((*self._observations, *happened), default=-1)
        seen = self._observations.get(first - 1)
        rows = []
        for at_s in range(first, last + 1):
            seen = self._observations.get(at_s, seen)
            second = recorder.seconds.get(at_s, Second())
            loading = at_s <= recorder.last_answer_s
            clients = recorder.clients_at(at_s + 0.5) if loading else None
            rows.append(_row(at_s, second, seen, clients, loading=loading))
        return tuple(rows)


def _events(second: Second) -> bool:
    return bool(second.sent or second.accepted or second.refused or second.unavailable or second.finished)


def _row(at_s: int, second: Second, seen: _Observation | None, clients: int | None, *, loading: bool) -> TimelineRow:
    values: dict[str, float | None] = {name: getattr(second, name) for name in _COUNTS} | {"clients": clients}
    for prefix, latencies in (("accept", second.accept_ms), ("end_to_end", second.end_to_end_ms)):
        ordered = sorted(latencies)
        for percent in (50, 99):
            found = round(percentile(ordered, percent), 3) if ordered else None
            values[f"{prefix}_p{percent}_ms"] = found
    if seen is not None:
        for name in ("work", "express", "alerts", "listener"):
            if (depth := seen.sample.depths.get(name)) is not None:
                values[f"{name}_visible"] = depth.visible + depth.delayed
                values[f"{name}_in_flight"] = depth.in_flight
        values.pop("listener_in_flight", None)
        values["oldest_age_s"] = None if seen.oldest_age_s is None else round(seen.oldest_age_s, 3)
        values["dead_letters"] = seen.sample.dead_letters if seen.sample.depths else None
    return TimelineRow.model_validate(
        {
            "at_s": at_s,
            "phase": "load" if loading else "drain",
            "unfinished": 0 if seen is None else seen.unfinished,
            "workers": 0 if seen is None else seen.workers,
            "generator_lag_ms": None if second.lag_ms is None else round(second.lag_ms, 3),
            **values,
        }
    )
