"""Conditions on a comparison: `--fail-if 'accept_p99>1.1x'`. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from orderboard.burst.judge.metrics import METRICS, is_of_group, is_of_step
from orderboard.burst.judge.threshold_text import parse_selectors
from orderboard.burst.judge.thresholds import OPERATORS
from orderboard.burst.runs.comparison import Figure
from orderboard.option_values import parse_number

_TEXT: Final = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*(?:\{([^{}]*)\})?\s*(<=|>=|<|>)\s*(\S+)x\s*")


@dataclass(frozen=True)
class Condition:
    """A limit on a ratio."""

    metric: str
    comparison: str
    factor: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.factor:g}x"

    def holds(self, figure: Figure, *, certain: bool) -> bool:
        """Return whether the ratio is past the limit. certain: all of its interval has to be; without one, none is."""
        past = OPERATORS[self.comparison]
        if not certain:
            return past(figure.ratio, self.factor)
        ends = (figure.low, figure.high)
        return all(end is not None and past(end, self.factor) for end in ends)

    def is_close(self, figure: Figure) -> bool:
        """Return whether the interval has values on both sides of the limit, so that another run may turn it."""
        return figure.low is not None and figure.high is not None and figure.low <= self.factor <= figure.high


def parse_condition(text: str) -> Condition:
    """Parse `accept_p99>1.1x` or `accept_p99{kind=express}>1.1x`; raise ValueError with the reason."""
    if (match := _TEXT.fullmatch(text)) is None:
        raise ValueError("expected a metric, <, <=, > or >=, and a factor, such as 'accept_p99>1.1x'")
    name, within, comparison, factor = match.groups()
    found = _metric(name)
    if found is None:
        raise ValueError(f"unknown metric {name!r}; expected one of {', '.join(METRICS)}, or such as step_waiting_p99")
    if within is not None:
        found = _of_group(found, within)
    try:
        return Condition(found, comparison, parse_number(factor))
    except ValueError:
        raise ValueError(f"expected a factor after {comparison}, such as 1.1x") from None


def _metric(name: str) -> str | None:
    """Return the full name of a metric that may be written as in --expect, such as accept_p99.9 or drain."""
    if is_of_step(name):
        return f"{name.removesuffix('_ms')}_ms"
    plain = name.replace(".", "")
    return next((each for each in (plain, f"{plain}_ms", f"{plain}_s") if each in METRICS), None)


def _of_group(name: str, within: str) -> str:
    """Return the full name of a metric of one kind of order, or of one stream."""
    selectors = parse_selectors(within)
    found = name + "".join(f"{{{key}={value}}}" for key, value in selectors)
    if not is_of_group(found):
        raise ValueError(
            "expected accept or end_to_end with mean, p50, p90, p99 or max, and one kind=NAME or stream=NAME, such as "
            "'accept_p99{kind=express}>1.1x': a run keeps no other figures of a part of its orders"
        )
    return found
