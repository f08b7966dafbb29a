"""Every check of a burst that can fail before anything starts or is written."""

import secrets
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from orderboard_stack.backend import DEFAULT_BACKEND

from orderboard.burst.faults.planned import PlannedFaults, plan_faults
from orderboard.burst.faults.schedule import too_late
from orderboard.burst.judge.threshold_text import parse_for_stream, parse_threshold
from orderboard.burst.judge.thresholds import Threshold
from orderboard.burst.load.stream import Closed, Stream
from orderboard.burst.measured_system import Where
from orderboard.burst.measurement import Plan
from orderboard.burst.model import Settings, StreamSettings
from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.config import BurstConfig
from orderboard.burst.scenario.configured import configured, effective
from orderboard.burst.scenario.defaults import MAX_SCALE
from orderboard.burst.scenario.streams import load_text, mix_text, planned_stream
from orderboard.burst.targets.named import NamedTarget, named_target
from orderboard.errors import UsageError
from orderboard.option_values import parse_duration, parsed
from orderboard.system.telemetry import asked_for

_TOKEN_OPTION: Final = "--token"  # noqa: S105 - its name
CLOSED: Final = (
    "Closed model: clients wait for their answers, so a slow system gets less load, and the time that orders would "
    "have waited before they were sent is in no latency. To see it, use --rate, or --stage with rates."
)
_TRACED: Final = (
    "Traces are on: OpenTelemetry's variables are set, and every span costs the services processor time, so this burst "
    "compares with traced ones only. OTEL_TRACES_EXPORTER=none turns them off, OTEL_TRACES_SAMPLER takes fewer."
)


@dataclass(frozen=True, kw_only=True)
class CheckedBurst:
    """A burst that passed every check."""

    config: BurstConfig
    where: Where
    target: NamedTarget | None = None
    plan: Plan
    settings: Settings
    thresholds: Sequence[Threshold]
    warnings: tuple[str, ...] = ()


def check(options: BurstOptions, where: Where) -> CheckedBurst:
    """Check the options and the file; raise UsageError."""
    target = named_target(options, where)
    config = effective(configured(options) if target is None else target.fitted(configured(options)))
    where = replace(where, backend=where.backend or config.backend)
    config = config.model_copy(update={"backend": where.backend or DEFAULT_BACKEND})
    chaos = plan_faults(config, where)
    # A new system has a new table, so repeated ids meet nothing; elsewhere others' and earlier orders have other ids.
    run = f"burst-{config.seed if target is None else secrets.token_hex(4)}"
    streams, ends_s = _streams(config, options.config, run)
    end_s = None if None in ends_s else max(each or 0.0 for each in ends_s)
    _enough_for(config, streams)
    plan = Plan(
        streams=streams,
        generators=config.generators,
        connections=config.connections,
        faults=chaos.faults,
        scaling=chaos.scaling,
        abort_on_fail=tuple(parsed("--abort-on-fail", _of_progress, text) for text in config.abort_on_fail),
        give_up_after_s=parsed("--give-up-after", parse_duration, config.give_up_after),
        shared=target is not None,
        api_token=where.api_token if target is None else target.token,
    )
    return CheckedBurst(
        config=config,
        where=replace(where, disorder=chaos.disorder),
        target=target,
        plan=plan,
        settings=_settings(config, streams, end_s, chaos),
        thresholds=[*_thresholds(config, streams), *plan.abort_on_fail],
        warnings=(
            *(() if end_s is None else too_late(chaos.faults, end_s)),
            *_slow_scaling(chaos, end_s),
            *([_TRACED] if target is None and asked_for("traces") else []),
            *([CLOSED] if any(isinstance(stream.load, Closed) for stream in streams) else []),
        ),
    )


def _slow_scaling(chaos: PlannedFaults, end_s: float | None) -> Iterator[str]:
    if chaos.scaling is not None and end_s is not None and end_s <= chaos.scaling.first_after_s:
        yield (
            f"The workers scale out after {chaos.scaling.first_after_s:g} s at the earliest, and the load ends at "
            f"{end_s:g} s. For a short burst, add period=2s,scale-out-cooldown=10s,scale-in-cooldown=10s to --workers."
        )


