"""Numbers in options and trace files. Python itself takes more: NaN, infinity, underscores, digits of every script."""

import math
import re
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


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
