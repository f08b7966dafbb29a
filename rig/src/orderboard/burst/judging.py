"""Reads the evidence about a burst's orders from the system, and judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from orderboard.burst.faults.injector import FaultInjector
from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.verdict import End, Judgement, judge
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measurement import Plan
from orderboard.burst.running_load import RunningLoad
from orderboard.burst.targets.own_orders import OwnRows, own_evidence, own_ids
from orderboard.ledger.evidence import final_rows
from orderboard.ledger.ledger import Announcement, Evidence
from orderboard.ledger.outcome_listener import OutcomeListener
from orderboard.orders.dead_letters import dead_letters
from orderboard.system.system import System
from orderboard.system.target import AWS_ERRORS

BACKEND_GONE: Final = "the backend has gone"


class Judging:
    """The judgement of one burst, as often as it is asked for."""

    def __init__(
        self, system: System, plan: Plan, recorder: Recorder, load: RunningLoad, faults: FaultInjector
    ) -> None:
        self._system, self._target = system, system.target
        self._shared, self._recorder, self._load, self._faults = plan.shared, recorder, load, faults
        self._own_rows = OwnRows(system.target)

    def judge(self, listener: OutcomeListener, announced: Mapping[str, Announcement], end: End) -> Judgement:
        """Judge by what was received and, unless the burst ended too early, by the table and the dead-letter queues."""
        evidence = Evidence(
            final_rows={outcome.order_id: outcome.ended for outcome in listener.outcomes},
            outcomes=listener.outcomes,
            announcements=tuple(announced.values()),
        )
        if end not in ("backend gone", "quit"):
            try:
                evidence = self._read(evidence)
            except AWS_ERRORS:
                if self._system.backend_answers():
                    raise
                end = "backend gone"
                self._faults.mark(self._load.now_s(), BACKEND_GONE)
        ended = sum(bool(each.ended) for each in self._load.generators())
        attempts, others = self._attempts(evidence), None
        if self._shared:
            evidence, others = own_evidence(evidence, own_ids(attempts))
        large_order_cents = int(self._target.outputs.large_order_cents)
        return judge(
            attempts,
            evidence,
            large_order_cents=large_order_cents,
            end=end,
            others=others,
            generators_ended=ended,
        )

    def _read(self, evidence: Evidence) -> Evidence:
        """Read the table and the dead-letter queues."""
        if self._shared:
            rows = self._own_rows.read(own_ids(self._attempts(evidence)))
        else:
            self._faults.lift()
            rows = final_rows(self._target)
        return replace(evidence, final_rows=rows, dead_letters=tuple(dead_letters(self._target)))

    def _attempts(self, evidence: Evidence) -> Sequence[Attempt]:
        """Return what was sent, with what a generator that ended early may have sent, as the evidence shows."""
        generators, landed = self._load.generators(), set[str | None]()
        if any(each.ended for each in generators):
            landed.update(evidence.final_rows, (each.order_id for each in evidence.outcomes))
            landed.update(each.order_id for each in evidence.dead_letters)
        return self._recorder.attempts(self._recorder.sent_at_most(generators, landed))
