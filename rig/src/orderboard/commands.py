"""The commands: read the options, hand them to the module of the command, and turn its answer into an exit code.

0: as wanted. 1: it went wrong, the last line says how. 2: used wrongly. 130: interrupted.
Each command imports what it needs when it runs, so that `orderboard --help` answers at once.
"""

# ruff: noqa: PLC0415

import errno
import json
import signal
import sys
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from orderboard.burst import command as burst_command
from orderboard.calibration import command as calibrate_command
from orderboard.errors import RigError, UsageError
from orderboard.options import (
    ApiUrlOption,
    BackendOption,
    DisorderOption,
    EndpointOption,
    JsonOption,
    ManualClockOption,
    StackNameOption,
    WorkersOption,
    YesOption,
)
from orderboard.screen import error_console, progress_screen, result_console

_INTERRUPTED: Final = 128 + signal.SIGINT
# A file that cannot be written or read: nearly always the state folder, for everything that is kept is there.
_NO_USE: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
}


class _Commands(TyperGroup):
    """Turns what a command raises into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            error_console().print("Interrupted. Nothing that was started here runs on.")
            raise typer.Exit(_INTERRUPTED) from None
        except RigError as exc:
            raise _told(exc, 2 if isinstance(exc, UsageError) else 1) from exc
        except OSError as exc:
            if exc.errno not in _NO_USE:
                raise
            mend = "`orderboard doctor` looks at the state folder; ORDERBOARD_STATE_DIR names another"
            raise _told(f"{exc}. {mend}.", 1) from exc
        except Exception as exc:
            from orderboard.target import AWS_ERRORS

            if isinstance(exc, AWS_ERRORS):
                raise _told(f"the backend failed or refused: {exc}", 1) from exc
            raise


def _told(what: object, code: int) -> typer.Exit:
    error_console().print(f"orderboard: {what}", markup=False, soft_wrap=True)
    return typer.Exit(code)


def _examples(*commands: str) -> str:
    return "\n\n".join(("Examples:", *commands))


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Order Board: an event-driven order pipeline on SQS, SNS and EventBridge, on this machine.",
    epilog="Begin with [b]orderboard demo[/b]. Keep a system running with [b]orderboard up[/b].",
)


@app.command(epilog=_examples("orderboard demo --seed 7", "orderboard demo --kill-worker", "orderboard demo --json"))
def demo(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    workers: WorkersOption = 1,
    kill_worker: Annotated[
        bool, typer.Option("--kill-worker", help="Kill a worker with orders in hand; the ledger must still balance.")
    ] = False,
    disorder: DisorderOption = None,
    deadline_s: Annotated[float, typer.Option(min=1, help="How long the last order may take to end, in seconds.")] = 90,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every order.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Play a morning rush of 200 orders and show where each one ended. Exit 0 only if the ledger balances."""
    from orderboard.demo import demo_options, play_demo
    from orderboard.demo_report import document, show

    options = demo_options(
        backend,
        endpoint_url,
        seed=seed,
        workers=workers,
        kill_worker=kill_worker,
        deadline_s=deadline_s,
        yes=yes,
        disorder=disorder,
    )
    with progress_screen() as screen:
        played = play_demo(options, screen)
    if json_output:
        _print_json(document(played))
    else:
        show(played, result_console(), verbose=verbose)
    raise typer.Exit(0 if played.ledger.balanced else 1)


app.command(epilog=burst_command.EPILOG)(burst_command.burst)
app.command(epilog=calibrate_command.EPILOG)(calibrate_command.calibrate)


