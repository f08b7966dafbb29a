"""The results of a burst: summary.json is a Summary, timeline.csv has one TimelineRow a line. Values only.

Seconds count from the first intended send time unless a name says otherwise. A field is added, with a default, and
never renamed: reports, scripts and later versions read these files. runs/schema.py publishes the schema.
"""

from orderboard.burst.model.base import MaybeInfinite
from orderboard.burst.model.generator import GeneratorStats, OneGenerator
from orderboard.burst.model.latency import (
    CurvePoint,
    GroupLatency,
    Interval,
    Latency,
    Percentiles,
    Split,
    StepLatency,
    Steps,
)
from orderboard.burst.model.resources import Bottleneck, Cost, ProcessMemory, ProcessorTime, Requests
from orderboard.burst.model.settings import Settings, StreamSettings
from orderboard.burst.model.summary import Expectation, Summary
from orderboard.burst.model.timeline import FaultMark, FaultWindow, TimelineRow
from orderboard.burst.model.verdict import OF_LEDGER, BurstVerdict, Finding, OthersOrders, Refusal

__all__ = [
    "OF_LEDGER",
    "Bottleneck",
    "BurstVerdict",
    "Cost",
    "CurvePoint",
    "Expectation",
    "FaultMark",
    "FaultWindow",
    "Finding",
    "GeneratorStats",
    "GroupLatency",
    "Interval",
    "Latency",
    "MaybeInfinite",
    "OneGenerator",
    "OthersOrders",
    "Percentiles",
    "ProcessMemory",
    "ProcessorTime",
    "Refusal",
    "Requests",
    "Settings",
    "Split",
    "StepLatency",
    "Steps",
    "StreamSettings",
    "Summary",
    "TimelineRow",
]
