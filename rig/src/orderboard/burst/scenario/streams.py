"""Turns the configuration of a stream into orders and their load, and into words for the report."""

from orderboard.burst.load.mix import OrderSource, OwnOrders, parse_mix
from orderboard.burst.load.stream import Stream
from orderboard.burst.scenario.config import StreamConfig
from orderboard.burst.scenario.defaults import DEFAULT_DURATION, DEFAULT_MIX, DEFAULT_PROFILE, DEFAULT_RATE
from orderboard.burst.scenario.loads import load_of
from orderboard.errors import UsageError
from orderboard.option_values import parsed


def planned_stream(config: StreamConfig, *, seed: int, run: str, scale: float) -> tuple[Stream, float | None]:
    """Return the stream, and the second at which its load ends, if that is known; raise UsageError."""
    load, end_s = load_of(config, seed=seed, scale=scale)
    return Stream(_source(config), load, seed, run, config.name), end_s


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
