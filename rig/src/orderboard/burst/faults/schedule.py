"""The schedule of faults, as it is given on the command line: `10s@5s`, `@7s`, `2@12s`, `throttle=0.1@5s`.

`injector` carries it out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from orderboard.option_values import parse_duration
from orderboard.system.fault_settings import NONE, api_fault_names

WorkerAction = Literal["stop-worker", "start-worker", "freeze-worker", "thaw-worker", "kill-worker", "scale"]
# Of order-api and of the backend. disorder and faults set what is injected from then on, or end it.
OtherAction = Literal["kill-api", "kill-backend", "disorder", "faults", "fill-disk"]
Action = WorkerAction | OtherAction

_WORKER_ACTIONS: Final = get_args(WorkerAction)
_UNDO: Final[Mapping[Action, Action]] = {
    "stop-worker": "start-worker",
    "freeze-worker": "thaw-worker",
}
_MAX_WORKERS: Final = 32
_TEXTS: Final[Mapping[Action, str]] = {
    "stop-worker": "workers stopped (SIGTERM)",
    "start-worker": "workers started again",
    "freeze-worker": "workers frozen (SIGSTOP)",
    "thaw-worker": "workers thawed (SIGCONT)",
    "kill-worker": "a worker killed (SIGKILL), another started",
    "scale": "scaled to {workers} worker{plural}",
    "kill-api": "order-api killed (SIGKILL), started again",
    "kill-backend": "the backend killed (SIGKILL)",
    "disorder": "delivery faults: {settings}",
    "faults": "API faults: {settings}",
    "fill-disk": "the backend's disk is full for {lasts_s:g} s",
}


@dataclass(frozen=True)
class Fault:
    """An action on the system.

    stop-worker: every worker drains and ends; start-worker undoes it. freeze-worker: every worker stands still with
    orders in flight; thaw-worker undoes it. kill-worker: one worker dies with orders in flight, once `after_finished`
    orders have finished, and another is started. scale: a new number of workers. settings: of disorder and faults.
    lasts_s: of fill-disk.
    """

    at_s: float
    action: Action
    workers: int = 0
    after_finished: int = 0
    settings: str = ""
    lasts_s: float = 0.0

    def __str__(self) -> str:
        return _TEXTS[self.action].format(
            workers=self.workers, settings=self.settings, lasts_s=self.lasts_s, plural="" if self.workers == 1 else "s"
        )

    @property
    def kind(self) -> str:
        """The action, or for API faults their names, such as error_after or throttle+latency."""
        return (self.action == "faults" and "+".join(api_fault_names(self.settings))) or self.action

    @property
    def is_end(self) -> bool:
        """True if it only ends what another fault began."""
        return self.action in _UNDO.values() or self.settings == NONE

    @property
    def undoes(self) -> Action | None:
        """The action whose effect it ends."""
        return next((action for action, undo in _UNDO.items() if undo == self.action), None)

    @property
    def needs_embedded(self) -> bool:
        """True if only the embedded backend can have it."""
        return self.action not in (*_WORKER_ACTIONS, "kill-api")


def parse_stop(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: stopped for 10 s, 5 s after the start."""
    return _and_undo(text, "stop-worker")


def parse_freeze(text: str) -> tuple[Fault, Fault]:
    """Parse `10s@5s`: frozen for 10 s, 5 s after the start."""
    return _and_undo(text, "freeze-worker")


def parse_full_disk(text: str) -> Fault:
    """Parse `3s@5s`: full for 3 s, 5 s after the start."""
    lasts_s, at_s = _for_and_at(text)
    return Fault(at_s, "fill-disk", lasts_s=lasts_s)


def parse_kill(text: str, action: Action) -> Fault:
    """Parse `@7s`."""
    before, at, when = text.partition("@")
    if before or not at:
        raise ValueError("expected @TIME, such as @7s")
    return Fault(parse_duration(when), action)


def parse_workers(text: str) -> int | Fault:
    """Parse `2` (from the start) or `2@12s` (from then on)."""
    count, at, when = text.partition("@")
    if not re.fullmatch("[0-9]{1,9}", count) or not 1 <= int(count) <= _MAX_WORKERS:
        raise ValueError(f"expected 1 to {_MAX_WORKERS}, or that with a time, such as 2@12s")
    return Fault(parse_duration(when), "scale", int(count)) if at else int(count)


def parse_settings(text: str, action: Action) -> Fault:
    """Parse `SETTINGS@12s` (from then on) or `SETTINGS` (from the start of the load). The settings stay as text."""
    settings, at, when = text.partition("@")
    return Fault(parse_duration(when) if at else 0.0, action, settings=settings)


def overlap(faults: Iterable[Fault]) -> str | None:
    """Describe the first fault of workers that comes while they are stopped or frozen, or of a full disk; or None."""
    away: Fault | None = None
    full: Fault | None = None
    for fault in sorted(faults, key=lambda each: each.at_s):
        before = None
        if fault.action == "fill-disk":
            before = full if full is not None and fault.at_s < full.at_s + full.lasts_s else None
            full = fault
        elif fault.action in _WORKER_ACTIONS:
            before = None if fault.is_end else away
            away = fault if fault.action in _UNDO else None if fault.is_end else away
        if before is not None:
            return f"{fault} at {fault.at_s:g} s, but {before} at {before.at_s:g} s and not back by then"
    return None


def too_late(faults: Sequence[Fault], load_s: float) -> Iterator[str]:
    """Describe each fault that comes after the end of the load, in a sentence."""
    for fault in faults:
        if not fault.is_end and fault.at_s >= load_s:
            yield (
                f"{fault} at {fault.at_s:g} s: that is after the end of the load at {load_s:g} s, so it may find no "
                "order in flight."
            )


def _and_undo(text: str, action: Action) -> tuple[Fault, Fault]:
    lasts_s, at_s = _for_and_at(text)
    return Fault(at_s, action), Fault(at_s + lasts_s, _UNDO[action])


def _for_and_at(text: str) -> tuple[float, float]:
    lasts, at, when = text.partition("@")
    if not (lasts and at and when):
        raise ValueError("expected FOR@TIME, such as 10s@5s")
    lasts_s, at_s = parse_duration(lasts), parse_duration(when)
    if lasts_s <= 0:
        raise ValueError("FOR must be positive")
    return lasts_s, at_s
