"""The configuration that file and options give together."""

from dataclasses import fields
from typing import Final

from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.config import BurstConfig, StreamConfig
from orderboard.burst.scenario.config_file import read_config
from orderboard.burst.scenario.streams import effective_stream
from orderboard.errors import UsageError

_OF_BURST: Final = frozenset(BurstConfig.model_fields) - {"stream"}
_OF_STREAM: Final = frozenset(StreamConfig.model_fields) - {"expect"}


def configured(options: BurstOptions) -> BurstConfig:
    """Return the configuration of the file, changed by the options that were typed; raise UsageError."""
    config = BurstConfig() if options.config is None else read_config(options.config)
    typed = {
        each.name: value
        for each in fields(options)
        if (value := getattr(options, each.name)) is not None and value is not False
    }
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in typed.items()}
    of_stream = {name: value for name, value in changes.items() if name in _OF_STREAM}
    if of_stream and config.stream:
        option = "--" + ("from" if "own_orders" in of_stream else next(iter(of_stream)).replace("_", "-"))
        raise UsageError(f"{option}: the loads are those of the streams in {options.config}; change them there.")
    if of_stream:
        changes["stream"] = (StreamConfig().model_copy(update=of_stream),)
    return config.model_copy(update={name: changes[name] for name in changes if name in (*_OF_BURST, "stream")})


def effective(config: BurstConfig) -> BurstConfig:
    """Return the configuration with every default, which gives the same burst."""
    return config.model_copy(update={"stream": tuple(map(effective_stream, config.streams))})
