"""summary.json: the settings, the verdict and the figures of a burst."""

import json
import math
from typing import Any, Literal

from pydantic import AwareDatetime, Field, field_serializer

from orderboard.burst.model.base import MaybeInfinite, Proven, ProvenSeconds, Value
from orderboard.burst.model.generator import GeneratorStats
from orderboard.burst.model.latency import GroupLatency, Latency, Steps
from orderboard.burst.model.resources import Bottleneck, Cost, ProcessMemory, ProcessorTime
from orderboard.burst.model.settings import Settings
from orderboard.burst.model.timeline import FaultMark, FaultWindow
from orderboard.burst.model.verdict import BurstVerdict
from orderboard.system.host import Host
from orderboard.system.process_stats import ProcessorShare


class Expectation(Value):
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


class Summary(Value):
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
