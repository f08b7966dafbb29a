"""Turns the load of a stream into intended times or clients: every check of it that can fail before anything starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orderboard.burst.load.arrivals import Poisson, Profile, parse_profile, parse_trace, scaled, send_times
from orderboard.burst.load.stages import ClientStage, Stage, parse_stage, stage_clients, stage_times
from orderboard.burst.load.stream import Client, Closed, Open
from orderboard.burst.scenario.config import StreamConfig
from orderboard.burst.scenario.defaults import DEFAULT_DURATION, DEFAULT_PROFILE, DEFAULT_RATE, MAX_ORDERS
from orderboard.errors import UsageError
from orderboard.option_values import parse_duration, parsed

_MAX_DURATION_S: Final = 7 * 24 * 3600


def load_of(config: StreamConfig, *, seed: int, scale: float) -> tuple[Open | Closed, float | None]:
    """Return the load, and the second at which it ends, if that is known; raise UsageError.

    scale: of every rate. Its times count from the start of the burst.
    """
    start_s = parsed("--start", parse_duration, config.start)
    stages = [parsed("--stage", parse_stage, each) for each in config.stage]
    _one_kind_of_load(config, stages)
    load: Open | Closed
    end_s: float | None
    if config.clients is not None or _of_clients(stages):
        if scale != 1:
            raise UsageError(
                "--scale is of rates, and clients send as they are answered: leave out --scale, or the clients."
            )
        load, end_s = _closed(config, stages, start_s)
    else:
        times_s, duration_s = _times(config, stages, seed, scale)
        load = Open([start_s + time_s for time_s in times_s] if start_s else times_s)
        end_s = start_s + duration_s
    if end_s is not None and end_s > _MAX_DURATION_S:
        raise UsageError(f"The load ends after {end_s:g} s: expected at most {_MAX_DURATION_S:,} s.")
    return load, end_s


def amounts(
    orders: int | None, duration_s: float | None, rate: float | None, *, scale: float = 1.0
) -> tuple[int, float]:
    """Return orders and seconds, from any two of the three; defaults replace what is missing. Raise UsageError.

    scale: of the rate, and so of the orders in the same time.
    """
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
    orders = max(1, round(orders * scale))
    if orders > MAX_ORDERS:
        scaled_by = "" if scale == 1 else " x --scale"
        raise UsageError(
            f"--orders, or --rate x --duration,{scaled_by} is {orders:,}: expected at most {MAX_ORDERS:,}."
        )
    return orders, duration_s


def _of_clients(stages: Sequence[Stage | ClientStage]) -> bool:
    return any(isinstance(each, ClientStage) for each in stages)


def _one_kind_of_load(config: StreamConfig, stages: Sequence[Stage | ClientStage]) -> None:
    """Raise UsageError for options that do not go together."""
    amount = {"--orders": config.orders, "--duration": config.duration, "--rate": config.rate}
    given = [name for name, value in amount.items() if value is not None]
    if config.trace is not None and given:
        raise UsageError("--trace sets the send times: leave out --orders, --duration and --rate.")
    if stages and config.clients is not None:
        raise UsageError("--stage sets the number of clients, too, such as 30s:10c..50c: leave out --clients.")
    if stages and (given or config.trace is not None):
        wrong = given[0] if given else "--trace"
        raise UsageError(f"--stage sets rates and times: leave out {wrong}, or give another --stage.")
    if _of_clients(stages) and not all(isinstance(each, ClientStage) for each in stages):
        raise UsageError("--stage: some are of rates, and some of clients. Use a [[stream]] for each in burst.toml.")
    if config.clients is not None or _of_clients(stages):
        others = {"--rate": config.rate, "--profile": config.profile, "--trace": config.trace}
        if wrongs := [name for name, value in others.items() if value]:
            raise UsageError(f"Clients send as fast as they get answers: leave out {wrongs[0]}, or the clients.")
    elif config.think is not None:
        raise UsageError("--think is the pause of a client: give --clients, too, or a --stage of clients.")


def _closed(config: StreamConfig, stages: Sequence[Stage | ClientStage], start_s: float) -> tuple[Closed, float | None]:
    think_s = parsed("--think", parse_duration, config.think or "0s")
    if stages:
        clients = stage_clients([each for each in stages if isinstance(each, ClientStage)])
        if not clients:
            raise UsageError("The stages have no client: expected some, such as --stage 30s:10c.")
        working = [Client(start_s + each.from_s, start_s + each.until_s) for each in clients]
        return Closed(tuple(working), think_s), start_s + sum(stage.lasts_s for stage in stages)
    duration_s = None if config.duration is None else parsed("--duration", parse_duration, config.duration)
    if duration_s is not None and not 0 < duration_s <= _MAX_DURATION_S:
        raise UsageError(f"--duration is {duration_s:g} s: expected above 0 and at most {_MAX_DURATION_S:,} s.")
    ends = duration_s is not None or config.orders is None
    if duration_s is None:
        duration_s = parse_duration(DEFAULT_DURATION) if config.orders is None else _MAX_DURATION_S - start_s
    until_s = start_s + duration_s
    return Closed(
        (Client(start_s, until_s),) * (config.clients or 1), think_s, config.orders
    ), until_s if ends else None


def _times(
    config: StreamConfig, stages: Sequence[Stage | ClientStage], seed: int, scale: float
) -> tuple[Sequence[float], float]:
    if config.trace is not None:
        times_s = scaled(parsed("--trace", _read_trace, str(config.trace)), scale)
        if not 1 <= len(times_s) <= MAX_ORDERS:
            raise UsageError(f"--trace x --scale is {len(times_s):,} orders: expected 1 to {MAX_ORDERS:,}.")
        return times_s, times_s[-1]
    profile = parsed("--profile", parse_profile, config.profile or DEFAULT_PROFILE)
    if stages:
        rates = [each.scaled(scale) for each in stages if isinstance(each, Stage)]
        return _staged(rates, config.profile, profile, seed)
    duration_s = None if config.duration is None else parsed("--duration", parse_duration, config.duration)
    orders, duration_s = amounts(config.orders, duration_s, config.rate, scale=scale)
    return send_times(profile, orders=orders, duration_s=duration_s, seed=seed), duration_s


def _staged(stages: Sequence[Stage], text: str | None, profile: Profile, seed: int) -> tuple[Sequence[float], float]:
    if text not in (None, DEFAULT_PROFILE) and not isinstance(profile, Poisson):
        raise UsageError(f"--stage gives the rates: leave out --profile {text}; only poisson goes with stages.")
    expected, duration_s = sum(stage.orders for stage in stages), sum(stage.lasts_s for stage in stages)
    if not 1 <= round(expected) <= MAX_ORDERS:
        raise UsageError(f"The stages have {expected:,.0f} orders together: expected 1 to {MAX_ORDERS:,}.")
    return stage_times(stages, poisson_seed=seed if isinstance(profile, Poisson) else None), duration_s


def _read_trace(path: str) -> Sequence[float]:
    try:
        with Path(path).open(encoding="utf-8") as lines:
            return parse_trace(lines).times_s
    except OSError as exc:
        raise ValueError(exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise ValueError("not UTF-8 text") from exc
