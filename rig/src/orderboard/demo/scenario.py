"""The demo's scenario: a morning rush of two hundred orders of every kind, shuffled by the seed."""

import random
from collections.abc import Iterator
from typing import Final

from orderboard.burst.load.mix import PlannedOrder
from orderboard.orders.kinds import CANCELLABLE_FAULT, KINDS, KindName, order_body

COUNTS: Final[dict[KindName, int]] = {
    "normal": 118,
    "express": 36,
    "large": 10,
    "sold_out": 8,
    "flaky": 6,
    "duplicate": 6,
    "cancel": 7,
    "cancel_late": 6,
    "poison": 1,
    "invalid": 1,
    "empty": 1,
}


class MorningRush:
    """The orders of the demo, by the labels of their kinds. Only a poisoned one may become a dead letter."""

    def orders(self, *, seed: int, run: str, count: int) -> Iterator[PlannedOrder]:
        """Generate all of them; the seed determines everything but the keys."""
        rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
        names = [name for name, number in COUNTS.items() for _ in range(number)]
        rng.shuffle(names)
        for number, name in enumerate(names[:count], start=1):
            kind, body = KINDS[name], order_body(name, rng)
            if name == "cancel":
                body["fault"] = CANCELLABLE_FAULT
            yield PlannedOrder(kind.label, f"rush-{run}-{number}", body, kind.may_end, kind.sends, kind.cancellation)
