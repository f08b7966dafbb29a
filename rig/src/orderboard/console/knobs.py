"""The knobs: what each does, the command that does the same, and why it cannot be turned where it cannot."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from orderboard.console.board import BoardLook, queue_names
from orderboard.console.source import Source
from orderboard.console.workers import MAX_WORKERS, Workers, command
from orderboard.errors import UsageError
from orderboard.redrive import plan, redrive
from orderboard.state import State
from orderboard.target import Target

_NOT_OURS: Final = "These processes were not started on this machine by `orderboard up`."
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


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

    def document(self, look: BoardLook) -> dict[str, Any]:
        """All knobs as they are now, by name."""
        target, state = self._source.target(), self._source.state()
        found: dict[str, Knob] = {}
        for worker in look.workers or ():
            found |= self._worker_knobs(worker.name, worker.pid, worker.state)
        count = len(look.workers or ())
        too_many = None if count < MAX_WORKERS else f"{MAX_WORKERS} workers are enough for one machine."
        found["worker.add"] = Knob("python -m worker", _NOT_OURS if state is None else too_many)
        found["preparation"] = Knob(
            "ORDERBOARD_PREPARATION_MS=… python -m worker", _NOT_OURS if state is None else None
        )
        found |= self._backend_knobs(target, look)
        found["poisoned"] = Knob("", _fault_reason(state, target))
        return {
            "knobs": {name: {"command": knob.command, "reason": knob.reason} for name, knob in found.items()},
            "preparation_ms": None if state is None else self._workers.preparation_ms,
        }

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
        return Turned(said, _mapping_command(target, enabled=enabled))

    def redrive(self, queue: str) -> Turned:
        """Move a queue's dead letters back."""
        target = self._source.target()
        moved = redrive(target.sqs, plan(queue, target.outputs), target.outputs, lambda _done, _total: None)
        left = f"; {moved.left} do not say where they belong" if moved.left else ""
        return Turned(f"{moved.moved} moved from {moved.source}, by: {moved.way}{left}.", f"orderboard redrive {queue}")

    def purge(self, queue: str) -> Turned:
        """Throw a queue's dead letters away."""
        target = self._source.target()
        if queue not in queue_names(target.outputs):
            raise UsageError(f"There is no queue {queue}.")
        name = plan(queue, target.outputs).source
        url = self._source.queue_url(name)
        target.sqs.purge_queue(QueueUrl=url)
        return Turned(f"{name} is empty now.", aws(target, "sqs", "purge-queue", "--queue-url", url))

    def replay(self) -> Turned:
        """Send everything that the archive holds through the rules again."""
        target = self._source.target()
        name = f"console-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        archive, bus = _archive_arns(target)
        end = datetime.now(UTC)
        target.events.start_replay(
            ReplayName=name,
            EventSourceArn=archive,
            EventStartTime=_EPOCH,
            EventEndTime=end,
            Destination={"Arn": bus},
        )
        said = "The archive is replayed. Ids are the same, so the notifier announces nothing twice."
        return Turned(said, _replay_command(target, name, archive, bus, end))

    def _worker_knobs(self, name: str, pid: int, condition: str) -> dict[str, Knob]:
        ended = f"{name} does not run." if condition == "stopped" else None
        frozen = f"{name} is frozen." if condition == "frozen" else None
        not_frozen = None if condition == "frozen" else f"{name} is not frozen."
        reasons = {"stop": ended, "kill": ended, "freeze": ended or frozen, "thaw": ended or not_frozen}
        knobs = {f"{name}.{action}": Knob(command(action, pid), reason) for action, reason in reasons.items()}
        return {**knobs, f"{name}.start": Knob("python -m worker", None if ended else f"{name} runs already.")}

    def _backend_knobs(self, target: Target, look: BoardLook) -> dict[str, Knob]:
        paused = look.mapping is not None and look.mapping.startswith(("Disabl",))
        found = {
            "mapping": Knob(
                _mapping_command(target, enabled=paused),
                None if look.mapping is not None else "The backend does not tell the mapping's state.",
            ),
            "replay": Knob(
                _replay_command(target, "again", *_archive_arns(target), datetime.now(UTC)), _replay_reason(target)
            ),
        }
        for key, queue in look.queues.items():
            resting = queue.dlq if queue.dlq_name is not None else queue.waiting
            reason = None if resting else "Nothing rests there."
            url = self._source.queue_url(queue.dlq_name or queue.name)
            found[f"{key}.purge"] = Knob(aws(target, "sqs", "purge-queue", "--queue-url", url), reason)
            found[f"{key}.redrive"] = Knob(_redrive_command(target, key, queue.dlq_name or queue.name), reason)
        return found


def aws(target: Target, *words: str) -> str:
    """The aws command line of a call on this backend."""
    url = target.endpoint.endpoint_url
    return shlex.join(["aws", *(["--endpoint-url", url] if url is not None else []), *words])


def _redrive_command(target: Target, key: str, dlq: str) -> str:
    if not target.endpoint.capabilities.message_move_task or key == "undelivered":
        return f"orderboard redrive {key}"  # by hand: receive, send, delete
    return aws(target, "sqs", "start-message-move-task", "--source-arn", _arn(target, "sqs", dlq))


def _mapping_command(target: Target, *, enabled: bool) -> str:
    flag = "--enabled" if enabled else "--no-enabled"
    return aws(target, "lambda", "update-event-source-mapping", "--uuid", target.outputs.notifier_mapping_id, flag)


def _replay_command(target: Target, name: str, archive: str, bus: str, end: datetime) -> str:
    return aws(
        target,
        *("events", "start-replay", "--replay-name", name, "--event-source-arn", archive),
        *("--event-start-time", f"{_EPOCH:%Y-%m-%dT%H:%M:%SZ}", "--event-end-time", f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        *("--destination", f"Arn={bus}"),
    )


def _replay_reason(target: Target) -> str | None:
    if target.outputs.archive_name is None:
        return "The stack has no archive."
    return None if target.endpoint.capabilities.replay else f"{target.endpoint.name} takes a replay and sends nothing."


def _archive_arns(target: Target) -> tuple[str, str]:
    archive = _arn(target, "events", f"archive/{target.outputs.archive_name}")
    return archive, _arn(target, "events", f"event-bus/{target.outputs.bus_name}")


def _arn(target: Target, service: str, name: str) -> str:
    partition, _, region, account = target.outputs.orders_topic_arn.split(":")[1:5]
    return f"arn:{partition}:{service}:{region}:{account}:{name}"


def _fault_reason(state: State | None, target: Target) -> str | None:
    if target.api_url is None:
        return "Where order-api is, is not known here."
    if state is None:
        return None  # order-api itself will say
    return None if state.allow_faults else "Started without --allow-faults, so order-api refuses orders with a fault."


def number(document: dict[str, Any], name: str, low: float, high: float) -> float:
    """A number of an action's body; raise UsageError when it is none, or out of bounds."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} must be a number from {low:g} to {high:g}.")
    return value


def text(document: dict[str, Any], name: str) -> str:
    """A text of an action's body; raise UsageError when it is none."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{name} must be a text.")
    return value
