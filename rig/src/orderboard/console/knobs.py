"""The knobs: what each does, the command that does the same, and why it cannot be turned where it cannot."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orderboard.console import commands
from orderboard.console.board import BoardLook, queue_names
from orderboard.console.source import Source
from orderboard.console.workers import MAX_WORKERS, Workers, command
from orderboard.errors import UsageError
from orderboard.orders.redrive import plan, redrive
from orderboard.system.state import State
from orderboard.system.target import Target

_NOT_OURS: Final = "These processes were not started on this machine by `orderboard up`."


@dataclass(frozen=True)
class Knob:
    """Whether it can be turned now; if not, why; and what to type for the same effect."""

    command: str
    reason: str | None = None


@dataclass(frozen=True)
class Turned:
    """What came of it."""

    said: str
    command: str


class Knobs:
    """Everything but orders, which are traffic.py's."""

    def __init__(self, source: Source, workers: Workers) -> None:
        self._source = source
        self._workers = workers

    def now(self, look: BoardLook) -> dict[str, Knob]:
        """All knobs as they are now, by name."""
        target, state = self._source.target(), self._source.state()
        found: dict[str, Knob] = {}
        for worker in look.workers or ():
            found |= self._worker_knobs(worker.name, worker.pid, worker.state)
        count = len(look.workers or ())
        too_many = None if count < MAX_WORKERS else f"{MAX_WORKERS} workers are enough for one machine."
        starts = self._workers.start_command()
        found["worker.add"] = Knob(starts, _NOT_OURS if state is None else too_many)
        found["preparation"] = Knob(starts, _NOT_OURS if state is None else None)
        found |= self._backend_knobs(target, look)
        found["poisoned"] = Knob("", _fault_reason(state, target))
        return found

    def worker(self, name: str, action: str) -> Turned:
        """stop, start, kill, freeze or thaw one."""
        if action == "start":
            return Turned(f"{name} runs.", self._workers.start(name))
        return Turned(f"{name}: {action} sent.", self._workers.signal(name, action))

    def add_worker(self) -> Turned:
        """One more."""
        return Turned("One more worker runs.", self._workers.add())

    def preparation(self, milliseconds: int) -> Turned:
        """How long every order takes from now on."""
        done = self._workers.prepare_for(milliseconds)
        return Turned(f"Every order takes {milliseconds} ms more; the workers were replaced.", done)

    def mapping(self, *, enabled: bool) -> Turned:
        """Pause the notifier, or let it go on."""
        target = self._source.target()
        self._source.functions().update_event_source_mapping(UUID=target.outputs.notifier_mapping_id, Enabled=enabled)
        said = "The notifier takes alerts again." if enabled else "The notifier is paused; alerts wait in their queue."
        return Turned(said, commands.mapping(target, enabled=enabled))

    def redrive(self, queue: str) -> Turned:
        """Move a queue's dead letters back."""
        target = self._source.target()
        moved = redrive(target.sqs, plan(queue, target.outputs), target.outputs, lambda _done, _total: None)
        left = f"; {moved.left} do not say where they belong" if moved.left else ""
        command = commands.redrive(target, queue, moved.source)
        return Turned(f"{moved.moved} moved from {moved.source}, by: {moved.way}{left}.", command)

    def purge(self, queue: str) -> Turned:
        """Throw a queue's dead letters away."""
        target = self._source.target()
        if queue not in queue_names(target.outputs):
            raise UsageError(f"There is no queue {queue}.")
        name = plan(queue, target.outputs).source
        url = self._source.queue_url(name)
        target.sqs.purge_queue(QueueUrl=url)
        return Turned(f"{name} is empty now.", commands.purge(target, url))

    def replay(self) -> Turned:
        """Send everything that the archive holds through the rules again."""
        target = self._source.target()
        name = f"console-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        archive, bus = commands.archive_arns(target)
        end = datetime.now(UTC)
        target.events.start_replay(
            ReplayName=name,
            EventSourceArn=archive,
            EventStartTime=commands.EPOCH,
            EventEndTime=end,
            Destination={"Arn": bus},
        )
        said = "The archive is replayed. Ids are the same, so the notifier announces nothing twice."
        return Turned(said, commands.replay(target, name, end))

    def _worker_knobs(self, name: str, pid: int, condition: str) -> dict[str, Knob]:
        ended = f"{name} does not run." if condition == "stopped" else None
        frozen = f"{name} is frozen." if condition == "frozen" else None
        not_frozen = None if condition == "frozen" else f"{name} is not frozen."
        reasons = {"stop": ended, "kill": ended, "freeze": ended or frozen, "thaw": ended or not_frozen}
        knobs = {f"{name}.{action}": Knob(command(action, pid), reason) for action, reason in reasons.items()}
        return {
            **knobs,
            f"{name}.start": Knob(self._workers.start_command(name), None if ended else f"{name} runs already."),
        }

    def _backend_knobs(self, target: Target, look: BoardLook) -> dict[str, Knob]:
        paused = look.mapping is not None and look.mapping.startswith(("Disabl",))
        found = {
            "mapping": Knob(
                commands.mapping(target, enabled=paused),
                None if look.mapping is not None else "The backend does not tell the mapping's state.",
            ),
            "replay": Knob(commands.replay(target, "again", None), _replay_reason(target)),
        }
        for key, queue in look.queues.items():
            resting = queue.dlq if queue.dlq_name is not None else queue.waiting
            reason = None if resting else "Nothing rests there."
            url = self._source.queue_url(queue.dlq_name or queue.name)
            found[f"{key}.purge"] = Knob(commands.purge(target, url), reason)
            found[f"{key}.redrive"] = Knob(commands.redrive(target, key, queue.dlq_name or queue.name), reason)
        return found


def _replay_reason(target: Target) -> str | None:
    if target.outputs.archive_name is None:
        return "The stack has no archive."
    return None if target.endpoint.capabilities.replay else f"{target.endpoint.name} takes a replay and sends nothing."


def _fault_reason(state: State | None, target: Target) -> str | None:
    if target.api_url is None:
        return "Where order-api is, is not known here."
    if state is None:
        return None  # order-api itself will say
    return None if state.allow_faults else "Started without --allow-faults, so order-api refuses orders with a fault."
