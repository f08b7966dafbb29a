"""The results of a burst: summary.json is a Summary, timeline.csv has one TimelineRow a line. Values only.

Seconds count from the first intended send time unless a name says otherwise. A field is added, with a default, and
never renamed: reports, scripts and later versions read these files. runs/schema.py publishes the schema.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_serializer,
)

from orderboard.system.host import Host
from orderboard.system.process_stats import ProcessorShare

# JSON has no infinity: null in the file, and infinite again when it is read.
MaybeInfinite = Annotated[
    float,
    BeforeValidator(lambda value: math.inf if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]

# null in the file where only the answers were judged; Python has 0 then, and looks at the verdict's `basis` first.
Proven = Annotated[
    int,
    BeforeValidator(lambda value: 0 if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
]
ProvenSeconds = Annotated[
    float,
    BeforeValidator(lambda value: 0.0 if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]

# The counts of a verdict that only the ledger gives.
OF_LEDGER: Final = (
    *("completed", "rejected", "cancelled", "dead_lettered", "lost", "duplicated", "recovered"),
    *("alerts_due", "alerts_announced"),
)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)


class TimelineRow(_Value):
    """One second of the timeline, from at_s to at_s + 1. None where nothing was known or nothing happened.

    Queue counts are SQS's approximate ones, a sample of that second: for the chart only.
    """

    at_s: int
    phase: Literal["load", "drain"]
    intended: int = Field(description="Orders to be sent in this second.")
    sent: int = Field(description="Orders that were sent.")
    accepted: int = Field(description="Orders that were answered 202.")
    refused: int = Field(description="Orders that the API refused for good (4xx).")
    unavailable: int = Field(description="Orders that got 5xx, 429, or no answer.")
    finished: int = Field(description="Orders whose final outcome event arrived.")
    accept_p50_ms: float | None = Field(default=None, description="Of orders answered 202 in this second.")
    accept_p99_ms: float | None = None
    end_to_end_p50_ms: float | None = Field(default=None, description="Of orders finished in this second.")
    end_to_end_p99_ms: float | None = None
    oldest_age_s: float | None = Field(
        default=None, description="Age of the oldest order that was accepted and not finished, by the rig's record."
    )
    unfinished: int = Field(description="Orders accepted and not finished, by the rig's record.")
    generator_lag_ms: float | None = Field(default=None, description="The largest delay of a send in this second.")
    workers: int = Field(description="Workers that ran; frozen ones do not count.")
    work_visible: int | None = None
    work_in_flight: int | None = None
    express_visible: int | None = None
    express_in_flight: int | None = None
    alerts_visible: int | None = None
    alerts_in_flight: int | None = None
    dead_letters: int | None = Field(default=None, description="In all dead-letter queues.")
    listener_visible: int | None = Field(
        default=None, description="Outcomes that the rig has not read yet: `finished` lags by these."
    )


class CurvePoint(_Value):
    """One point of a percentile curve."""

    percentile: float
    ms: float


class Interval(_Value):
    """The interval of a percentile at 95 % confidence, from the ranks of the values around it (order statistics).

    It takes the values as independent. Those of a queue are not, so it is a lower limit of the uncertainty.
    """

    percentile: float
    low_ms: float
    high_ms: float


class Latency(_Value):
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


class Percentiles(_Value):
    """A few exact percentiles."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class GroupLatency(_Value):
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


class Split(_Value):
    """The steps of the orders around a percentile of end to end, each a mean: they add up to end_to_end_ms."""

    percentile: float | None = Field(description="None: all orders that were measured.")
    from_percentile: float
    to_percentile: float
    orders: int
    end_to_end_ms: float = Field(description="The mean of these orders.")
    steps_ms: tuple[float, ...] = Field(description="In the order of the steps.")


class Steps(_Value):
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


class FaultMark(_Value):
    """An event on the time axis: something that was done to the system, or happened to it."""

    at_s: float
    text: str
    fault: str | None = Field(default=None, description="The kind of an injected fault; None for any other event.")


class FaultWindow(_Value):
    """The time of an injected fault."""

    fault: str
    from_s: float
    to_s: float


