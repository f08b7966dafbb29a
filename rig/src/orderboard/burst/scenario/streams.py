"""Turns the configuration of a stream into orders and their times: every check that can fail before anything starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orderboard.burst.load.arrivals import Poisson, Profile, parse_profile, parse_trace, send_times
from orderboard.burst.load.mix import OrderSource, OwnOrders, parse_mix
from orderboard.burst.load.stages import parse_stage, stage_times
from orderboard.burst.load.stream import Closed, Open, Stream
from orderboard.burst.scenario.config import StreamConfig
from orderboard.burst.scenario.defaults import (
    DEFAULT_DURATION,
    DEFAULT_MIX,
    DEFAULT_PROFILE,
    DEFAULT_RATE,
    MAX_ORDERS,
)
from orderboard.errors import UsageError
from orderboard.option_values import parse_duration, parsed

_MAX_DURATION_S: Final = 7 * 24 * 3600


def planned_stream(config: StreamConfig, *, seed: int, run: str) -> tuple[Stream, float | None]:
    """Return the stream, and the second at which its load ends, if that is known; raise UsageError."""
    start_s = parsed("--start", parse_duration, config.start)
    _one_kind_of_load(config)
    source = _source(config)
    load: Open | Closed
    end_s: float | None
    if config.clients is not None:
        load = _closed(config, config.clients, start_s)
        end_s = load.until_s if config.duration is not None or config.orders is None else None
    else:
        times_s, duration_s = _times(config, seed)
        load = Open([start_s + time_s for time_s in times_s] if start_s else times_s)
        end_s = start_s + duration_s
    if end_s is not None and end_s > _MAX_DURATION_S:
        raise UsageError(f"The load ends after {end_s:g} s: expected at most {_MAX_DURATION_S:,} s.")
    return Stream(source, load, seed, run, config.name), end_s


def load_text(config: StreamConfig) -> str:
    """Return the load in words, for the report."""
    if config.clients is not None:
        return f"{config.clients} client{'' if config.clients == 1 else 's'}"
    if config.stage:
        return f"stages {', '.join(config.stage)}"
    return "trace" if config.trace else config.profile or DEFAULT_PROFILE


def mix_text(config: StreamConfig) -> str:
    """Return the orders in words, for the report."""
    if config.own_orders is not None:
        return str(config.own_orders)
    return (DEFAULT_MIX if config.mix is None else config.mix) or "all normal"


def effective_stream(config: StreamConfig) -> StreamConfig:
    """Return the stream with its defaults."""
    changes: dict[str, object] = {}
    if config.own_orders is None:
        changes["mix"] = DEFAULT_MIX if config.mix is None else config.mix
    if config.clients is not None:
        if config.orders is None:
            changes["duration"] = config.duration or DEFAULT_DURATION
    elif config.trace is None and not config.stage:
        changes["profile"] = config.profile or DEFAULT_PROFILE
        if config.orders is None:
            changes["duration"] = config.duration or DEFAULT_DURATION
        if config.rate is None and None in (config.orders, config.duration):
            changes["rate"] = DEFAULT_RATE
    return config.model_copy(update=changes)


def amounts(orders: int | None, duration_s: float | None, rate: float | None) -> tuple[int, float]:
    """Return orders and seconds, from any two of the three; defaults replace what is missing. Raise UsageError."""
    if orders is not None and duration_s is not None and rate is not None:
        raise UsageError("Give at most two of --orders, --duration and --rate; the third follows.")
    if rate is not None and not 0 < rate <= MAX_ORDERS:
        raise UsageError(f"--rate is {rate:g}: expected above 0 and at most {MAX_ORDERS:,} orders a second.")
    if duration_s is not None and not 0 < duration_s <= _MAX_DURATION_S:
        raise UsageError(f"--duration is {duration_s:g} s: expected above 0 and at most {_MAX_DURATION_S:,} s.")
    if orders is None:
        duration_s = parse_duration(DEFAULT_DURATION) if duration_s is None else duration_s
        orders = max(1, round((rate or DEFAULT_RATE) * duration_s))
    elif duration_s is None:
        duration_s = orders / (rate or DEFAULT_RATE)
        if duration_s > _MAX_DURATION_S:
            raise UsageError(f"--orders at --rate take {duration_s:g} s: expected at most {_MAX_DURATION_S:,} s.")
    if not 1 <= orders <= MAX_ORDERS:
        raise UsageError(f"--orders, or --rate x --duration, is {orders}: expected 1 to {MAX_ORDERS}.")
    return orders, duration_s


def _one_kind_of_load(config: StreamConfig) -> None:
    """Raise UsageError for options that do not go together."""
    amount = {"--orders": config.orders, "--duration": config.duration, "--rate": config.rate}
    given = [name for name, value in amount.items() if value is not None]
    if config.trace is not None and given:
        raise UsageError("--trace sets the send times: leave out --orders, --duration and --rate.")
    if config.stage and (given or config.trace is not None):
        wrong = given[0] if given else "--trace"
        raise UsageError(f"--stage sets rates and times: leave out {wrong}, or give another --stage.")
    if config.clients is not None:
        others = {"--rate": config.rate, "--profile": config.profile, "--trace": config.trace, "--stage": config.stage}
        if wrongs := [name for name, value in others.items() if value]:
            raise UsageError(
                f"--clients send as fast as they get answers: leave out {wrongs[0]}, or leave out --clients."
            )
    elif config.think is not None:
        raise UsageError("--think is the pause of a client: give --clients, too.")


def _closed(config: StreamConfig, clients: int, start_s: float) -> Closed:
    duration_s = None if config.duration is None else parsed("--duration", parse_duration, config.duration)
    if duration_s is not None and not 0 < duration_s <= _MAX_DURATION_S:
        raise UsageError(f"--duration is {duration_s:g} s: expected above 0 and at most {_MAX_DURATION_S:,} s.")
    if duration_s is None:
        duration_s = parse_duration(DEFAULT_DURATION) if config.orders is None else _MAX_DURATION_S - start_s
    think_s = parsed("--think", parse_duration, config.think or "0s")
    return Closed(clients, start_s + duration_s, start_s, think_s, config.orders)


def _times(config: StreamConfig, seed: int) -> tuple[Sequence[float], float]:
    if config.trace is not None:
        times_s = parsed("--trace", _read_trace, str(config.trace))
        return times_s, times_s[-1]
    profile = parsed("--profile", parse_profile, config.profile or DEFAULT_PROFILE)
    if config.stage:
        return _staged(config.stage, config.profile, profile, seed)
    duration_s = None if config.duration is None else parsed("--duration", parse_duration, config.duration)
    orders, duration_s = amounts(config.orders, duration_s, config.rate)
    return send_times(profile, orders=orders, duration_s=duration_s, seed=seed), duration_s


def _staged(texts: Sequence[str], text: str | None, profile: Profile, seed: int) -> tuple[Sequence[float], float]:
    if text not in (None, DEFAULT_PROFILE) and not isinstance(profile, Poisson):
        raise UsageError(f"--stage gives the rates: leave out --profile {text}; only poisson goes with stages.")
    stages = [parsed("--stage", parse_stage, each) for each in texts]
    expected, duration_s = sum(stage.orders for stage in stages), sum(stage.lasts_s for stage in stages)
    if not 1 <= round(expected) <= MAX_ORDERS:
        raise UsageError(f"The stages have {expected:,.0f} orders together: expected 1 to {MAX_ORDERS:,}.")
    return stage_times(stages, poisson_seed=seed if isinstance(profile, Poisson) else None), duration_s


def _source(config: StreamConfig) -> OrderSource:
    path = config.own_orders
    if path is None:
        if config.allow_refused:
            raise UsageError(
                "--allow-refused is for your own orders, with --from; a mix says itself which are refused."
            )
        return parsed("--mix", parse_mix, DEFAULT_MIX if config.mix is None else config.mix)
    if config.mix is not None:
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
    return OwnOrders(orders, may_be_refused=config.allow_refused)


def _read_trace(path: str) -> Sequence[float]:
    try:
        with Path(path).open(encoding="utf-8") as lines:
            return parse_trace(lines).times_s
    except OSError as exc:
        raise ValueError(exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise ValueError("not UTF-8 text") from exc
