"""Latencies: of all orders, of groups of them, and by step."""

from typing import Literal

from pydantic import Field

from orderboard.burst.model.base import Value


class CurvePoint(Value):
    """One point of a percentile curve."""

    percentile: float
    ms: float


class Interval(Value):
    """The interval of a percentile at 95 % confidence, from the ranks of the values around it (order statistics).

    It takes the values as independent. Those of a queue are not, so it is a lower limit of the uncertainty.
    """

    percentile: float
    low_ms: float
    high_ms: float


class Latency(Value):
    """Exact percentiles, from every value and not from buckets. The curve is dense towards 100."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    curve: tuple[CurvePoint, ...]
    intervals: tuple[Interval, ...] = Field(
        default=(), description="Of the percentiles that have enough values on both sides."
    )


class Percentiles(Value):
    """A few exact percentiles."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class GroupLatency(Value):
    """The latencies of a stream, or of a kind of order."""

    by: Literal["stream", "kind"]
    name: str
    orders: int = Field(description="Those with an answer, or without one for good.")
    accept: Percentiles | None = Field(description="From the intended send time to the answer 202.")
    end_to_end: Percentiles | None = Field(description="From the intended send time to the outcome event.")


class StepLatency(Percentiles):
    """One step of an order's way. The percentiles are of this step alone: those of the steps do not add up."""

    name: str
    text: str = Field(description="Its end; it begins at the end of the step before.")


class Split(Value):
    """The steps of the orders around a percentile of end to end, each a mean: they add up to end_to_end_ms."""

    percentile: float | None = Field(description="None: all orders that were measured.")
    from_percentile: float
    to_percentile: float
    orders: int
    end_to_end_ms: float = Field(description="The mean of these orders.")
    steps_ms: tuple[float, ...] = Field(description="In the order of the steps.")


class Steps(Value):
    """The time of orders by step, from the intended send time to the outcome event."""

    source: Literal["journal", "rows"] = Field(
        description="journal: the times at which localbus moved each message. rows: the services' own times."
    )
    text: str = Field(description="The source and its limits, in a sentence.")
    sampled: int = Field(description="Finished orders that were looked at.")
    measured: int = Field(description="Of them: orders whose every step is known.")
    steps: tuple[StepLatency, ...]
    splits: tuple[Split, ...]
    alert: StepLatency | None = Field(
        default=None, description="From an event to its alert in the inbox; not a part of end to end."
    )
