"""The price of requests on AWS: a small dated price list, without free tiers, storage and data transfer.

us-east-1, the first tier of each price. All queues and topics here are standard ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orderboard.burst.model import Cost, Requests

RequestCounts = dict[tuple[str, str], tuple[int, int]]  # (service, operation) -> (requests, entries)

AS_OF: Final = "2026-06"
SOURCE: Final = (
    "https://aws.amazon.com/sns/pricing/, https://aws.amazon.com/sqs/pricing/, "
    "https://aws.amazon.com/eventbridge/pricing/ (custom events), https://aws.amazon.com/dynamodb/pricing/on-demand/ "
    "(as cut in November 2024), https://aws.amazon.com/lambda/pricing/ (requests; a GB-second of the notifier comes to "
    "$0.0000166667 on top); us-east-1"
)


@dataclass(frozen=True)
class _Price:
    usd_per_million: float
    per: Literal["request", "entry"]
    units: int = 1

    def __str__(self) -> str:
        times = f"{self.units} x " if self.units > 1 else ""
        usd = f"{self.usd_per_million:.3f}".removesuffix("0")
        return f"{times}${usd} a million {'requests' if self.per == 'request' else 'entries'}"


_WRITE_USD, _READ_USD = 0.625, 0.125
# A row below 1 KB is one write unit in the table, and another one in the customer index.
_ROW: Final = _Price(_WRITE_USD, "entry", units=2)
# By service, where its requests cost the same, else by operation. Ten messages here are far below 64 KB, the size up to
# which a request, or an event, counts once.
_PRICES: Final[Mapping[str | tuple[str, str], _Price]] = {
    "sns": _Price(0.50, "request"),
    "sqs": _Price(0.40, "request"),
    "lambda": _Price(0.20, "request"),
    ("eventbridge", "PutEvents"): _Price(1.00, "entry"),  # a batch saves calls, but every event is charged
    ("dynamodb", "PutItem"): _ROW,
    ("dynamodb", "UpdateItem"): _ROW,
    ("dynamodb", "BatchExecuteStatement"): _ROW,
    ("dynamodb", "GetItem"): _Price(_READ_USD, "request"),
    ("dynamodb", "BatchGetItem"): _Price(_READ_USD, "entry"),
    ("dynamodb", "Query"): _Price(_READ_USD, "request"),
}


def notifier_at_most(alerts: int) -> RequestCounts:
    """Return the notifier's requests, which are not counted: at most an invocation and a Publish an alert."""
    return {("lambda", "Invoke (notifier)"): (alerts, alerts), ("sns", "Publish (notifier)"): (alerts, alerts)}


def cost(counts: RequestCounts, *, orders: int) -> Cost:
    """Price these requests, in total and for a thousand orders (0 where none landed)."""
    rows = tuple(_row(*key, *counts[key]) for key in sorted(counts) if counts[key][0])
    thousands = orders / 1000 if orders else math.inf
    return Cost(
        requests=rows,
        requests_per_1000_orders=round(sum(row.requests for row in rows) / thousands, 1),
        usd_per_1000_orders=round(sum(row.usd or 0.0 for row in rows) / thousands, 6),
        prices_as_of=AS_OF,
        prices_source=SOURCE,
    )


def _row(service: str, operation: str, requests: int, entries: int) -> Requests:
    price = _PRICES.get((service, operation)) or _PRICES.get(service)
    usd = None
    if price is not None:
        charged = (requests if price.per == "request" else entries) * price.units
        usd = round(charged * price.usd_per_million / 1_000_000, 9)
    return Requests(
        service=service,
        operation=operation,
        requests=requests,
        entries=entries,
        usd=usd,
        price=None if price is None else str(price),
    )
