"""The loss of the orders table under load, and its restore, in a thread beside the load."""

import _thread
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orderboard.ledger.evidence import final_rows
from orderboard.orders.dead_letters import dead_letters
from orderboard.orders.kinds import Ending
from orderboard.orders.redrive import plan as plan_redrive
from orderboard.orders.redrive import redrive
from orderboard.recovery.backups import Backup, create
from orderboard.recovery.plan import plan
from orderboard.recovery.restore import Restored, restore
from orderboard.recovery.tables import delete
from orderboard.system.target import Target
from orderboard.terminal.progress import Screen

# Shares of the orders that have finished.
BACKUP_AFTER: Final = 0.25
LOSS_AFTER: Final = 0.5
_LOOK_EVERY_S: Final = 0.02
_BREAKER: Final = ("backend.unavailable", "backend.recovered")
_RETURNED: Final = "message.retry_scheduled"


@dataclass(frozen=True)
class Loss:
    """A loss and its restore. rows: the table's final rows as it was back. redriven: from dead-letter queues."""

    backup: Backup
    lost_at: datetime
    restored: Restored
    rows: Mapping[str, Ending]
    redriven: int


class Disaster:
    """Backs up, destroys and restores the table of a system, once so many of its orders have finished."""

    def __init__(self, target: Target, screen: Screen, *, orders: int) -> None:
        self._target, self._screen, self._orders = target, screen, orders
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disaster", daemon=True)
        self.finished = 0  # set by the view of the load
        self.error: Exception | None = None
        self.loss: Loss | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Give up."""
        self._stopped.set()

    def goes_on(self) -> bool:
        """Return whether it is not over."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self._await(BACKUP_AFTER):
                backup = create(self._target)
                self._screen.say(f"Backup {backup.name} made, with {self.finished} orders finished")
                if self._await(LOSS_AFTER):
                    self.loss = self._lose(backup)
        except Exception as exc:  # noqa: BLE001 - the drill reports it
            self.error = exc
            _thread.interrupt_main()  # without its table, the load would not end for a while

    def _await(self, share: float) -> bool:
        while self.finished < share * self._orders:
            if self._stopped.wait(_LOOK_EVERY_S):
                return False
        return True

    def _lose(self, backup: Backup) -> Loss:
        target = self._target
        delete(target, target.outputs.orders_table)
        lost_at = datetime.now(UTC)
        self._screen.say(f"Table {target.outputs.orders_table} destroyed, with {self.finished} orders finished")
        restored = restore(plan(target, backup.arn, None, latest=False, replays=True, starts_over=False), self._screen)
        rows = final_rows(target)
        return Loss(backup, lost_at, restored, rows, redrive_of_the_loss(target))


def redrive_of_the_loss(target: Target) -> int:
    """Move the orders back that the loss brought into a dead-letter queue; return how many. Poisoned ones stay."""
    letters = (each for each in dead_letters(target) if each.is_order)
    queues = {each.queue for each in letters if "fault" not in (each.reason or "")}
    planned = [plan_redrive(queue, target.outputs) for queue in sorted(queues)]
    return sum(redrive(target.sqs, each, target.outputs, lambda *_: None).moved for each in planned)


@dataclass(frozen=True)
class WorkersMeanwhile:
    """The workers' log: pauses of the circuit breaker, their ends, and messages that went back to their queue."""

    pauses: int
    recoveries: int
    returned: int


def workers_meanwhile(logs_dir: Path, loss: Loss) -> WorkersMeanwhile:
    """Read the workers' logs from the loss to the first recovery after it."""
    events: Counter[str] = Counter()
    for path in logs_dir.glob("worker-*.log"):
        for line in path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
                name, at = str(entry["message"]), datetime.fromisoformat(entry["timestamp"])
            except (ValueError, KeyError, TypeError):  # not a line of our services
                continue
            if at >= loss.lost_at:
                events[name] += 1
            if at >= loss.lost_at and name == _BREAKER[1]:
                break
    return WorkersMeanwhile(events[_BREAKER[0]], events[_BREAKER[1]], events[_RETURNED])
