"""Turns options into a plan: every check that can fail before anything starts."""

import secrets
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from orderboard_stack.backend import DEFAULT_BACKEND

from orderboard.burst.export.files import parse_formats
from orderboard.burst.faults.planned import plan_faults
from orderboard.burst.faults.schedule import too_late
from orderboard.burst.judge.thresholds import Threshold, parse_threshold
from orderboard.burst.load.arrivals import parse_profile, parse_trace, send_times
from orderboard.burst.load.mix import OrderSource, OwnOrders, parse_mix
from orderboard.burst.measured_system import Where, measured_system
from orderboard.burst.model import Settings
from orderboard.burst.options import DEFAULT_MIX, BurstOptions
from orderboard.burst.runner import Plan
from orderboard.burst.runs.folders import LOGS, claim_folder, make_folder
from orderboard.errors import UsageError
from orderboard.option_values import parse_duration, parsed
from orderboard.system.system import SystemOptions

_DEFAULT_RATE: Final = 100.0
_DEFAULT_DURATION_S: Final = 20.0
_MAX_ORDERS: Final = 5_000_000
_MAX_DURATION_S: Final = 7 * 24 * 3600
# Short, so that orders in flight at a worker that died come back while one watches.
_VISIBILITY_TIMEOUT_S: Final = 10


@dataclass(frozen=True)
class PlannedBurst:
    """A burst that passed every check."""

    system: SystemOptions
    plan: Plan
    settings: Settings
    thresholds: Sequence[Threshold]
    out: Path
    tags: tuple[str, ...] = ()
    note: str = ""
    exports: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_burst(options: BurstOptions, where: Where) -> PlannedBurst:
    """Check the options and make the folders; raise UsageError."""
    thresholds = [parsed("--expect", parse_threshold, text) for text in options.expect or ()]
    chaos = plan_faults(options, where)
    where = replace(where, disorder=chaos.disorder)
    source = _source(options)
    times_s, duration_s = _times(options)
    give_up_after_s = parsed("--give-up-after", parse_duration, options.give_up_after)
    settings = Settings(
        command=shlex.join(["orderboard", *sys.argv[1:]]),
        backend=where.backend or DEFAULT_BACKEND,
        profile="trace" if options.trace else options.profile,
        orders=len(times_s),
        duration_s=duration_s,
        rate=round(len(times_s) / duration_s, 3) if duration_s else 0.0,
        mix=str(options.own_orders) if options.own_orders else _mix(options) or "all normal",
        seed=options.seed,
        workers=chaos.workers,
        connections=options.connections,
        faults=tuple(f"{fault.at_s:g} s: {fault}" for fault in chaos.faults),
        disorder=where.disorder,
    )
    plan = Plan(
        source=source,
        times_s=times_s,
        seed=options.seed,
        run=f"burst-{options.seed}",  # each burst has its own table, so repeated ids meet nothing
        connections=options.connections,
        faults=chaos.faults,
        give_up_after_s=give_up_after_s,
    )
    if options.junit is not None:
        if options.junit.is_dir():
            raise UsageError(f"--junit {options.junit}: expected a file, not a folder.")
        make_folder("--junit", options.junit.parent)
    out = claim_folder(options.out)
    name = f"orderboard-burst-{secrets.token_hex(3)}"
    system = measured_system(
        name,
        where,
        logs_dir=out / LOGS,
        workers=chaos.workers,
        visibility_timeout_s=_VISIBILITY_TIMEOUT_S,
        faulty=any(fault.needs_embedded for fault in chaos.faults),
    )
    return PlannedBurst(
        system,
        plan,
        settings,
        thresholds,
        out,
        tags=tuple(options.tag or ()),
        note=options.note.strip(),
        exports=() if options.export is None else parsed("--export", parse_formats, options.export),
        warnings=tuple(too_late(chaos.faults, duration_s)),
    )


def _source(options: BurstOptions) -> OrderSource:
    path = options.own_orders
    if path is None:
        if options.allow_refused:
            raise UsageError(
                "--allow-refused is for your own orders, with --from; a mix says itself which are refused."
            )
        return parsed("--mix", parse_mix, _mix(options))
    if options.mix is not None:
        raise UsageError("--mix and --from exclude each other.")
    from orderboard.orders.place import BadLine, bounded_lines, parse  # noqa: PLC0415 - imports an HTTP client

    try:
        with path.open("rb") as stream:
            lines = list(parse(bounded_lines(stream)))
    except OSError as exc:
        raise UsageError(f"--from {path}: {exc.strerror}.") from exc
    for line in lines:
        if isinstance(line, BadLine):
            raise UsageError(f"--from {path}, line {line.number}: {line.reason}")
    if not lines:
        raise UsageError(f"--from {path}: the file has no orders.")
    orders = tuple((line.number, line.order) for line in lines if not isinstance(line, BadLine))
    return OwnOrders(orders, may_be_refused=options.allow_refused)


def _mix(options: BurstOptions) -> str:
    return DEFAULT_MIX if options.mix is None else options.mix


def _times(options: BurstOptions) -> tuple[Sequence[float], float]:
    if options.trace is not None:
        if (options.orders, options.duration, options.rate) != (None, None, None):
            raise UsageError("--trace sets the send times: leave out --orders, --duration and --rate.")
        times_s = parsed("--trace", _read_trace, str(options.trace))
        return times_s, times_s[-1]
    profile = parsed("--profile", parse_profile, options.profile)
    duration_s = None if options.duration is None else parsed("--duration", parse_duration, options.duration)
    orders, duration_s = amounts(options.orders, duration_s, options.rate)
    return send_times(profile, orders=orders, duration_s=duration_s, seed=options.seed), duration_s


def amounts(orders: int | None, duration_s: float | None, rate: float | None) -> tuple[int, float]:
    """Return orders and seconds, from any two of the three; defaults replace what is missing. Raise UsageError."""
    if orders is not None and duration_s is not None and rate is not None:
        raise UsageError("Give at most two of --orders, --duration and --rate; the third follows.")
    if rate is not None and not 0 < rate <= _MAX_ORDERS:
        raise UsageError(f"--rate is {rate:g}: expected above 0 and at most {_MAX_ORDERS:,} orders a second.")
    if duration_s is not None and not 0 < duration_s <= _MAX_DURATION_S:
        raise UsageError(f"--duration is {duration_s:g} s: expected above 0 and at most {_MAX_DURATION_S:,} s.")
    if orders is None:
        duration_s = _DEFAULT_DURATION_S if duration_s is None else duration_s
        orders = max(1, round((rate or _DEFAULT_RATE) * duration_s))
    elif duration_s is None:
        duration_s = orders / (rate or _DEFAULT_RATE)
        if duration_s > _MAX_DURATION_S:
            raise UsageError(f"--orders at --rate take {duration_s:g} s: expected at most {_MAX_DURATION_S:,} s.")
    if not 1 <= orders <= _MAX_ORDERS:
        raise UsageError(f"--orders, or --rate x --duration, is {orders}: expected 1 to {_MAX_ORDERS}.")
    return orders, duration_s


def _read_trace(path: str) -> Sequence[float]:
    try:
        with Path(path).open(encoding="utf-8") as lines:
            return parse_trace(lines).times_s
    except OSError as exc:
        raise ValueError(exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise ValueError("not UTF-8 text") from exc
