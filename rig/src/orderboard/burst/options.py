"""From what was typed to what is run: every check that can fail before anything starts, each with its mend."""

import os
import secrets
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from orderboard_stack.backend import DEFAULT_BACKEND, BackendName

from orderboard.burst.chaos.schedule import (
    Fault,
    ScaleWorkers,
    overlapping,
    parse_duration,
    parse_freeze,
    parse_kill,
    parse_stop,
    parse_workers,
)
from orderboard.burst.judge.thresholds import parse_threshold
from orderboard.burst.load.arrivals import Profile, Trace, parse_profile, parse_trace, send_times
from orderboard.burst.mix import Orders, OwnOrders, parse_mix
from orderboard.burst.model import Settings
from orderboard.burst.run import BurstOptions
from orderboard.burst.runner import Plan
from orderboard.errors import UsageError
from orderboard.orders.kinds import SOLD_OUT_SKU
from orderboard.orders.place import BadLine, bounded_lines, parse
from orderboard.system.services import ServiceOptions
from orderboard.system.system import SystemOptions
from orderboard.system.workspace import find_workspace

DEFAULT_MIX: Final = "express=10,large=2,sold_out=1,invalid=1,duplicate=2,cancel=2,poison=0.1"
_DEFAULT_RATE: Final = 100.0
_DEFAULT_DURATION_S: Final = 20.0
_MAX_ORDERS: Final = 5_000_000
# Short, so that orders in the hand of a worker that died come back while one watches.
_VISIBILITY_TIMEOUT_S: Final = 10
Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class Typed:
    """The options as they were typed."""

    backend: BackendName | None
    endpoint_url: str | None
    orders: int | None
    duration: str | None
    rate: float | None
    profile: str
    trace: Path | None
    mix: str | None
    own_orders: Path | None
    seed: int
    workers: Sequence[str]
    stop_worker: Sequence[str]
    freeze_worker: Sequence[str]
    kill_worker: Sequence[str]
    expect: Sequence[str]
    connections: int
    give_up_after: str
    out: Path | None
    yes: bool
    junit: Path | None = None
    disorder: str | None = None


def burst_options(typed: Typed) -> BurstOptions:
    """Check everything; raise UsageError with what can be said."""
    thresholds = [_checked(parse_threshold, text) for text in typed.expect]
    workers, faults = _schedule(typed)
    orders = _orders(typed)
    times_s, duration_s = _times(typed)
    run = secrets.token_hex(3)
    state_dir = find_workspace().state_dir
    out = typed.out or state_dir / "bursts" / datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    settings = Settings(
        command=shlex.join(["orderboard", *sys.argv[1:]]),
        backend=typed.backend or DEFAULT_BACKEND,
        profile="trace" if typed.trace else typed.profile,
        orders=len(times_s),
        duration_s=duration_s,
        rate=round(len(times_s) / duration_s, 3) if duration_s else 0.0,
        mix=str(typed.own_orders) if typed.own_orders else _mix(typed) or "all normal",
        seed=typed.seed,
        workers=workers,
        connections=typed.connections,
        faults=tuple(f"{fault.at_s:g} s: {fault}" for fault in faults),
        disorder=typed.disorder,
    )
    plan = Plan(
        orders=orders,
        times_s=times_s,
        seed=typed.seed,
        run=f"burst-{typed.seed}",  # each burst has a table of its own, so ids that come again meet nothing
        connections=typed.connections,
        faults=faults,
        give_up_after_s=_checked(parse_duration, typed.give_up_after),
    )
    if typed.junit is not None:
        if typed.junit.is_dir():
            raise UsageError(f"{typed.junit}: is a folder; --junit names a file")
        _folder(typed.junit.parent)
    _folder(out)
    return BurstOptions(_system(typed, run, out, workers), plan, settings, thresholds, out)


def _system(typed: Typed, run: str, out: Path, workers: int) -> SystemOptions:
    name = f"orderboard-burst-{run}"
    return SystemOptions(
        backend=typed.backend or DEFAULT_BACKEND,
        endpoint_url=typed.endpoint_url,
        stack_name=name,
        prefix=name,
        parameters={"WorkVisibilityTimeoutS": str(_VISIBILITY_TIMEOUT_S), "WithDashboard": "false"},
        services=ServiceOptions(
            logs_dir=out / "logs",
            workers=workers,
            allow_faults=True,
            worker_environment={"ORDERBOARD_SOLD_OUT": SOLD_OUT_SKU},
        ),
        keeps_stack=False,
        yes=typed.yes,
        disorder=typed.disorder,
    )


