"""The result of a fuzzer: faults, and what was answered."""

from collections import Counter
from typing import NamedTuple


class Found(NamedTuple):
    """A text for each fault, and the number of each kind of answer."""

    faults: list[str]
    answers: Counter[str]
