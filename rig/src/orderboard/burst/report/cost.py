"""The price of requests on AWS: a small dated price list, without free tiers, storage and data transfer.

us-east-1, the first tier of each price. All queues and topics here are standard ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orderboard.burst.model import Cost, Requests
from orderboard.option_values import parse_number

RequestCounts = dict[tuple[str, str], tuple[int, int]]  # (service, operation) -> (requests, entries)

_MOST_USD: Final = 1_000_000
# The newest text found with most rates; which ones are older, or were not found, is in docs/deploy.md.
AS_OF: Final = "2026-06"
SOURCE: Final = (
    "https://aws.amazon.com/sns/pricing/, https://aws.amazon.com/sqs/pricing/, "
    "https://aws.amazon.com/eventbridge/pricing/ (custom events), https://aws.amazon.com/dynamodb/pricing/on-demand/ "
    "(as cut in November 2024), https://aws.amazon.com/lambda/pricing/ (requests; a GB-second of the notifier comes to "
    "$0.0000166667 on top); us-east-1"
)


# USD a million requests, entries or units. --price changes them. Beside each: the newest dated text found with it.
USD_PER_MILLION: Final[Mapping[str, float]] = {
    "sns": 0.50,  # 2026-06 factualminds.com
    "sqs": 0.40,  # 2026-06 factualminds.com
    "lambda": 0.20,  # 2026-03 wring.co
    "eventbridge": 1.00,  # 2026-06 factualminds.com
    "dynamodb-write": 0.625,  # 2025-07 airbyte.com; some texts still have twice these two, the price until October 2024
    "dynamodb-read": 0.125,
}


@dataclass(frozen=True)
class _Price:
    name: str
    per: Literal["request", "entry"]
    units: int = 1

    def words(self, prices: Mapping[str, float]) -> str:
        times = f"{self.units} x " if self.units > 1 else ""
        usd = f"{prices[self.name]:.3f}".removesuffix("0")
        return f"{times}${usd} a million {'requests' if self.per == 'request' else 'entries'}"


# A row below 1 KB is one write unit in the table, and another one in the customer index.
_ROW: Final = _Price("dynamodb-write", "entry", units=2)
# By service, where its requests cost the same, else by operation. Ten messages here are far below 64 KB, the size up to
# which a request, or an event, counts once.
_PRICES: Final[Mapping[str | tuple[str, str], _Price]] = {
    "sns": _Price("sns", "request"),
    "sqs": _Price("sqs", "request"),
    "lambda": _Price("lambda", "request"),
    ("eventbridge", "PutEvents"): _Price("eventbridge", "entry"),  # a batch saves calls, but every event is charged
    ("dynamodb", "PutItem"): _ROW,
    ("dynamodb", "UpdateItem"): _ROW,
    ("dynamodb", "BatchExecuteStatement"): _ROW,
    ("dynamodb", "GetItem"): _Price("dynamodb-read", "request"),
    ("dynamodb", "BatchGetItem"): _Price("dynamodb-read", "entry"),
    ("dynamodb", "Query"): _Price("dynamodb-read", "request"),
}


def notifier_at_most(alerts: int) -> RequestCounts:
    """Return the notifier's requests, which are not counted: at most an invocation and a Publish an alert."""
    return {("lambda", "Invoke (notifier)"): (alerts, alerts), ("sns", "Publish (notifier)"): (alerts, alerts)}


def parse_price(text: str) -> tuple[str, float]:
    """Parse `sqs=0.5`, in USD a million; raise ValueError with the reason."""
    return parse_usd(text, "service", {name: f"a million for {name}" for name in USD_PER_MILLION})


def parse_usd(text: str, what: str, units: Mapping[str, str]) -> tuple[str, float]:
    """Parse NAME=USD; raise ValueError with the reason. what: the names' kind. units: what is paid for, by name."""
    name, _, value = text.partition("=")
    if name not in units:
        raise ValueError(f"unknown {what} {name!r}; expected one of {', '.join(units)}")
    usd = parse_number(value)
    if not 0 <= usd <= _MOST_USD:
        raise ValueError(f"expected 0 to {_MOST_USD:,} USD {units[name]}")
    return name, usd


def cost(counts: RequestCounts, *, orders: int, prices: Mapping[str, float] | None = None) -> Cost:
    """Price these requests, in total and for a thousand orders (0 where none landed). prices: those that differ."""
    usd = {**USD_PER_MILLION, **(prices or {})}
    rows = tuple(_row(*key, *counts[key], usd) for key in sorted(counts) if counts[key][0])
    thousands = orders / 1000 if orders else math.inf
    return Cost(
        requests=rows,
        requests_per_1000_orders=round(sum(row.requests for row in rows) / thousands, 1),
        usd_per_1000_orders=round(sum(row.usd or 0.0 for row in rows) / thousands, 6),
        prices_as_of=AS_OF,
        prices_source=f"{SOURCE}{_given(prices)}",
    )


def _given(prices: Mapping[str, float] | None) -> str:
    return "".join(f"; {name} at ${usd:g} a million, as given" for name, usd in (prices or {}).items())


def _row(service: str, operation: str, requests: int, entries: int, prices: Mapping[str, float]) -> Requests:
    price = _PRICES.get((service, operation)) or _PRICES.get(service)
    usd = None
    if price is not None:
        charged = (requests if price.per == "request" else entries) * price.units
        usd = round(charged * prices[price.name] / 1_000_000, 9)
    return Requests(
        service=service,
        operation=operation,
        requests=requests,
        entries=entries,
        usd=usd,
        price=None if price is None else price.words(prices),
    )
