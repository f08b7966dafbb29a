"""`orderboard clock`, `disorder`, `faults`: the clock of localbus and the faults that it injects."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption
from orderboard.errors import RigError
from orderboard.system.fault_settings import API_FAULTS, DELIVERY_FAULTS, NONE
from orderboard.terminal.progress import print_json, result_console

if TYPE_CHECKING:
    from orderboard.system.localbus import Localbus

CLOCK_EXAMPLES: Final = ("orderboard clock", "orderboard clock +30s", "orderboard clock +14d")
DISORDER_EXAMPLES: Final = (
    "orderboard disorder",
    "orderboard disorder duplicates=0.1,reordering=0.2,seed=7",
    "orderboard disorder missed_polls=0.5 --queue work",
    "orderboard disorder none",
)
FAULTS_EXAMPLES: Final = (
    "orderboard faults",
    "orderboard faults throttle=0.1,error_after:PublishBatch=0.2",
    "orderboard faults latency:ReceiveMessage/300ms=0.5,timeout_after:PublishBatch/2000ms=0.1",
    "orderboard faults none",
)


def clock(
    advance: Annotated[
        str | None,
        typer.Argument(
            help="Advance a manual clock, by ms, s, m, h or d, such as +30s.", metavar="+TIME", show_default=False
        ),
    ] = None,
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show the clock of queues, rules and tables, or advance it. Needs `orderboard up --manual-clock`."""
    from orderboard.option_values import parsed
    from orderboard.system.localbus import CLOCK

    seconds = None if advance is None else parsed("TIME", _advance, advance)
    with _localbus(backend, endpoint_url, "a clock that can be advanced") as engine:
        found = engine.get(CLOCK) or {}
        if seconds is not None:
            if not found.get("manual"):
                raise RigError(
                    "The clock is real. Start a system whose clock you advance: orderboard up --manual-clock"
                )
            found = engine.change("POST", CLOCK, {"advance_s": seconds})
    if json_output:
        print_json(found)
        return
    at = datetime.fromtimestamp(found["now"], UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    kind = "manual: it stands still until you advance it" if found["manual"] else "real"
    result_console().print(f" {at} UTC, {kind}", markup=False)


def disorder(
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{', '.join(DELIVERY_FAULTS)}, each with its probability, and seed; or {NONE}. They replace what was "
            "set before.",
            metavar="SETTINGS",
            show_default=False,
        ),
    ] = None,
    *,
    queue: Annotated[
        str | None,
        typer.Option(help="Only for this queue: a name, URL or ARN.", metavar="QUEUE", show_default=False),
    ] = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show or set how unreliable queues and rules are, as AWS allows: the delivery faults of localbus."""
    from orderboard.option_values import parsed
    from orderboard.resources.account import Account
    from orderboard.system.fault_settings import delivery_faults, delivery_faults_text
    from orderboard.system.localbus import DELIVERY_FAULTS as PATH

    wanted = None
    if settings is not None:
        wanted = parsed("SETTINGS", partial(delivery_faults, any_name=True), ",".join(settings))
    with _localbus(backend, endpoint_url, "delivery faults") as engine:
        found = engine.get(PATH) or {}
        name = None if queue is None else Account.connect(backend, endpoint_url, None).queue(queue).name
        if wanted is not None:
            found = engine.change("PUT", PATH, _merged(found, wanted, name))
    if json_output:
        print_json(found)
        return
    console = result_console()
    console.print(f" Delivery faults: {delivery_faults_text(found)}", markup=False, soft_wrap=True)
    for each, of_queue in found.get("queues", {}).items():
        console.print(f"   of {each}: {delivery_faults_text(of_queue)}", markup=False, soft_wrap=True)


def faults(
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{', '.join(API_FAULTS)}, of all actions or of one, each with its probability (of latency also with "
            f"its length), and seed; or {NONE}. They replace what was set before.",
            metavar="SETTINGS",
            show_default=False,
        ),
    ] = None,
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show or set the share of AWS calls that fail or are slow: the API faults of localbus."""
    from orderboard.option_values import parsed
    from orderboard.system.fault_settings import api_faults, api_faults_text
    from orderboard.system.localbus import FAULTS

    wanted = None if settings is None else parsed("SETTINGS", partial(api_faults, any_kind=True), ",".join(settings))
    with _localbus(backend, endpoint_url, "API faults") as engine:
        found = (engine.get(FAULTS) or {}) if wanted is None else engine.change("PUT", FAULTS, wanted)
    if json_output:
        print_json(found)
        return
    text = api_faults_text(found.get("rules", []))
    result_console().print(f" API faults: {text}", markup=False, soft_wrap=True)


@contextmanager
def _localbus(backend: BackendOption, endpoint_url: str | None, what: str) -> "Iterator[Localbus]":
    from orderboard.system.connect import connect_backend
    from orderboard.system.localbus import find

    endpoint = connect_backend(backend, endpoint_url)[0].endpoint
    if (engine := find(endpoint)) is None:
        raise RigError(f"Only localbus has {what}; the backend is {endpoint.name}.")
    with closing(engine):
        yield engine


def _advance(text: str) -> float:
    from orderboard.option_values import parse_duration

    if not text.startswith("+"):
        raise ValueError("the clock only goes forward: expected a plus sign and a duration, such as +30s")
    return parse_duration(text[1:])


def _merged(current: dict[str, Any], wanted: dict[str, Any], queue: str | None) -> dict[str, Any]:
    """Return the whole setting: `wanted` for one queue, or for all those without a setting; without faults, none."""
    queues = dict(current.get("queues", {}))
    has_faults = any(value for name, value in wanted.items() if name != "seed")
    if queue is None:
        return {**wanted, "queues": queues} if has_faults else {}
    queues.pop(queue, None)
    default = {name: value for name, value in current.items() if name != "queues"}
    return {**default, "queues": {**queues, queue: wanted} if has_faults else queues}
