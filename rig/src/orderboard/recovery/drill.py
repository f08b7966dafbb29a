"""The drill: a system under load loses its orders table and gets it back. It measures RPO and RTO; a ledger judges."""

import secrets
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orderboard_contracts.identity import order_id_for

from orderboard.burst.load.arrivals import Constant, send_times
from orderboard.burst.load.mix import parse_mix
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measured_system import Where, measured_system
from orderboard.burst.measurement import Plan, RunResult
from orderboard.burst.model import BurstVerdict
from orderboard.burst.report.now import Now
from orderboard.burst.runner import Runner
from orderboard.errors import RigError
from orderboard.recovery.backups import require_backups
from orderboard.recovery.disaster import Disaster, Loss, WorkersMeanwhile, workers_meanwhile
from orderboard.system.system import System, running_system
from orderboard.system.target import AWS_ERRORS
from orderboard.system.workspace import find_workspace
from orderboard.terminal.progress import Screen, Task

MIX: Final = "express=10,large=2,sold_out=3,duplicate=3,cancel=5,flaky=2,poison=0.3"
_VISIBILITY_TIMEOUT_S: Final = 10
_CONNECTIONS: Final = 64
_SAMPLE_EVERY_S: Final = 0.2


@dataclass(frozen=True)
class Measured:
    """Seconds and orders of a drill.

    rpo_before_s: of data, that the backup lacked. rpo_s: the same after the facts were added; 0 if no order is missing.
    rto_first_s, rto_all_s: from the loss until an order was finished again, and until all were that were accepted
    before the table was back. accepted_meanwhile: without a table.
    """

    rpo_before_s: float
    rpo_s: float
    rto_first_s: float | None
    rto_all_s: float | None
    finished_before: int
    missing: tuple[str, ...]
    accepted_meanwhile: int
    slowest_answer_ms: float | None


@dataclass(frozen=True)
class Drill:
    """The result of a drill."""

    seed: int
    verdict: BurstVerdict
    loss: Loss
    measured: Measured
    workers: WorkersMeanwhile
    logs_dir: Path | None  # kept only if it failed

    @property
    def passed(self) -> bool:
        """Return whether the ledger balances and nothing is missing."""
        return self.verdict.valid and not self.measured.missing and not self.loss.restored.incomplete


def run_drill(where: Where, screen: Screen, *, orders: int, rate: float, seed: int, workers: int) -> Drill:
    """Start a system, send the load, lose and restore its table, judge, end the system. Raises RigError."""
    require_backups(where.backend)
    name = f"orderboard-drill-{secrets.token_hex(3)}"
    logs_dir = find_workspace().state_dir / name
    options = measured_system(
        name, where, logs_dir=logs_dir, workers=workers, visibility_timeout_s=_VISIBILITY_TIMEOUT_S
    )
    environment = {**options.services.worker_environment, "ORDERBOARD_RECEIVE_WAIT_S": "1"}
    options = replace(options, services=replace(options.services, worker_environment=environment))
    times_s = send_times(Constant(), orders=orders, duration_s=orders / rate, seed=seed)
    stream = Stream(parse_mix(MIX), Open(times_s), seed, name)
    try:
        with running_system(options, screen) as system:
            result, loss = _under_load(system, screen, stream)
    except KeyboardInterrupt:
        shutil.rmtree(logs_dir, ignore_errors=True)
        raise KeyboardInterrupt("Interrupted. Everything that this command started has ended.") from None
    workers_log = workers_meanwhile(logs_dir, loss)
    drill = Drill(seed, result.judgement.verdict, loss, measure(result, loss), workers_log, logs_dir=logs_dir)
    if drill.passed:
        shutil.rmtree(logs_dir, ignore_errors=True)
        return replace(drill, logs_dir=None)
    return drill


def _under_load(system: System, screen: Screen, stream: Stream) -> tuple[RunResult, Loss]:
    orders = stream.planned or 0
    disaster = Disaster(system.target, screen, orders=orders)
    plan = Plan((stream,), connections=_CONNECTIONS, sample_every_s=_SAMPLE_EVERY_S, busy=disaster.goes_on)
    with ExitStack() as tasks:
        tasks.callback(disaster.stop)
        view = _View(screen, tasks, disaster, orders)
        disaster.start()
        try:
            result = Runner(system, plan, view).run()
        except KeyboardInterrupt:
            if disaster.error is None:
                raise
            raise RigError(f"The drill failed: {disaster.error}") from disaster.error
    loss = disaster.loss
    if loss is None:
        raise RigError("The drill failed: too few orders finished before the load ended. Give more --orders.")
    try:
        system.target.dynamodb.delete_backup(BackupArn=loss.backup.arn)
    except AWS_ERRORS as exc:
        screen.say(f"The backup {loss.backup.arn} is left, which costs its storage: {exc}")
    return result, loss


def measure(result: RunResult, loss: Loss) -> Measured:
    """Return the times of a drill."""
    lost_s = loss.lost_at.timestamp() - result.started_at
    back_at = loss.restored.back_at or datetime.now(UTC)
    back_s = back_at.timestamp() - result.started_at
    records = [record for record in result.recorder.records() if record.answer == "acknowledged"]
    before = [record for record in records if record.finished_s is not None and record.finished_s <= lost_s]
    missing = [record for record in before if _id_of(record) not in loss.rows]
    meanwhile = [record for record in records if lost_s < record.answered_s <= back_s]
    after = [record.finished_s for record in records if record.finished_s is not None and record.finished_s > back_s]
    accepted_by = [
        record.finished_s for record in records if record.finished_s is not None and record.answered_s <= back_s
    ]
    oldest_s = min((record.finished_s or lost_s for record in missing), default=lost_s)
    return Measured(
        rpo_before_s=round((loss.lost_at - loss.restored.cut).total_seconds(), 3),
        rpo_s=round(lost_s - oldest_s, 3),
        rto_first_s=round(min(after) - lost_s, 3) if after else None,
        rto_all_s=round(max(accepted_by) - lost_s, 3) if accepted_by else None,
        finished_before=len(before),
        missing=tuple(_id_of(record) for record in missing),
        accepted_meanwhile=len(meanwhile),
        slowest_answer_ms=max((record.accept_ms for record in meanwhile if record.accept_ms is not None), default=None),
    )


def _id_of(record: OrderRecord) -> str:
    return order_id_for(record.key)


class _View:
    """The view of the load: bars for the answers and for the orders that have ended. It tells the disaster."""

    def __init__(self, screen: Screen, tasks: ExitStack, disaster: Disaster, orders: int) -> None:
        self._disaster = disaster
        self._answered: Task = tasks.enter_context(screen.task("Orders answered", total=orders))
        self._ended: Task = tasks.enter_context(screen.task("Orders ended", total=orders))

    def update(self, now: Now) -> None:
        """Advance the bars."""
        self._disaster.finished = now.recorder.finished
        self._answered.advance_to(now.recorder.answered)
        self._ended.advance_to(min(now.recorder.finished + now.sample.dead_letters, now.recorder.answered))

    def judging(self) -> None:
        """Nothing to show: it takes a moment."""
