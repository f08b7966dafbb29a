"""One order of a burst as the generator knows it."""

from dataclasses import dataclass

from orderboard.burst.load.generator import Answer
from orderboard.orders.kinds import Ending


@dataclass(frozen=True, slots=True)
class Attempt:
    """order_ids has one id for each 202. example: its JSON, of the first that was refused for a reason."""

    kind: str
    idempotency_key: str
    answer: Answer
    may_end: frozenset[Ending]
    order_ids: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    total_cents: int = 0
    express: bool = False
    cancellation: Answer | None = None
    may_be_refused: bool = False
    line: int = 0
    example: str = ""
