"""The options of a burst's load."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from orderboard.burst.scenario.defaults import DEFAULT_MIX, MAX_CLIENTS, MAX_GENERATORS


def _load(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The load", **more)


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """The load: orders, their times and their kinds."""

    orders: Annotated[
        int | None,
        _load(
            "Number of orders. Give at most two of --orders, --duration and --rate; default 100 a second for 20 s.",
            min=1,
            show_default=False,
            metavar="N",
        ),
    ] = None
    duration: Annotated[
        str | None, _load("Length of the load, such as 40s or 2m.", show_default="20s", metavar="TIME")
    ] = None
    rate: Annotated[float | None, _load("Mean number of orders a second.", show_default="100", metavar="RATE")] = None
    profile: Annotated[
        str | None,
        _load(
            "constant, ramp, spike, sawtooth or poisson; with settings: sawtooth:teeth=8, spike:factor=20,at=0.5 "
            "(at and lasts are shares of the duration).",
            show_default="constant",
            metavar="PROFILE",
        ),
    ] = None
    stage: Annotated[
        list[str] | None,
        _load(
            "A stage of the load: 30s:100 sends 100 orders a second for 30 s, 1m:100..400 goes from 100 to 400. With a "
            "c, a stage of clients, as of --clients: 1m:10c..50c. Repeatable.",
            metavar="TIME:RATE[..RATE]",
            show_default=False,
        ),
    ] = None
    clients: Annotated[
        int | None,
        _load(
            "Closed model instead of a rate: so many clients, each of which sends the next order after the answer to "
            "the last. A slow system then gets less load, and the wait before sending is not measured.",
            min=1,
            max=MAX_CLIENTS,
            show_default=False,
            metavar="N",
        ),
    ] = None
    scale: Annotated[
        float | None,
        _load(
            "Every rate, of every stream and of a trace, times this: 2.5 sends two and a half times the orders in the "
            "same time.",
            metavar="FACTOR",
            show_default="1",
        ),
    ] = None
    think: Annotated[
        str | None,
        _load(
            "Pause of a client between an answer and its next order, such as 100ms.", show_default="0s", metavar="TIME"
        ),
    ] = None
    trace: Annotated[
        Path | None,
        _load("Send times from a file, one a line, in seconds or ISO 8601.", show_default=False, metavar="FILE"),
    ] = None
    mix: Annotated[
        str | None,
        _load(
            "Percent of each kind: express, large, sold_out, invalid, duplicate, cancel, flaky, slow, poison; the rest "
            f"is normal. Default: {DEFAULT_MIX.replace(',', ', ')}.",
            show_default=False,
            metavar="KIND=%,...",
        ),
    ] = None
    own_orders: Annotated[
        Path | None,
        _load(
            "Your own orders, JSON Lines as for `place`; repeated from the first when there are too few.",
            "--from",
            show_default=False,
            metavar="FILE",
        ),
    ] = None
    allow_refused: Annotated[
        bool,
        _load(
            "Refusals (4xx) of your own orders are meant; without it the burst is not valid if there are any.",
            "--allow-refused",
        ),
    ] = False
    seed: Annotated[
        int | None,
        _load("The same seed gives the same orders, with the same ids and times.", show_default="1", metavar="N"),
    ] = None
    connections: Annotated[
        int | None, _load("Most requests in flight at once.", min=1, max=20_000, show_default="512", metavar="N")
    ] = None
    generators: Annotated[
        int | None,
        _load(
            "Processes that send the load together, for more than one can send: each a part of the orders, of the "
            "clients and of the connections. The orders and their times are those of one generator.",
            min=1,
            max=MAX_GENERATORS,
            show_default="1",
        ),
    ] = None
    config: Annotated[
        Path | None,
        _load(
            "A file such as burst.toml: options without their dashes, and [\\[stream]] tables, each with its own load "
            "and mix. Options that are typed count more.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None
    print_config: Annotated[
        bool,
        _load(
            "Print the configuration with every default, as a file for --config, and send nothing.", "--print-config"
        ),
    ] = False
