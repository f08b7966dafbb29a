"""A measurement: the plan of the runner, and its result."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.faults.target_tracking import ScalingPolicy
from orderboard.burst.judge.thresholds import Threshold
from orderboard.burst.judge.verdict import Judgement
from orderboard.burst.load.generator import Job, local_generators
from orderboard.burst.load.handle import GeneratorHandle
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.generators import GeneratorRun
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.model import Expectation, FaultMark, FaultWindow, ProcessorTime, Steps, TimelineRow
from orderboard.burst.report.cost import RequestCounts
from orderboard.system.process_stats import ProcessorShare

StartGenerators = Callable[[Sequence[Job]], Sequence[GeneratorHandle]]


@dataclass(frozen=True)
class Plan:
    """The orders, their send times and the faults.

    The drain is given up after give_up_after_s without progress, or after drain_within_s. shared: others send orders to
    the same system. api_token: as order-api expects it. start_generators: gets the part of each one. busy: returns
    whether something else must end first.
    """

    streams: Sequence[Stream]
    generators: int = 1
    start_generators: StartGenerators = local_generators
    connections: int = 512
    attempts: int = 1
    faults: tuple[Fault, ...] = ()
    scaling: ScalingPolicy | None = None
    abort_on_fail: tuple[Threshold, ...] = ()
    give_up_after_s: float = 90.0
    drain_within_s: float = math.inf
    sample_every_s: float = 1.0
    shared: bool = False
    api_token: str | None = field(default=None, repr=False)
    busy: Callable[[], bool] = lambda: False

    @property
    def times_s(self) -> Sequence[float] | None:
        """The intended time of each order, ascending; None if a stream has none."""
        loads = [stream.load for stream in self.streams]
        times_s = [load.times_s for load in loads if isinstance(load, Open)]
        if len(times_s) < len(loads):
            return None
        return times_s[0] if len(times_s) == 1 else sorted(time_s for each in times_s for time_s in each)


@dataclass(frozen=True)
class RunResult:
    """The measurements and the verdict. Seconds count from the start, which is started_at of time.time()."""

    started_at: float
    recorder: Recorder
    timeline: tuple[TimelineRow, ...]
    marks: tuple[FaultMark, ...]
    requests: RequestCounts
    judgement: Judgement
    generators: Sequence[GeneratorRun]
    load_s: float
    orders_ended_s: float
    ended_s: float  # with alerts
    stopped_by: str  # empty if the load ran to its end
    missed: tuple[Expectation, ...]  # thresholds that stopped it
    windows: tuple[FaultWindow, ...]
    first_finish_s: float | None
    peak_backlog: int
    processors: tuple[ProcessorShare, ...]  # over the load
    processor_time: ProcessorTime
    steps: Steps | None

    @property
    def sent(self) -> int:
        """The orders that the generators have reported as sent."""
        return sum(each.total for each in self.generators)