@app.command(
    epilog=_examples("orderboard up", "orderboard up --workers 4 --allow-faults", "orderboard up --backend localstack")
)
def up(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    workers: WorkersOption = 1,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="order-api's port; 8000 if free, else any.", show_default=False)
    ] = None,
    allow_faults: Annotated[
        bool, typer.Option("--allow-faults", help="Orders may carry faults: poison, flaky:N, slow:MS, crash.")
    ] = False,
    disorder: DisorderOption = None,
    manual_clock: ManualClockOption = False,
    no_console: Annotated[bool, typer.Option("--no-console", help="Start no console.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Start the system, leave it running in the background, and say where everything is."""
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.checkout import find_checkout
    from orderboard.up import up as start
    from orderboard.up_report import document, show

    checkout = find_checkout()
    with progress_screen() as screen:
        system = start(
            checkout,
            screen,
            backend=backend or DEFAULT_BACKEND,
            endpoint_url=endpoint_url,
            port=port,
            workers=workers,
            allow_faults=allow_faults,
            yes=yes,
            with_console=not no_console,
            disorder=disorder,
            manual_clock=manual_clock,
        )
    if json_output:
        _print_json(document(system, checkout))
    else:
        show(system, checkout, result_console())


@app.command(epilog=_examples("orderboard down"))
def down() -> None:
    """End what `up` started. Doing it twice is fine."""
    from orderboard.checkout import find_checkout
    from orderboard.up import down as end

    ended = end(find_checkout(), progress=lambda line: error_console().print(f" {line}"))
    result_console().print(f" Ended: {', '.join(ended)}." if ended else " Nothing was running.")


@app.command(
    epilog=_examples(
        "orderboard deploy --endpoint-url http://127.0.0.1:4566",
        "orderboard deploy --backend aws --parameter AlertEmail=ada@example.com",
        'eval "$(orderboard deploy --env)"',
    )
)
def deploy(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: Annotated[str, typer.Option(help="The CloudFormation stack's name.")] = "orderboard",
    prefix: Annotated[str, typer.Option(help="Every resource's name starts with it.")] = "orderboard",
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of template.yaml.", metavar="NAME=VALUE", show_default=False)
    ] = None,
    env: Annotated[bool, typer.Option("--env", help="Print export lines for a shell.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Create or update the stack on a backend that runs, and print what the services must know of it."""
    from orderboard.deploy import export_lines, read_parameters, run_deploy

    with progress_screen() as screen:
        environment = run_deploy(
            backend,
            endpoint_url,
            stack_name=stack_name,
            prefix=prefix,
            parameters=read_parameters(parameter or []),
            yes=yes,
            screen=screen,
        )
    if json_output:
        _print_json(environment)
    else:
        sys.stdout.writelines(export_lines(environment, export=env))


@app.command(epilog=_examples("orderboard status", "orderboard status --json"))
def status(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show what runs, what waits where, and which alarms ring. Exit 1 if something that should run does not."""
    from orderboard.connect import connect, find_endpoint
    from orderboard.status import look, show

    target = connect(backend, endpoint_url, stack_name)
    found = look(target, find_endpoint(backend, endpoint_url)[1])
    if json_output:
        _print_json(found.document())
    else:
        show(found, result_console())
    raise typer.Exit(0 if found.healthy else 1)


@app.command(
    epilog=_examples(
        "orderboard place orders.jsonl",
        """echo '{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 2}]}' | orderboard place""",
    )
)
def place(
    file: Annotated[str, typer.Argument(help="JSON Lines, one order a line; - is standard input.")] = "-",
    *,
    api_url: ApiUrlOption = None,
    batch: Annotated[str, typer.Option(help="Name this batch: the same lines under another name are new orders.")] = "",
    at_once: Annotated[int, typer.Option(min=1, max=500, help="How many requests are under way at once.")] = 32,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line, as answers come.")
    ] = False,
) -> None:
    """Place your own orders. Lines may carry an idempotency_key; placing a batch again orders nothing twice."""
    from orderboard.connect import api_address
    from orderboard.place_command import run, summarize

    with progress_screen() as screen:
        tally = run(
            file,
            api_url=api_address(api_url),
            batch=batch,
            at_once=at_once,
            print_json=json_output,
            screen=screen,
        )
    if not json_output:
        summarize(tally, result_console())
    raise typer.Exit(1 if tally.failed else 0)


@app.command(epilog=_examples("orderboard show 9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11"))
def show(
    order_id: Annotated[str, typer.Argument(help="The order's id, as the API answered it.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Tell the whole story of one order: its record, its waits, its alerts, its dead letters, its log lines."""
    from orderboard.checkout import find_checkout
    from orderboard.connect import connect, local_logs
    from orderboard.story import tell
    from orderboard.story_report import document
    from orderboard.story_report import show as show_story

    target = connect(backend, endpoint_url, stack_name)
    checkout = find_checkout()
    story = tell(target, order_id.strip().lower(), checkout.logs_dir if local_logs(target.endpoint, checkout) else None)
    if json_output:
        _print_json(document(story))
    else:
        show_story(story, result_console())
    if not story.known:
        raise RigError(f"Nothing is known of {order_id}. Is the id complete, and was it placed on this system?")


@app.command(epilog=_examples("orderboard redrive work", "orderboard redrive undelivered"))
def redrive(
    queue: Annotated[str, typer.Argument(help="work, express, alerts, inbox, undelivered, or a queue's full name.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Move what rests in a queue's dead-letter queue back to where it came from. Mend the cause first."""
    from orderboard.redrive_command import run, tell

    with progress_screen() as screen:
        redriven = run(queue, backend, endpoint_url, stack_name, yes=yes, screen=screen)
    if json_output:
        _print_json(redriven)
    else:
        tell(redriven, result_console())


@app.command(epilog=_examples("orderboard console", "orderboard console --endpoint-url http://127.0.0.1:4566"))
def console(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    api_url: ApiUrlOption = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The console's port; 8080 if free, else any.", show_default=False),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Serve the console on 127.0.0.1 until Ctrl-C: watch the board, turn its knobs, follow one order."""
    from orderboard.backends import consent
    from orderboard.checkout import find_checkout
    from orderboard.console.server import free_port, serve
    from orderboard.console.source import Source

    source = Source(find_checkout(), backend, endpoint_url, stack_name, api_url)
    consent(source.target().endpoint, yes=yes)
    serve(source, free_port(port), told=lambda url: result_console().print(f" The console: [b]{url}[/b]"))


@app.command(epilog=_examples("orderboard doctor", "orderboard doctor --backend localstack"))
def doctor(*, backend: BackendOption = None, json_output: JsonOption = False) -> None:
    """Say what this machine has and lacks, with the mend for each. Exit 1 if something must be mended."""
    from orderboard_stack.backend import DEFAULT_BACKEND

    from orderboard.checkout import find_checkout
    from orderboard.doctor import examine, render

    findings = examine(find_checkout(), backend or DEFAULT_BACKEND)
    if json_output:
        _print_json(findings)
    else:
        render(findings, result_console())
    raise typer.Exit(any(each.verdict == "bad" for each in findings))


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, default=asdict))
