"""What a burst leaves behind: summary.json is a Summary, timeline.csv has one Moment a row. Values only.

files.py writes and reads them. Seconds count from the first intended send time unless a name says otherwise; latencies
are in milliseconds. A field is added, never renamed: reports and scripts read these files.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from orderboard.system.host import Host
from orderboard.system.process_stats import ProcessorShare


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Moment(_Value):
    """One second of the timeline, from at_s to at_s + 1. None where nothing was known or nothing happened.

    Queue counts are SQS's approximate ones, a sample of that second: for the picture only.
    """

    at_s: int
    phase: Literal["load", "drain"]
    intended: int = Field(description="Orders that were meant to be sent in this second.")
    sent: int = Field(description="Orders that were sent.")
    accepted: int = Field(description="Orders that were answered 202.")
    refused: int = Field(description="Orders that the API refused for good (4xx).")
    unavailable: int = Field(description="Orders that got 5xx, 429, or no answer.")
    finished: int = Field(description="Orders whose final outcome was heard on the bus.")
    accept_p50_ms: float | None = Field(default=None, description="Of orders answered 202 in this second.")
    accept_p99_ms: float | None = None
    end_to_end_p50_ms: float | None = Field(default=None, description="Of orders finished in this second.")
    end_to_end_p99_ms: float | None = None
    oldest_age_s: float | None = Field(
        default=None, description="Age of the oldest order that was accepted and not finished, from the rig's ledger."
    )
    unfinished: int = Field(description="Orders accepted and not finished, from the rig's ledger.")
    generator_lag_ms: float | None = Field(default=None, description="The latest send of this second, against its time")
    workers: int = Field(description="Workers that ran, frozen ones left out.")
    work_visible: int | None = None
    work_in_flight: int | None = None
    express_visible: int | None = None
    express_in_flight: int | None = None
    alerts_visible: int | None = None
    alerts_in_flight: int | None = None
    dead_letters: int | None = Field(default=None, description="Of all dead-letter queues.")
    witness_visible: int | None = Field(
        default=None, description="Outcomes that the rig itself has not yet read: `finished` lags by these."
    )


class CurvePoint(_Value):
    """One point of a percentile curve."""

    percentile: float
    ms: float


class Latency(_Value):
    """Of so many orders, exactly: from every single value, not from buckets. The curve is dense towards 100."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    curve: tuple[CurvePoint, ...]


class FaultMark(_Value):
    """What was done to the system, and when; for the time axis."""

    at_s: float
    text: str


class Generator(_Value):
    """How well the generator kept to the intended times. What is late here is no fault of the system's."""

    orders: int
    sent: int
    not_sent: int = Field(description="Never sent: the burst was interrupted, or the generator died.")
    late: int = Field(description="Sent later than late_after_ms after the intended time.")
    late_after_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    waited_for_connection: int = Field(description="Late because every connection was busy: the system held them.")
    connections: int
    intended_rate: float = Field(description="Orders a second over the load.")
    achieved_rate: float = Field(description="Sent a second until the last was sent.")


class Finding(_Value):
    """One thing that makes the verdict invalid, in a sentence."""

    verdict: Literal["lost", "duplicated", "unexpected"]
    type: str
    text: str


class Verdict(_Value):
    """Every order that was attempted, and where it ended; after Jepsen's total-queue.

    attempted = acknowledged + refused + unavailable, but for orders sent twice, whose better answer counts.
    acknowledged + recovered = completed + rejected + cancelled + dead_lettered + lost + unsettled.
    lost also counts outcomes never heard and alerts never announced. unexpected counts what nobody asked for: strangers
    in the table or a dead-letter queue, an ending that such an order must not have, an alert that was not due.
    """

    valid: bool = Field(description="lost, duplicated and unexpected are 0, and the drain came to its end.")
    drained: bool
    attempted: int
    acknowledged: int
    refused: int
    unavailable: int
    completed: int
    rejected: int
    cancelled: int
    dead_lettered: int
    lost: int
    duplicated: int
    recovered: int = Field(description="Not acknowledged, and landed all the same.")
    unsettled: int = Field(
        default=0, description="Not ended when the drain was given up, or the backend went: neither lost nor found."
    )
    unexpected: int
    alerts_due: int
    alerts_announced: int
    endings: Mapping[str, Mapping[str, int]] = Field(description="Kind of order -> ending -> how many.")
    findings: tuple[Finding, ...] = Field(description="The first hundred.")


class Requests(_Value):
    """Calls of one AWS operation by the services, and what AWS would charge for them."""

    service: str
    operation: str
    requests: int
    entries: int = Field(description="Messages, events or items in them; what some services charge by.")
    usd: float | None = Field(description="None where the price list does not know the operation.")
    price: str | None = Field(default=None, description="What was charged for what, in words.")


class Cost(_Value):
    """Requests to AWS during the burst, counted in order-api and the workers; the notifier's are an upper bound."""

    requests: tuple[Requests, ...]
    requests_per_1000_orders: float
    usd_per_1000_orders: float
    prices_as_of: str
    prices_source: str


class ProcessMemory(_Value):
    """What a process held at the end."""

    name: str
    megabytes: float


class Bound(_Value):
    """What limited the burst, and how much of what the backend can do it was."""

    by: Literal["load", "generator", "API", "worker", "backend", "machine", "unclear"]
    text: str = Field(description="Why, in a sentence.")
    finished_per_s: float = Field(description="While there was a backlog; over the whole burst if there was none.")
    ceiling_per_s: float | None = Field(description="Orders a second, as calibrated; None without a calibration.")
    share: float | None = Field(description="finished_per_s of ceiling_per_s.")
    doubt: str | None = Field(
        default=None, description="Why share says nothing, or is missing; None if it can be taken."
    )


class Expectation(_Value):
    """One --expect, and whether it was met."""

    text: str
    measured: float
    met: bool


class Settings(_Value):
    """How it was asked for."""

    command: str = Field(description="The command line that runs it again.")
    backend: str
    profile: str
    orders: int
    duration_s: float
    rate: float = Field(description="The mean, over the duration.")
    mix: str
    seed: int
    workers: int
    connections: int
    faults: tuple[str, ...]
    disorder: str | None = Field(default=None, description="What the queues were asked to do worse than they could.")


class Summary(_Value):
    """summary.json."""

    format: Literal["orderboard.burst.v1"] = "orderboard.burst.v1"
    started_at: AwareDatetime = Field(description="Second 0 of every at_s.")
    broken_off: str | None = Field(default=None, description="Why it did not come to its end, in a sentence.")
    settings: Settings
    verdict: Verdict
    load_s: float = Field(description="Until the last order was answered.")
    drain_s: float = Field(description="From the end of the load until everything had ended.")
    accepted_per_s: float = Field(description="Over the load.")
    finished_per_s: float = Field(description="From the first intended send until the last outcome was heard.")
    peak_backlog: int = Field(description="The most that work and express held at once, in flight included.")
    accept: Latency | None = Field(description="From the intended send time to the answer 202.")
    end_to_end: Latency | None = Field(description="From the intended send time to the outcome heard on the bus.")
    generator: Generator
    faults: tuple[FaultMark, ...]
    cost: Cost
    memory: tuple[ProcessMemory, ...]
    machine: Host
    expectations: tuple[Expectation, ...] = ()
    processors: tuple[ProcessorShare, ...] = ()
    bound: Bound | None = None
