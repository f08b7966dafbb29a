"""What the whole system holds in memory, process by process: idle, after 10,000 orders, and 20,000 later."""

from typing import Final

from figures import Figure
from ground import Ground
from orderboard.burst.options import DEFAULT_MIX
from orderboard.burst.mix import parse_mix
from orderboard.memory import Memory, measure

_FIRST: Final = 10_000
_MORE: Final = 20_000
_RATE: Final = 150.0
_FLAT: Final = 1.05
_GOAL_MB: Final = 300


def memory_part(ground: Ground) -> list[Figure]:
    """Megabytes of all processes but this one. A page that several share counts once where the system can tell (PSS)."""
