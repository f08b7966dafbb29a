"""A time series in one line of characters."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"
ASCII_BARS: Final = "_.-=+*%#"
_NO_DATA: Final = " "


def sparkline(values: Sequence[float | None], highest: float, width: int, bars: str = BARS) -> str:
    """Return a line of at most this width: each place the greatest of its values, on the scale from 0 to `highest`."""
    places = min(width, len(values))
    cuts = [len(values) * place // places for place in range(places + 1)]
    return "".join(
        _bar([value for value in values[first:last] if value is not None], highest, bars)
        for first, last in pairwise(cuts)
    )


def _bar(values: Sequence[float], highest: float, bars: str) -> str:
    if not values:
        return _NO_DATA
    value = max(values)
    if value <= 0 or highest <= 0:
        return bars[0]
    return bars[max(1, min(len(bars) - 1, round(value / highest * (len(bars) - 1))))]