class OneGenerator(_Value):
    """One of the generators between which a load is split."""

    number: int
    machine: str = Field(default="", description="The machine that it joined from; empty for this one.")
    orders: int
    sent: int
    late: int = Field(description="Sent more than late_after_ms after the intended time.")
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    waited_for_connection: int
    achieved_rate: float
    cores: float | None = Field(default=None, description="Its processor seconds a second of the load.")
    clock_error_ms: float | None = Field(
        default=None, description="The most by which its clock may be off, for end to end; None for the same clock."
    )
    ended: str = Field(default="", description="The reason why it ended before it was done; empty without one.")


class GeneratorStats(_Value):
    """The generator's delays. What is late here is not the system's fault, unless it waited for a connection."""

    orders: int
    sent: int
    not_sent: int = Field(description="Never sent: the burst was broken off.")
    late: int = Field(description="Sent more than late_after_ms after the intended time.")
    late_after_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    waited_for_connection: int = Field(description="Late because the system kept every connection busy.")
    connections: int
    intended_rate: float = Field(description="Orders a second over the load.")
    achieved_rate: float = Field(
        description="Sent a second over the load, or until the last was sent if that is earlier or later."
    )
    each: tuple[OneGenerator, ...] = Field(default=(), description="By generator; the other figures are of all.")

    @property
    def split(self) -> Sequence["OneGenerator | GeneratorStats"]:
        """Each generator: the load is what it should be only if none of them was late."""
        return self.each or (self,)

    @property
    def ended(self) -> Sequence[OneGenerator]:
        """The generators that ended before they were done, so that the load is not the one that was asked for."""
        return [one for one in self.each if one.ended]


class Finding(_Value):
    """One reason why the verdict is not valid, in a sentence."""

    verdict: Literal["lost", "duplicated", "unexpected"]
    type: str
    text: str


class Refusal(_Value):
    """Orders that were refused (4xx) for the same reason."""

    reason: str = Field(description="The status and the reason of the first.")
    kind: str
    orders: int
    meant: bool = Field(description="The API must refuse such orders, or --allow-refused was given.")
    example: str | None = Field(default=None, description="The JSON of one of them, its first 500 characters.")
    line: int | None = Field(default=None, description="The line of the user's file that the example is from.")


class OthersOrders(_Value):
    """Orders of others in the same system, as far as the burst met them. They are not judged."""

    finished: int = Field(description="Whose outcome events came during the burst.")
    dead_letters: int = Field(description="Messages in the dead-letter queues at the end.")
    examples: tuple[str, ...] = Field(description="A few of their order ids.")