def _schedule(typed: Typed) -> tuple[int, tuple[Fault, ...]]:
    faults: list[Fault] = []
    for text in typed.stop_worker:
        faults += _checked(parse_stop, text)
    for text in typed.freeze_worker:
        faults += _checked(parse_freeze, text)
    faults += [_checked(parse_kill, text) for text in typed.kill_worker]
    from_the_start: list[int] = []
    for wanted in (_checked(parse_workers, text) for text in typed.workers):
        if isinstance(wanted, ScaleWorkers):
            faults.append(wanted)
        else:
            from_the_start.append(wanted)
    if len(from_the_start) > 1:
        raise UsageError(f"--workers says {from_the_start[0]} and {from_the_start[1]}; give later ones a time: 2@12s")
    if (wrong := overlapping(faults)) is not None:
        raise UsageError(f"The faults overlap: {wrong}.")
    return from_the_start[0] if from_the_start else 1, tuple(sorted(faults, key=lambda fault: fault.at_s))


def _orders(typed: Typed) -> Orders:
    if typed.own_orders is None:
        return _checked(parse_mix, _mix(typed))
    if typed.mix is not None:
        raise UsageError("--mix and --from exclude each other.")
    try:
        with typed.own_orders.open("rb") as stream:
            lines = list(parse(bounded_lines(stream)))
    except OSError as exc:
        raise UsageError(f"{typed.own_orders}: {exc.strerror}") from exc
    for line in lines:
        if isinstance(line, BadLine):
            raise UsageError(f"{typed.own_orders}, line {line.number}: {line.reason}")
    if not lines:
        raise UsageError(f"{typed.own_orders} has no order.")
    return OwnOrders(tuple(line.order for line in lines if not isinstance(line, BadLine)))


def _mix(typed: Typed) -> str:
    return DEFAULT_MIX if typed.mix is None else typed.mix


def _folder(path: Path) -> Path:
    """Make it, before a burst is run whose files could not be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}") from exc
    if not os.access(path, os.W_OK):
        raise UsageError(f"{path}: nothing can be written there")
    return path


def _times(typed: Typed) -> tuple[Sequence[float], float]:
    if typed.trace is not None:
        if (typed.orders, typed.duration, typed.rate) != (None, None, None):
            raise UsageError("--trace has times of its own: leave out --orders, --duration and --rate.")
        times_s = _read_trace(typed.trace).times_s
        return times_s, times_s[-1]
    profile: Profile = _checked(parse_profile, typed.profile)
    duration_s = None if typed.duration is None else _checked(parse_duration, typed.duration)
    orders, duration_s = amounts(typed.orders, duration_s, typed.rate)
    return send_times(profile, orders=orders, duration_s=duration_s, seed=typed.seed), duration_s


def amounts(orders: int | None, duration_s: float | None, rate: float | None) -> tuple[int, float]:
    """Orders and seconds, from any two of the three; with fewer, the defaults help out. Raises UsageError."""
    if orders is not None and duration_s is not None and rate is not None:
        raise UsageError("Give two of --orders, --duration and --rate; the third follows.")
    if (rate is not None and not 0 < rate < float("inf")) or (duration_s is not None and duration_s <= 0):
        raise UsageError("--rate and --duration must be more than nothing.")
    if orders is None:
        duration_s = _DEFAULT_DURATION_S if duration_s is None else duration_s
        orders = max(1, round((rate or _DEFAULT_RATE) * duration_s))
    elif duration_s is None:
        duration_s = orders / (rate or _DEFAULT_RATE)
    if not 1 <= orders <= _MAX_ORDERS:
        raise UsageError(f"{orders} orders; a burst has 1 to {_MAX_ORDERS}.")
    return orders, duration_s


def _read_trace(path: Path) -> Trace:
    try:
        with path.open(encoding="utf-8") as lines:
            return parse_trace(iter(lines))
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path}: not UTF-8") from exc
    except ValueError as exc:
        raise UsageError(f"{path}: {exc}") from exc


def _checked(parse_text: Callable[[str], Parsed], text: str) -> Parsed:
    try:
        return parse_text(text)
    except ValueError as exc:
        raise UsageError(f"{exc}.") from exc
