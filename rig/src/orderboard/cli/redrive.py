"""`orderboard redrive` and `orderboard replay`: dead letters, and events of the archive, once more."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption, YesOption
from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import print_json, progress_screen, result_console

EXAMPLES: Final = ("orderboard redrive work", "orderboard redrive undelivered")
REPLAY_EXAMPLES: Final = (
    "orderboard replay --from 15m",
    "orderboard replay --from 2026-01-01T08:00:00Z --to 2026-01-01T08:05:00Z --rule orderboard-express-ready",
)


def redrive(
    queue: Annotated[str, typer.Argument(help="work, express, alerts, inbox, undelivered, or a queue's full name.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Move the messages of a dead-letter queue back to where they came from. Fix the cause first."""
    from orderboard.orders.redrive import plan
    from orderboard.orders.redrive import redrive as move
    from orderboard.system.backends import consent
    from orderboard.system.connect import connect
    from orderboard.system.target import AWS_ERRORS

    target = connect(backend, endpoint_url, stack_name)
    planned = plan(queue, target.outputs)
    consent(target.endpoint, yes=yes)
    try:
        with progress_screen() as screen, screen.task(f"Messages moved from {planned.source}") as task:
            redriven = move(target.sqs, planned, target.outputs, task.advance_to)
    except AWS_ERRORS as exc:
        raise RigError(f"The redrive stopped; no message is lost. Run it again. ({exc})") from exc
    if json_output:
        print_json(redriven)
        return
    console = result_console()
    console.print(f" {redriven}", markup=False, soft_wrap=True)
    if redriven.left:
        console.print(f" {redriven.left} left in {redriven.source}: they do not say which queue they were sent to.")


def replay(
    *,
    begin: Annotated[
        str,
        typer.Option("--from", help="The first event: how long ago (15m), or a time (ISO 8601).", metavar="TIME"),
    ],
    end: Annotated[
        str, typer.Option("--to", help="The last event, the same way.", metavar="TIME", show_default="now")
    ] = "0s",
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="Only for this rule, not for all of the bus. Repeatable.", metavar="NAME", show_default=False
        ),
    ] = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Send the archive's events of a time window through the rules of the bus again, and wait for the end.

    The events keep their ids, so consumers that are idempotent do nothing twice.
    """
    from orderboard.orders.replay import read_time
    from orderboard.orders.replay import replay as start
    from orderboard.system.backends import consent
    from orderboard.system.connect import connect
    from orderboard.system.localbus import now_at

    target = connect(backend, endpoint_url, stack_name)
    now = now_at(target.endpoint)
    window = read_time("--from", begin, now), read_time("--to", end, now)
    if window[0] >= window[1]:
        raise UsageError(f"--from {begin!r} is not before --to {end!r}.")
    consent(target.endpoint, yes=yes)
    with progress_screen() as screen, screen.task("Events replayed") as task:
        replayed = start(target, *window, rule or (), task.detail)
    if json_output:
        print_json(replayed)
    else:
        result_console().print(f" {replayed}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if replayed.state == "COMPLETED" else 1)
