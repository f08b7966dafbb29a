"""The end of a drain, from the recorder and the samples of the queues. Times count from the start of the burst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.judge.verdict import End
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.orders.queues import Depth

# With every queue empty, what is missing after this long is lost.
_SETTLED_AFTER_S: Final = 10.0


@dataclass
class Drain:
    """orders_s: when an order last ended. progress_s: the same with alerts. activity_s: when anything last changed.

    shared: others use the queues, so that they may never be empty, and their changes are no sign of these orders.
    """

    recorder: Recorder
    give_up_after_s: float
    within_s: float
    shared: bool = False
    orders_s: float = 0.0
    progress_s: float = 0.0
    activity_s: float = 0.0
    _dead_letters: int = 0
    _depths: Mapping[str, Depth] = field(default_factory=dict)
    _idle: bool = False

    def alerted(self, at_s: float) -> None:
        """Note that an alert was announced."""
        self.progress_s = max(self.progress_s, at_s)
        self.activity_s = max(self.activity_s, self.progress_s)

    def observe(self, sample: Sample, taken_s: float, now_s: float, *, faults_pending: bool) -> None:
        """Compare with the sample before."""
        dead_letters_s = taken_s if sample.dead_letters > self._dead_letters else 0.0
        self.orders_s = max(self.orders_s, self.recorder.last_finish_s, self.recorder.last_answer_s, dead_letters_s)
        self.alerted(self.orders_s)
        if (sample.depths != self._depths and not self.shared) or faults_pending:
            self.activity_s = now_s
        self._dead_letters, self._depths = sample.dead_letters, sample.depths
        self._idle = sample.idle

    def end(self, sample: Sample, taken_s: float, now_s: float, *, faults_pending: bool) -> End | None:
        """Return how it has ended; None while it goes on."""
        recorder = self.recorder
        if now_s - recorder.last_answer_s > self.within_s:
            return "given up"
        if faults_pending:
            return None
        if now_s - self.activity_s > self.give_up_after_s:
            return "given up"
        # Every queue was empty after the last event, and every order is accounted for or overdue.
        fresh = taken_s > max(recorder.last_finish_s, recorder.last_answer_s)
        complete = recorder.unfinished == 0 or self.settled(now_s)
        if self.shared:
            return "drained" if complete else None
        return "drained" if fresh and sample.idle and complete else None

    def settled(self, now_s: float) -> bool:
        """Return True when nothing has changed for so long that what is missing is lost."""
        return now_s - self.activity_s > _SETTLED_AFTER_S and (self._idle or not self.shared)


def waits_for(recorder: Recorder, sample: Sample, pending: Sequence[Fault]) -> str:
    """Return what the drain still waits for, for a reader of the display."""
    depths = {role: depth.total for role, depth in sample.depths.items()}
    parts = [
        (recorder.unfinished, "order", "orders", ""),
        (max(0, sample.backlog - recorder.unfinished), "message in the queues", "messages in the queues", ""),
        (depths.get("alerts", 0), "alert", "alerts", " (a failed one is tried again after a while)"),
        (depths.get("listener", 0) + depths.get("inbox", 0), "event for the rig", "events for the rig", ""),
        (len(pending), "planned fault", "planned faults", f" (the next at {pending[0].at_s:g} s)" if pending else ""),
    ]
    texts = [f"{count:,} {one if count == 1 else many}{more}" for count, one, many, more in parts if count]
    return ", ".join(texts) or "a last look at the queues"
