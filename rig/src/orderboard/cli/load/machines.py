"""`orderboard burst serve` and `burst join`: a load that several machines send."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import platform
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.defaults import BURST_PORT, BURST_TOKEN_VARIABLE, MAX_GENERATORS
from orderboard.cli.load.burst import run_bursts, say, with_burst_options
from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import UsageError
from orderboard.terminal.progress import error_console, print_json

if TYPE_CHECKING:
    from orderboard.burst.measured_system import Where

_SHOWN: Final = 3
_TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="Who knows it may join. By default one is made and printed; better than here, where other users of the "
        "machine may see it, is the variable.",
        envvar=BURST_TOKEN_VARIABLE,
        metavar="T",
        show_default=False,
        rich_help_panel="The machines",
    ),
]


def serve(
    *,
    listen: Annotated[
        str,
        typer.Option(
            help="The address for machines to join at; 0.0.0.0:PORT: all of this machine. order-api listens there, "
            "too, if it is started for the burst.",
            metavar="HOST:PORT",
            rich_help_panel="The machines",
        ),
    ] = f"127.0.0.1:{BURST_PORT}",
    token: _TokenOption = None,
    join_within: Annotated[
        str,
        typer.Option(help="Give up if not all have joined by then.", metavar="TIME", rich_help_panel="The machines"),
    ] = "10m",
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
    **options: Any,
) -> None:
    """Wait until --generators have joined from other machines, then run a burst that they send.

    Takes every option of `burst`. This machine sends nothing: it runs the system, keeps the record and judges. With
    --repeat and --find-limit, the machines stay for all runs. Give each of them the command that is printed.
    """
    from orderboard.burst.machines.crew import Crew, crew_at
    from orderboard.burst.measured_system import Where
    from orderboard.burst.runs.find_limit import planned_search
    from orderboard.burst.scenario.check import check
    from orderboard.option_values import parse_duration, parsed
    from orderboard.web.listening import addresses, checked_token, is_loopback

    typed, where = BurstOptions(**options), Where(backend, endpoint_url, yes=yes)
    if typed.print_config:
        run_bursts(typed, where, json_output=json_output)
    host, port = _host_and_port(listen)
    within_s = parsed("--join-within", parse_duration, join_within)
    made = token is None
    token = secrets.token_urlsafe(12) if token is None else checked_token("--token", token)
    wanted = (planned_search if typed.find_limit else check)(typed, where).plan.generators
    if not is_loopback(host):
        where = _reachable(typed, where, host)
    crew = Crew(wanted, token, say)
    with crew_at(host, port, crew) as found:
        say(f"Waits for {wanted} generator{'' if wanted == 1 else 's'}. On other machines, or in other terminals:")
        for url in addresses(host, found)[:_SHOWN]:
            command = f"  {BURST_TOKEN_VARIABLE}={token if made else '...'} orderboard burst join {url}"
            # The paths of this machine are not those of another.
            say(command) if is_loopback(host) else error_console().print(command, markup=False, soft_wrap=True)
        if not is_loopback(host):
            say("Warning: the traffic is plain HTTP, and anyone on its way can read the token. Use a network of yours.")
        crew.wait(within_s)
        run_bursts(typed, where, json_output=json_output, start_generators=crew.start_generators)


with_burst_options(serve)


def join(
    url: Annotated[str, typer.Argument(metavar="URL", help="The address that `burst serve` printed.")],
    *,
    token: _TokenOption = None,
    generators: Annotated[
        int, typer.Option("--generators", min=1, max=MAX_GENERATORS, help="Processes of this machine.", metavar="N")
    ] = 1,
    name: Annotated[
        str | None,
        typer.Option("--name", help="For the report.", metavar="NAME", show_default="this machine's"),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Send a part of a burst that waits on another machine, and report every answer to it.

    Orders go to its order-api, which must be reachable from here. Stays until the burst ends; Ctrl-C leaves it, which
    ends the load everywhere.
    """
    from orderboard.burst.machines.join import join as join_burst

    if token is None:
        raise UsageError(
            f"The burst expects a token: set {BURST_TOKEN_VARIABLE} to the one that it printed, or give --token."
        )
    done = join_burst(url, token, name or platform.node(), generators, say)
    if json_output:
        print_json(done)
        return
    say(
        f"The burst has ended: {done.sent:,} orders were sent from here "
        f"in {done.runs} run{'' if done.runs == 1 else 's'}."
    )


def _reachable(options: BurstOptions, where: "Where", host: str) -> "Where":
    """Let the order-api of a new system listen there, too, for those who have its token."""
    if options.running or options.api_url is not None:
        return where
    return replace(where, api_host=host, api_token=secrets.token_urlsafe(16))


def _host_and_port(listen: str) -> tuple[str, int]:
    """Parse HOST:PORT, [HOST]:PORT for IPv6; raise UsageError."""
    host, colon, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not (colon and bare and port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"--listen {listen}: expected HOST:PORT, such as 0.0.0.0:{BURST_PORT}.")
    return bare, int(port)


COMMANDS: Final = (
    (
        "serve",
        serve,
        (
            "orderboard burst serve --generators 2 --rate 3000 --duration 1m --listen 0.0.0.0:8071",
            "orderboard burst serve --generators 4 --config burst.toml --join-within 2m",
        ),
    ),
    (
        "join",
        join,
        (
            f"{BURST_TOKEN_VARIABLE}=... orderboard burst join http://192.0.2.1:8071",
            "orderboard burst join http://192.0.2.1:8071 --token ... --generators 2 --name rack-3",
        ),
    ),
)
