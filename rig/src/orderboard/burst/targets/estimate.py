"""The cost of a burst on AWS, estimated before it: an upper limit, from the number of orders and the time."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from orderboard.burst.load.stream import Stream
from orderboard.burst.model import Cost
from orderboard.burst.report.cost import AS_OF, RequestCounts, cost
from orderboard.errors import UsageError

# Requests and entries for one order that is alone in every batch, and has an alert.
_OF_ORDER: Final[RequestCounts] = {
    ("sns", "PublishBatch"): (1, 1),
    ("sns", "Publish (notifier)"): (1, 1),
    ("eventbridge", "PutEvents"): (3, 3),
    ("sqs", "ReceiveMessage"): (4, 4),  # order, alert, and the two listeners of the burst
    ("sqs", "DeleteMessageBatch"): (4, 4),
    ("sqs", "deliveries of EventBridge"): (2, 2),
    ("dynamodb", "BatchExecuteStatement"): (2, 2),
    ("dynamodb", "BatchGetItem"): (3, 3),
    ("lambda", "Invoke (notifier)"): (1, 1),
}
# The burst's own looks at queues, and its receives.
_SQS_A_SECOND: Final = 30
_DRAIN_S: Final = 120.0


def estimate(orders: int, load_s: float | None, prices: Mapping[str, float] | None = None) -> Cost:
    """Return the cost of so many orders, with that of the burst's own looks at queues unless load_s is None."""
    counts = {key: (requests * orders, entries * orders) for key, (requests, entries) in _OF_ORDER.items()}
    if load_s is not None:
        looks = math.ceil(_SQS_A_SECOND * (load_s + _DRAIN_S))
        counts["sqs", "GetQueueAttributes (burst)"] = (looks, looks)
    return cost(counts, orders=orders, prices=prices).model_copy(update={"estimated": True})


def planned_orders(streams: Sequence[Stream]) -> int | None:
    """Return the number of orders to send; None if it is not known before."""
    planned = [stream.planned for stream in streams]
    return None if None in planned else sum(number or 0 for number in planned)


def check_cap(found: Cost | None, max_usd: float, *, repeat: int) -> None:
    """Raise UsageError if the plan costs more than the cap, or if its cost is not known."""
    if found is None:
        raise UsageError(
            f"--max-cost {max_usd:g}: clients send as many orders as are answered, so the cost is not known before. "
            "Use rates, or --clients with --orders."
        )
    usd = total_usd(found) * repeat
    if usd > max_usd:
        raise UsageError(
            f"--max-cost {max_usd:g}: this may cost {usd:,.4f} USD on AWS ({AS_OF} prices), which is more. Nothing was "
            "sent. Send fewer orders, or raise --max-cost."
        )


def total_usd(found: Cost) -> float:
    """Return the price of all requests."""
    return sum(each.usd or 0.0 for each in found.requests)


def in_words(found: Cost | None, orders: int | None, repeat: int) -> str:
    """Return the estimate as a sentence."""
    if found is None or orders is None:
        return "The number of orders, and with it the cost, is not known before."
    times = f" x {repeat}" if repeat > 1 else ""
    requests = sum(each.requests for each in found.requests)
    return (
        f"Estimated cost on AWS: at most {total_usd(found) * repeat:,.4f} USD for {orders:,}{times} orders with "
        f"{requests:,} requests, at the prices of {found.prices_as_of} without free tiers, storage and transfer "
        f"({found.prices_source})."
    )
