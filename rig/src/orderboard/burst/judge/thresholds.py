"""Thresholds, checked against a burst at its end or in the middle of it. Pure; `threshold_text` parses them."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orderboard.burst.judge.metrics import is_of_step, metric, step_of
from orderboard.burst.judge.phases import phase_of
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.percentiles import percentile, to_ms
from orderboard.burst.model import Expectation, FaultWindow, Summary

LATENCY: Final = re.compile(r"(accept|end_to_end)_(?:(mean|max)|p([0-9]{1,6}(?:\.[0-9]{1,4})?))(_ms)?")
OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ANSWERS: Final = ("attempted", "acknowledged", "refused", "unavailable", "unreached", "finished")
DURATIONS: Final = ("load", "drain", "settled")
GENERATOR: Final = ("generator_late", "generator_not_sent")


@dataclass(frozen=True)
class Seen:
    """Everything that a threshold may look at. In the middle of a burst the summary is missing."""

    orders: Callable[[], Iterable[OrderRecord]] = tuple
    windows: Sequence[FaultWindow] = ()
    summary: Summary | None = None


@dataclass(frozen=True)
class Threshold:
    """A limit on a metric of all orders, or of those with a kind, a stream or a phase. unit: ms, s, % or none."""

    metric: str
    comparison: str
    value: float
    unit: str = ""
    selectors: tuple[tuple[str, str], ...] = ()
    written: str = ""  # the value as it was written

    def __str__(self) -> str:
        where = ",".join(f"{key}={value}" for key, value in self.selectors)
        return f"{self.metric}{f'{{{where}}}' if where else ''}{self.comparison}{self.written}"

    @property
    def in_progress(self) -> bool:
        """True if it can be checked before the end: it is about latencies or answers."""
        return LATENCY.fullmatch(self.metric) is not None or self.metric in ANSWERS

    def of_stream(self, name: str) -> "Threshold":
        """Return it for the orders of a stream; raise ValueError if it cannot be."""
        if not self.in_progress:
            raise ValueError(f"{self.metric} is of the whole burst, not of a stream")
        if any(key == "stream" for key, _ in self.selectors):
            raise ValueError("the stream is this one already")
        return replace(self, selectors=(*self.selectors, ("stream", name)))

    def check(self, seen: Seen) -> Expectation:
        """Compare it with the burst. Without any order to look at, it is not met."""
        measured, of = self._measure(seen)
        met = of > 0 and OPERATORS[self.comparison](measured, self.value)
        return Expectation(text=str(self), measured=measured, met=met, unit=self.unit, orders=of)

    def _measure(self, seen: Seen) -> tuple[float, int]:
        """Return the measurement, and the number of orders that it is of."""
        if (latency := LATENCY.fullmatch(self.metric)) is not None:
            return _latency(latency, self._selected(seen))
        if self.selectors or self.metric == "finished" or seen.summary is None:
            return self._counted(self._selected(seen))
        summary = seen.summary
        if is_of_step(self.metric):
            step = step_of(summary, self.metric)
            return metric(summary, self.metric), 0 if step is None else step.count
        name = f"{self.metric}_s" if self.metric in DURATIONS else self.metric
        of = summary.generator.orders if self.metric in GENERATOR else summary.verdict.attempted
        measured = metric(summary, name)
        return (_share(measured, of), of) if self.unit == "%" else (measured, max(of, 1))

    def _counted(self, orders: Iterable[OrderRecord]) -> tuple[float, int]:
        of = counted = 0
        for order in orders:
            of += 1
            counted += _is(order, self.metric)
        return (_share(counted, of) if self.unit == "%" else float(counted)), of

    def _selected(self, seen: Seen) -> Iterable[OrderRecord]:
        for order in seen.orders():
            of = {"kind": order.kind, "stream": order.stream}
            if all(
                (phase_of(order.intended_s, seen.windows) if key == "phase" else of[key]) == value
                for key, value in self.selectors
            ):
                yield order


def percent_of(name: str) -> float | None:
    """Return the percentile of a latency's name: p99 is 99, and p999 is 99.9, as is p99.9; but p100 is not p10."""
    match = LATENCY.fullmatch(name)
    if match is None or match[3] is None:
        return None
    digits = match[3]
    percent = float(digits if "." in digits or digits[0] != "9" else f"{digits[:2]}.{digits[2:] or 0}")
    if percent >= 100:
        raise ValueError(f"expected a percentile below 100 in {name}")
    return percent


def _latency(name: re.Match[str], orders: Iterable[OrderRecord]) -> tuple[float, int]:
    accept = name[1] == "accept"
    values = sorted(
        value for order in orders if (value := order.accept_ms if accept else order.end_to_end_ms) is not None
    )
    if not values:
        return math.inf, 0
    percent = percent_of(name[0])
    if percent is not None:
        return to_ms(percentile(values, percent)), len(values)
    return to_ms(values[-1] if name[2] == "max" else math.fsum(values) / len(values)), len(values)


def _is(order: OrderRecord, what: str) -> bool:
    match what:
        case "attempted":
            return True
        case "finished":
            return order.finished_s is not None
        case "unavailable":
            return order.answer in ("unavailable", "unreached")
        case answer:
            return order.answer == answer


def _share(count: float, of: int) -> float:
    return round(100 * count / of, 4) if of else 0.0
