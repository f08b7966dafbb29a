"""Thresholds as they are written: `accept_p99<50ms`, `refused<1%`, `accept_p99{kind=express,phase=after}<200ms`."""

import re
from contextlib import suppress
from typing import Final

from orderboard.burst.judge.metrics import COUNTS, METRICS, is_of_step
from orderboard.burst.judge.phases import PHASES
from orderboard.burst.judge.thresholds import ANSWERS, DURATIONS, GENERATOR, LATENCY, Threshold, percent_of
from orderboard.burst.load.mix import MIX_KINDS
from orderboard.option_values import parse_duration, parse_number

_TEXT: Final = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*(?:\{([^{}]*)\})?\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_SELECTORS: Final = ("kind", "stream", "phase")
_KINDS: Final = ("normal", *MIX_KINDS, "own")


def parse_threshold(text: str) -> Threshold:
    """Parse it; raise ValueError with the reason."""
    if (match := _TEXT.fullmatch(text)) is None:
        raise ValueError(
            "expected a metric, a comparison and a number, such as 'accept_p99<50ms', 'refused<1%' or "
            "'accept_p99{kind=express,phase=after}<200ms'"
        )
    name, within, comparison, value = match.groups()
    selectors = parse_selectors(within) if within is not None else ()
    if name not in (*METRICS, *ANSWERS, *DURATIONS) and LATENCY.fullmatch(name) is None and not is_of_step(name):
        latencies = ("accept_p99", "end_to_end_p99.9", "accept_mean", "accept_max", "step_waiting_p99")
        known = (*latencies, *DURATIONS, "finished", *METRICS)
        raise ValueError(f"unknown metric {name!r}; expected one of {', '.join(known)}")
    number, unit = _value(name, comparison, value)
    found = Threshold(name, comparison, number, unit, selectors, value)
    if selectors and not found.in_progress:
        raise ValueError(f"{name} is of the whole burst: leave out {{{within}}}")
    percent_of(name)
    return found


def parse_for_stream(text: str, *, name: str) -> Threshold:
    """Parse a threshold of a stream; raise ValueError with the reason. A single stream may have no name."""
    found = parse_threshold(text)
    return found.of_stream(name) if name else found


def _is_plain(name: str) -> bool:
    """Return True for a name that has its unit in it."""
    return name.endswith(("_ms", "_s", "_mb"))


def _value(name: str, comparison: str, text: str) -> tuple[float, str]:
    """Return a number and its unit: milliseconds of a latency, seconds, percent, or none."""
    latency = LATENCY.fullmatch(name) is not None or name.endswith("_ms") or is_of_step(name)
    if latency or name in DURATIONS or name.endswith("_s"):
        unit = "ms" if latency else "s"
        if _is_plain(name):
            with suppress(ValueError):  # 50ms is as good
                return parse_number(text), unit
        if not re.search("[a-z]", text) and not _is_plain(name):
            raise ValueError(f"expected a unit after {comparison}, such as {name}{comparison}50ms")
        try:
            return parse_duration(text) * (1000 if latency else 1), unit
        except ValueError:
            raise ValueError(f"expected a number after {comparison}, or a duration such as 50ms or 2s") from None
    shares = name in (*COUNTS, *ANSWERS, *GENERATOR)
    try:
        number, unit = (parse_number(text[:-1]), "%") if text.endswith("%") and shares else (parse_number(text), "")
    except ValueError:
        raise ValueError(f"expected a number{' or a share such as 1%' if shares else ''} after {comparison}") from None
    if unit and not 0 <= number <= 100:
        raise ValueError(f"expected a share from 0% to 100% after {comparison}, not {text}")
    return number, unit


def parse_selectors(text: str) -> tuple[tuple[str, str], ...]:
    """Parse `kind=express,phase=after`; raise ValueError with the reason."""
    found: dict[str, str] = {}
    for part in (each.strip() for each in text.split(",")):
        key, _, value = (each.strip() for each in part.partition("="))
        if key not in _SELECTORS or not value:
            raise ValueError(f"expected kind=NAME, stream=NAME or phase=NAME within the braces, not {part!r}")
        allowed = {"kind": _KINDS, "phase": PHASES}.get(key, (value,))
        if value not in allowed:
            raise ValueError(f"unknown {key} {value!r}; expected one of {', '.join(allowed)}")
        if key in found:
            raise ValueError(f"{key} is given twice")
        found[key] = value
    return tuple(found.items())
