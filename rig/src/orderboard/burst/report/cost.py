"""What AWS would charge for requests: a small dated price list, without free tiers, storage and data transfer.

us-east-1, the first tier of each price. All queues and topics here are standard ones.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orderboard.burst.model import Cost, Requests

AS_OF: Final = "2026-06"
SOURCE: Final = (
    "https://aws.amazon.com/sns/pricing/, https://aws.amazon.com/sqs/pricing/, "
    "https://aws.amazon.com/eventbridge/pricing/ (custom events), https://aws.amazon.com/dynamodb/pricing/on-demand/ "
    "(as cut in November 2024), https://aws.amazon.com/lambda/pricing/ (requests; a GB-second of the notifier comes to "
    "$0.0000166667 on top); us-east-1"
)
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class _Price:
    usd_per_million: float
    per: Literal["request", "entry"]
    units: int = 1

    def __str__(self) -> str:
        times = f"{self.units} x " if self.units > 1 else ""
        usd = f"{self.usd_per_million:.3f}".removesuffix("0")
        return f"{times}${usd} a million {'requests' if self.per == 'request' else 'entries'}"


# Ten messages here are far below 64 KB, the size up to which a request, or an event, counts once.
_SNS: Final = _Price(0.50, "request")
_SQS: Final = _Price(0.40, "request")
_EVENT: Final = _Price(1.00, "entry")  # a batch saves calls, but every event is charged
_WRITE_USD: Final = 0.625
_READ_USD: Final = 0.125
# A row below 1 KB is one write unit in the table, and another one in the customer index.
_ROW: Final = _Price(_WRITE_USD, "entry", units=2)
_PRICES: Final[Mapping[tuple[str, str], _Price]] = {
    ("sns", "Publish"): _SNS,
    ("sns", "Publish (notifier)"): _SNS,
    ("sns", "PublishBatch"): _SNS,
    ("lambda", "Invoke (notifier)"): _Price(0.20, "request"),
    ("sqs", "SendMessage"): _SQS,
    ("sqs", "SendMessageBatch"): _SQS,
    ("sqs", "ReceiveMessage"): _SQS,
    ("sqs", "DeleteMessage"): _SQS,
    ("sqs", "DeleteMessageBatch"): _SQS,
    ("sqs", "ChangeMessageVisibility"): _SQS,
    ("sqs", "ChangeMessageVisibilityBatch"): _SQS,
    ("sqs", "GetQueueUrl"): _SQS,
    ("sqs", "GetQueueAttributes"): _SQS,
    ("eventbridge", "PutEvents"): _EVENT,
    ("dynamodb", "PutItem"): _ROW,
    ("dynamodb", "UpdateItem"): _ROW,
    ("dynamodb", "BatchExecuteStatement"): _ROW,
    ("dynamodb", "GetItem"): _Price(_READ_USD, "request"),
    ("dynamodb", "BatchGetItem"): _Price(_READ_USD, "entry"),
    ("dynamodb", "Query"): _Price(_READ_USD, "request"),
}


@dataclass(frozen=True)
class Counted:
    """So many requests of an operation, with so many entries."""

    service: str
    operation: str
    requests: int
    entries: int


def notifier_at_most(alerts: int) -> list[Counted]:
    """What the notifier asks for, which nobody counts: an invocation and a Publish an alert, fewer if it batches."""
    return [
        Counted("lambda", "Invoke (notifier)", alerts, alerts),
        Counted("sns", "Publish (notifier)", alerts, alerts),
    ]


def priced(counted: Iterable[Counted], *, orders: int) -> Cost:
    """What these requests cost, and what a thousand orders do: nothing (0) where none landed."""
    rows = tuple(
        Requests(
            service=each.service,
            operation=each.operation,
            requests=each.requests,
            entries=each.entries,
            usd=usd(each),
            price=None if (price := _PRICES.get((each.service, each.operation))) is None else str(price),
        )
        for each in sorted(counted, key=lambda each: (each.service, each.operation))
        if each.requests
    )
    thousands = orders / 1000 if orders else math.inf
    return Cost(
        requests=rows,
        requests_per_1000_orders=round(sum(row.requests for row in rows) / thousands, 1),
        usd_per_1000_orders=round(sum(row.usd or 0.0 for row in rows) / thousands, 6),
        prices_as_of=AS_OF,
        prices_source=SOURCE,
    )


def usd(counted: Counted) -> float | None:
    """What AWS would charge; None for an operation that the list does not know."""
    if (price := _PRICES.get((counted.service, counted.operation))) is None:
        return None
    charged = counted.requests if price.per == "request" else counted.entries
    return round(charged * price.units * price.usd_per_million / _MILLION, 9)