class BurstVerdict(_Value):
    """Every order that was attempted, and where it ended; after Jepsen's total-queue.

    attempted = acknowledged + refused + unavailable, but for orders sent twice, whose better answer counts.
    acknowledged + recovered = completed + rejected + cancelled + dead_lettered + lost + unsettled.
    unavailable orders may have been placed or not, and never twice; those of them that were are recovered.
    lost also counts missing outcome events and alerts. unexpected counts unknown orders in the table or a dead-letter
    queue, an ending that such an order must not have, and an alert that was not due.
    """

    valid: bool = Field(
        description="Orders were sent, lost, duplicated, unexpected and refused_unmeant are 0, and the drain finished."
    )
    basis: Literal["ledger", "answers"] = Field(
        default="ledger",
        description="answers: the stack was not read, so only the answers were judged, and `valid` is false.",
    )
    answered: bool | None = Field(
        default=None, description="With the basis `answers`: every order was answered, and as it must be."
    )
    unproven: tuple[str, ...] = Field(default=(), description="What is not known of the orders, each as a sentence.")
    others: OthersOrders | None = Field(default=None, description="On a system that was not started for the burst.")
    drained: bool
    attempted: int
    acknowledged: int
    refused: int
    refused_unmeant: int = Field(default=0, description="Of those refused: orders that the API should have accepted.")
    refusals: tuple[Refusal, ...] = Field(default=(), description="By reason, at most fifty.")
    unavailable: int
    unreached: int = Field(
        default=0, description="Of those unavailable: no connection was made, so they must not exist."
    )
    completed: Proven
    rejected: Proven
    cancelled: Proven
    dead_lettered: Proven
    dead_lettered_duplicates: int = Field(
        default=0, description="Ended once, and a duplicate of the message is in a dead-letter queue: not a finding."
    )
    lost: Proven
    duplicated: Proven
    recovered: Proven = Field(description="Not acknowledged, but recorded all the same.")
    unsettled: int = Field(default=0, description="Not ended when the burst was broken off: neither lost nor found.")
    unexpected: int
    alerts_due: Proven
    alerts_announced: Proven
    endings: Mapping[str, Mapping[str, int]] = Field(description="Kind of order -> ending -> how many.")
    findings: tuple[Finding, ...] = Field(description="The first hundred.")

    @property
    def headline(self) -> str:
        """The verdict in a sentence, without its stop."""
        if not self.attempted:
            return "Nothing was sent, so nothing is proven"
        counts = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "unexpected": self.unexpected,
            "refused that should be accepted": self.refused_unmeant,
        }
        if self.basis == "answers":
            counts["without an answer"] = self.unavailable
        wrong = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        if self.basis == "ledger":
            good, bad = f"Valid: nothing lost, duplicated or unexpected in {self.attempted:,} orders", "Not valid: "
        else:
            good = f"Answered: all {self.attempted:,} orders, as they must be; no more than that is proven"
            bad = "Not answered as they must be: "
        return good if self.good else f"{bad}{wrong or 'the burst was broken off'}"

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong, as far as the basis shows it."""
        return self.valid or self.answered is True

    @field_serializer(*OF_LEDGER)
    def _unless_unproven(self, value: int) -> int | None:
        return value if self.basis == "ledger" else None


class Requests(_Value):
    """Requests to one AWS operation by the services, and their price on AWS."""

    service: str
    operation: str
    requests: int
    entries: int = Field(description="Messages, events or items in them; some services charge by these.")
    usd: float | None = Field(description="None where the price list has no such operation.")
    price: str | None = Field(default=None, description="The price in words.")


class Cost(_Value):
    """Requests to AWS during the burst, counted in order-api and the workers; the notifier's are an upper limit."""

    requests: tuple[Requests, ...]
    requests_per_1000_orders: float
    usd_per_1000_orders: float
    prices_as_of: str
    prices_source: str
    estimated: bool = Field(default=False, description="Not counted: an upper limit, by the number of orders.")


class ProcessMemory(_Value):
    """The memory of a process at the end."""

    name: str
    megabytes: float


class ProcessorTime(_Value):
    """Processor seconds from the start of the load to the end of the drain. The rig: this command and its generator."""

    system_s: float
    rig_s: float

    @property
    def rig_share(self) -> float:
        """The rig's share of both."""
        return self.rig_s / max(self.system_s + self.rig_s, 0.001)


class Bottleneck(_Value):
    """The limit of the burst, and its rate as a share of the backend's ceiling."""

    by: Literal["load", "generator", "API", "worker", "backend", "machine", "unclear"]
    text: str = Field(description="The reason, in a sentence.")
    worked_off_per_s: float = Field(
        validation_alias=AliasChoices("worked_off_per_s", "finished_per_s"),
        description="Orders finished a second while there was a backlog, else over the whole burst.",
    )
    ceiling_per_s: float | None = Field(description="Orders a second, by calibration; None without one.")
    share: float | None = Field(description="worked_off_per_s of ceiling_per_s.")
    doubt: str | None = Field(default=None, description="Why share is missing or cannot be trusted; else None.")

    @property
    def name(self) -> str:
        """The bottleneck in a word or two."""
        return {"load": "none", "unclear": "unclear"}.get(self.by, f"the {self.by}")


class Expectation(_Value):
    """One --expect and its result."""

    text: str
    measured: MaybeInfinite = Field(description="None where nothing was accepted or finished.")
    met: bool
    unit: str = Field(default="", description="Of measured: ms, s, %, or none.")
    orders: int | None = Field(default=None, description="The number of orders that were looked at.")

    @property
    def in_words(self) -> str:
        """The measurement with its unit."""
        if not math.isfinite(self.measured):
            return "nothing to measure"
        if self.unit == "%":
            return f"{self.measured:.7g}%"
        number = f"{self.measured:.4g}" if self.measured < 1000 else f"{self.measured:,.0f}"
        return f"{number} {self.unit}".strip()


