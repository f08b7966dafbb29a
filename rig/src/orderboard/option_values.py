"""Values of options and arguments: numbers, durations. Python itself takes more: NaN, underscores, any script."""

import math
import re
from collections.abc import Callable
from typing import Final, TypeVar

from orderboard.errors import UsageError

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
Parsed = TypeVar("Parsed")


def parsed(option: str, parse_text: Callable[[str], Parsed], text: str) -> Parsed:
    """Return the parsed text; raise UsageError with the option and the reason if it is not valid."""
    try:
        return parse_text(text)
    except ValueError as exc:
        raise UsageError(f"{option} {text}: {exc}.") from exc


def parse_number(text: str) -> float:
    """Parse a finite decimal number; raise ValueError for anything else."""
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number, not {text[:40]}")
    return number


def parse_whole_number(text: str) -> int:
    """Parse a whole number of at most nine digits; raise ValueError for anything else."""
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError(f"expected a whole number, not {text[:40]}")
    return int(text)


def parse_duration(text: str) -> float:
    """Parse `10s`, `500ms`, `2m`, `1h` or `14d`, in seconds; raise ValueError for anything else."""
    if (match := _DURATION.fullmatch(text.strip())) is None:
        raise ValueError("expected a duration with a unit, such as 10s, 500ms or 2m")
    if len(match[1]) > 12:
        raise ValueError("expected a duration of at most twelve digits")
    return float(match[1]) * _UNIT_S[match[2]]
