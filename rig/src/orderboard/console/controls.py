"""Controls of workers, queues, notifier and archive: effect, equivalent command, and why one is unavailable."""

from dataclasses import dataclass
from datetime import UTC, datetime

from orderboard.console import commands, requests
from orderboard.console.reconcile import Reconciler
from orderboard.console.snapshot import Snapshot
from orderboard.console.source import Source
from orderboard.errors import RigError, UsageError
from orderboard.orders.redrive import plan, redrive
from orderboard.orders.replay import start as start_replay
from orderboard.system.state import KnownProcess, State
from orderboard.system.target import Target
from orderboard.system.worker_function import WorkerFunction
from orderboard.system.workers import ACTIONS, FUNCTION, NOT_OURS, PROCESSES_ONLY, Action, Workers


@dataclass(frozen=True)
class Control:
    """The command with the same effect. reason: why the control is unavailable, None if it is available."""

    command: str
    reason: str | None = None


@dataclass(frozen=True)
class ActionResult:
    """A sentence for the user, and the command with the same effect."""

    message: str
    command: str


class Controls:
    """All controls except orders (traffic.py) and faults (fault_controls.py)."""

    def __init__(self, source: Source, workers: Workers, reconciler: Reconciler) -> None:
        self._source = source
        self._workers = workers
        self._reconciler = reconciler

    def available(self, snapshot: Snapshot) -> dict[str, Control]:
        """Return every control by name, with the reason if it is unavailable."""
        target, state = self._source.target(), self._source.state()
        found: dict[str, Control] = {}
        for worker in self._workers.all():
            found |= self._worker(worker)
        if state is not None and state.worker == "lambda":
            found |= _of_function(snapshot)
        found["workers"] = Control(commands.worker("add"), self._workers.no_processes())
        found["preparation"] = Control(commands.prepare_for(0), NOT_OURS if state is None else None)
        found["reset-proof"] = Control("")
        found |= self._backend(target, snapshot)
        return found

    def worker(self, body: requests.WorkerAction) -> ActionResult:
        """Start a worker, or send it a signal; of a function, enable or disable the mappings."""
        state = self._source.state()
        if state is not None and state.worker == "lambda":
            if body.action not in ("start", "stop"):
                raise RigError(PROCESSES_ONLY)
            WorkerFunction(self._source.target()).set_enabled(enabled=body.action == "start")
            done = (
                "The function polls its queues." if body.action == "start" else "The function has no more invocations."
            )
            return ActionResult(done, commands.worker(body.action))
        self._workers.act(body.name, body.action)
        done = "started" if body.action == "start" else f"{body.action} sent"
        return ActionResult(f"{body.name}: {done}.", commands.worker(body.action, body.name))

    def scale(self, body: requests.Scale) -> ActionResult:
        """Set the number of workers that run."""
        changes = self._workers.scale(body.count)
        command = "\n".join(commands.worker(*change) for change in changes)
        return ActionResult(f"{body.count} {'worker runs' if body.count == 1 else 'workers run'}.", command)

    def preparation(self, body: requests.Preparation) -> ActionResult:
        """Set the extra time that every order takes."""
        self._workers.set_environment({commands.PREPARATION: str(body.milliseconds)})
        command = commands.prepare_for(body.milliseconds)
        return ActionResult(f"Every order takes {body.milliseconds} ms longer; the workers were replaced.", command)

    def mapping(self, body: requests.Mapping) -> ActionResult:
        """Pause or resume the notifier."""
        target = self._source.target()
        mapping_id = target.outputs.notifier_mapping_id
        target.functions.update_event_source_mapping(UUID=mapping_id, Enabled=body.enabled)
        message = "The notifier is running." if body.enabled else "The notifier is paused; alerts wait in their queue."
        return ActionResult(message, commands.mapping(target, enabled=body.enabled))

    def redrive(self, body: requests.QueueName) -> ActionResult:
        """Move a queue's dead letters back."""
        target = self._source.target()
        moved = redrive(target.sqs, plan(body.queue, target.outputs), target.outputs, lambda _done, _total: None)
        left = f" Without a known origin, and left there: {moved.left}." if moved.left else ""
        command = commands.redrive(target, body.queue, moved.source)
        return ActionResult(f"{moved}{left}", command)

    def purge(self, body: requests.QueueName) -> ActionResult:
        """Delete a queue's dead letters."""
        target = self._source.target()
        if body.queue not in (roles := target.outputs.queue_pairs):
            raise UsageError(f"Unknown queue {body.queue}: expected {', '.join(roles)}.")
        name = plan(body.queue, target.outputs).source
        url = self._source.queue_url(name)
        deleted = self._reconciler.purge(name, lambda: target.sqs.purge_queue(QueueUrl=url))
        how_many = "Every message" if deleted is None else f"{deleted} {'message' if deleted == 1 else 'messages'}"
        return ActionResult(f"{how_many} deleted from {name}.", commands.purge(target, url))

    def reset_proof(self, _: requests.Empty) -> ActionResult:
        """Account for the orders that are accepted from now on."""
        self._reconciler.reset()
        return ActionResult("The proof counts from now on. Earlier orders are not part of it.", "")

    def replay(self, _: requests.Empty) -> ActionResult:
        """Send every event of the archive through the rules again."""
        target, end = self._source.target(), datetime.fromtimestamp(self._source.backend_now(), UTC)
        name = f"console-{end:%Y%m%d-%H%M%S-%f}"
        start_replay(target, name, commands.EPOCH, end)
        message = "Replaying the archive. Event ids are the same, so the notifier announces nothing twice."
        return ActionResult(message, commands.replay(target, name, end))

    def _worker(self, worker: KnownProcess) -> dict[str, Control]:
        return {
            f"{worker.name}.{action}": Control(
                commands.worker(action, worker.name), self._workers.refusal(worker, action)
            )
            for action in ACTIONS
        }

    def _backend(self, target: Target, snapshot: Snapshot) -> dict[str, Control]:
        paused = snapshot.mapping is not None and snapshot.mapping.startswith("Disabl")
        unknown = None if snapshot.mapping is not None else "The backend does not report the mapping's state."
        found = {
            "mapping": Control(commands.mapping(target, enabled=paused), unknown),
            "replay": Control(commands.replay(target, "again", None), _replay_reason(target)),
        }
        for key, queue in snapshot.queues.items():
            dead = queue.dlq if queue.dlq_name is not None else queue.waiting
            reason = None if dead else "There are no dead letters."
            name = queue.dlq_name or queue.name
            found[f"{key}.purge"] = Control(commands.purge(target, self._source.queue_url(name)), reason)
            found[f"{key}.redrive"] = Control(commands.redrive(target, key, name), reason)
        return found


def _of_function(snapshot: Snapshot) -> dict[str, Control]:
    """Return the controls of the worker that is a function."""
    running = any(each.state == "running" for each in snapshot.workers or ())
    reasons: dict[Action, str | None] = dict.fromkeys(ACTIONS, PROCESSES_ONLY)
    reasons["start"] = "The function's mappings are enabled already." if running else None
    reasons["stop"] = None if running else "The function's mappings are disabled already."
    return {f"{FUNCTION}.{action}": Control(commands.worker(action), reason) for action, reason in reasons.items()}


def preparation_ms(state: State) -> int:
    """Return the extra time that every order takes."""
    return int(state.worker_environment.get(commands.PREPARATION, "0"))


def _replay_reason(target: Target) -> str | None:
    if target.outputs.archive_name is None:
        return "The stack has no archive."
    if not target.endpoint.capabilities.replay:
        return f"{target.endpoint.name} accepts a replay but sends no events."
    return None