class StreamSettings(_Value):
    """One stream of orders."""

    name: str
    load: str
    orders: int | None = Field(description="None if it depends on the answers.")
    mix: str


class Settings(_Value):
    """The settings of the burst."""

    command: str = Field(description="The command line that repeats it.")
    backend: str
    profile: str
    orders: int
    duration_s: float
    rate: float = Field(description="The mean, over the duration.")
    mix: str
    seed: int
    workers: int = Field(description="At the start. A function counts as one.")
    worker: Literal["container", "lambda"] = Field(default="container", description="Processes, or a Lambda function.")
    connections: int
    generators: int = 1
    faults: tuple[str, ...]
    disorder: str | None = Field(default=None, description="The delivery faults of the queues.")
    closed: bool = Field(
        default=False, description="Clients wait for answers, so a slow system gets less load and queueing is not seen."
    )
    streams: tuple[StreamSettings, ...] = ()
    scaling: str | None = Field(default=None, description="The policy of workers that scale by themselves.")
    target: str | None = Field(default=None, description="The system, if it was not started for the burst.")
    scale: float = Field(default=1.0, description="Every rate of the plan was multiplied by this.")

    @property
    def workers_text(self) -> str:
        """The workers in words."""
        if self.worker == "lambda":
            return "a worker function"
        return f"{self.workers} worker{'' if self.workers == 1 else 's'}"


class Summary(_Value):
    """summary.json."""

    format: Literal["orderboard.burst.v1"] = "orderboard.burst.v1"
    started_at: AwareDatetime = Field(description="Second 0 of every at_s.")
    tags: tuple[str, ...] = Field(default=(), description="Given by the user; runs with the same tag are a group.")
    note: str = Field(default="", description="Given by the user.")
    broken_off: str | None = Field(default=None, description="Why it ended early, in a sentence.")
    stopped: bool = Field(default=False, description="The load was stopped before its end, by Ctrl-C say.")
    warnings: tuple[str, ...] = Field(default=(), description="Doubts about the plan, each a sentence.")
    settings: Settings
    verdict: BurstVerdict
    load_s: float = Field(description="Until the last order was answered.")
    drain_s: ProvenSeconds = Field(
        description="From the end of the load until every order had an outcome, or was in a dead-letter queue."
    )
    settled_s: float | None = Field(
        default=None, description="From the end of the load until every alert had been announced, too."
    )
    accepted_per_s: float = Field(description="Over the load.")
    finished_per_s: ProvenSeconds = Field(
        description="From the first intended send until the last outcome, at last_outcome_s."
    )
    last_outcome_s: float | None = None
    peak_backlog: Proven = Field(description="The most messages in work and express at once, in flight included.")
    accept: Latency | None = Field(description="From the intended send time to the answer 202.")
    end_to_end: Latency | None = Field(description="From the intended send time to the outcome event.")
    groups: tuple[GroupLatency, ...] = Field(
        default=(), description="The same latencies by stream, where there are several, and by kind of order."
    )
    generator: GeneratorStats
    faults: tuple[FaultMark, ...]
    fault_windows: tuple[FaultWindow, ...] = Field(
        default=(), description="Orders meant to be sent in one are of the phase during, others of before or after."
    )
    cost: Cost
    memory: tuple[ProcessMemory, ...]
    machine: Host
    expectations: tuple[Expectation, ...] = ()
    processors: tuple[ProcessorShare, ...] = ()
    processor_time: ProcessorTime | None = Field(default=None, description="None where it was not measured.")
    bound: Bottleneck | None = None
    steps: Steps | None = Field(default=None, description="None where no order finished.")

    @field_serializer("drain_s", "finished_per_s", "peak_backlog")
    def _unless_unproven(self, value: float) -> float | None:
        return value if self.verdict.basis == "ledger" else None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it: model_dump leaves infinite numbers in."""
        document: dict[str, Any] = json.loads(self.model_dump_json())
        return document