def _streams(config: BurstConfig, file: Path | None, prefix: str) -> tuple[list[Stream], list[float | None]]:
    if not 0 < config.scale <= MAX_SCALE:
        raise UsageError(f"--scale is {config.scale:g}: expected above 0 and at most {MAX_SCALE:,}.")
    streams, ends_s = [], []
    names = [each.name for each in config.streams]
    if repeated := next((name for name in names if name and names.count(name) > 1), None):
        raise UsageError(f"{file}: two streams have the name {repeated}; each needs its own.")
    for number, each in enumerate(config.streams):
        run = prefix + (f"-{each.name or number + 1}" if len(names) > 1 else "")
        try:
            stream, end_s = planned_stream(each, seed=config.seed + number, run=run, scale=config.scale)
            stream = replace(stream, name=each.name or (str(number + 1) if len(names) > 1 else ""))
        except UsageError as exc:
            if file is None:
                raise
            raise UsageError(f"{file}, stream {each.name or number + 1}: {exc}") from exc
        streams.append(stream)
        ends_s.append(end_s)
    return streams, ends_s


def _without_token(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments without the token of `burst serve`: a report may be read by anyone."""
    rest = iter(arguments)
    for each in rest:
        if each == _TOKEN_OPTION:
            next(rest, None)
        elif not each.startswith(f"{_TOKEN_OPTION}="):
            yield each


def _enough_for(config: BurstConfig, streams: Sequence[Stream]) -> None:
    """Raise UsageError if a generator would have nothing to send."""
    wanted = config.generators
    for stream in streams:
        load, which = stream.load, f"stream {stream.name} has" if stream.name else "there are"
        counts = {"orders": stream.planned, "clients": len(load.clients) if isinstance(load, Closed) else None}
        for name, count in counts.items():
            if count is not None and count < wanted:
                raise UsageError(f"--generators {wanted}: {which} {count} {name}; each generator needs one at least.")
    if config.connections < wanted:
        raise UsageError(f"--generators {wanted}: --connections is {config.connections}; each generator needs one.")


def _thresholds(config: BurstConfig, streams: Sequence[Stream]) -> Iterator[Threshold]:
    """Yield those of the burst, then those of each stream."""
    names = [stream.name for stream in streams]
    for text in (*config.expect, *config.abort_on_fail):
        found = parsed("--expect", parse_threshold, text)
        name = dict(found.selectors).get("stream")
        if name is not None and name not in names:
            known = f"expected one of {', '.join(names)}" if any(names) else "a [[stream]] of burst.toml has a name"
            raise UsageError(f"--expect {text}: no stream is called {name}; {known}.")
        if text in config.expect:
            yield found
    for stream, each in zip(streams, config.streams, strict=True):
        of_stream = partial(parse_for_stream, name=stream.name)
        for text in each.expect:
            yield parsed(f"stream {stream.name or 1}, expect", of_stream, text)


def _of_progress(text: str) -> Threshold:
    found = parse_threshold(text)
    if not found.in_progress:
        raise ValueError(f"{found.metric} is known only at the end, so give it with --expect; latencies and answers go")
    return found


def _settings(config: BurstConfig, streams: Sequence[Stream], end_s: float | None, chaos: PlannedFaults) -> Settings:
    known = [stream.planned for stream in streams]
    orders = 0 if None in known else sum(number or 0 for number in known)
    loads, mixes = [load_text(each) for each in config.streams], [mix_text(each) for each in config.streams]
    scaled = "" if config.scale == 1 else f", x {config.scale:g}"
    return Settings(
        command=shlex.join(["orderboard", *_without_token(sys.argv[1:])]),
        backend=config.backend or DEFAULT_BACKEND,
        profile=(loads[0] if len(loads) == 1 else f"{len(loads)} streams") + scaled,
        orders=orders,
        duration_s=end_s or 0.0,
        rate=round(orders / end_s, 3) if end_s else 0.0,
        mix=mixes[0] if len(set(mixes)) == 1 else "by stream",
        scale=config.scale,
        seed=config.seed,
        workers=chaos.workers,
        worker=config.worker,
        connections=config.connections,
        generators=config.generators,
        faults=tuple(f"{fault.at_s:g} s: {fault}" for fault in chaos.faults),
        disorder=chaos.disorder,
        scaling=None if chaos.scaling is None else str(chaos.scaling),
        closed=any(isinstance(stream.load, Closed) for stream in streams),
        streams=tuple(
            StreamSettings(name=each.name or str(number), load=load, orders=stream.planned, mix=mix)
            for number, (each, stream, load, mix) in enumerate(
                zip(config.streams, streams, loads, mixes, strict=True), 1
            )
        ),
    )
