"""`orderboard lab`: experiments that put claims about SQS, SNS, EventBridge and Lambda to the proof."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import UsageError
from orderboard.terminal.progress import error_console, is_interactive, print_json, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from orderboard.lab.backend import LabBackend
    from orderboard.lab.catalogue import Entry
    from orderboard.lab.result import Result
    from orderboard.lab.run import Runner
    from orderboard.lab.steps import Step

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The experiment's name, as `lab list` has it; or a file of your own.")
]


def list_experiments(*, json_output: JsonOption = False) -> None:
    """List all experiments by service."""
    from orderboard.lab.catalogue import AREAS, everything

    entries = everything()
    if json_output:
        print_json([_facts(each) for each in entries])
        return
    console = result_console()
    for area, title in AREAS.items():
        if not (of_area := [each for each in entries if each.area == area]):
            continue
        table = plain_table(title, "name", "shows that")
        table.columns[0].no_wrap = True
        for each in of_area:
            table.add_row(each.name, Text(each.title))
        console.print()
        console.print(table)
    console.print(f"\n {len(entries)} experiments. Run one: orderboard lab run {entries[0].name}", markup=False)


def show(name: NameArgument, *, json_output: JsonOption = False) -> None:
    """Show an experiment: its claim, its steps, and what it means for your code."""
    from orderboard.lab.catalogue import find
    from orderboard.lab.steps import Check, Say, Wait

    entry = find(name)
    if json_output:
        print_json(_facts(entry))
        return
    console = result_console()
    _head(entry)
    for step in entry.experiment.all_steps():
        match step:
            case Say(text):
                console.print(Text(f"\n {text}"))
            case Check(text):
                console.print(Text(f"   ? {text}"))
            case Wait(seconds, why):
                console.print(Text(f"   … {seconds:g} s pass: {why}"))
            case _:
                pass
    console.print("\n [bold]What this means for your code[/bold]")
    console.print(Text(f" {entry.experiment.means}"))
    console.print(f"\n Run it:   orderboard lab run {entry.name}", markup=False)
    console.print(f" Keep it:  orderboard lab code {entry.name} --boto3 (or --cli)", markup=False)


def run(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The experiment's name, or a file of your own.", show_default=False),
    ] = None,
    *,
    all_experiments: Annotated[bool, typer.Option("--all", help="Run every experiment.")] = False,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for the Enter key before each step.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Run an experiment, or all of them, and show whether the claim holds.

    By default on an engine that is started for it and whose clock is turned, so that nothing is waited for; elsewhere
    the seconds to wait are said first. Everything that an experiment makes has a name that no other run uses, and is
    removed at the end, also after Ctrl-C. Exit 0: reproduced, or it cannot occur on this backend. 1: it differs.
    """
    from orderboard.lab.backend import lab_backend
    from orderboard.lab.catalogue import everything, find
    from orderboard.lab.result import Outcome

    if all_experiments == (name is not None):
        raise UsageError("Name one experiment, or give --all. Their names: orderboard lab list")
    if step and (all_experiments or json_output or not is_interactive()):
        raise UsageError("--step needs a terminal, and one experiment without --json.")
    entries = everything() if name is None else [find(name)]
    results: list[Result] = []
    try:
        with lab_backend(backend or "embedded", endpoint_url, yes=yes, progress=_say) as found:
            _announce_waiting(entries, found, shared=endpoint_url is not None)
            if all_experiments:
                _run_all(entries, found, results, quiet=json_output)
            else:
                _run_one(entries[0], found, results, step=step, quiet=json_output)
    finally:  # after Ctrl-C, what there is
        if json_output and results:
            print_json([asdict(each) for each in results] if all_experiments else asdict(results[0]))
    raise typer.Exit(1 if any(each.outcome is Outcome.DIFFERS for each in results) else 0)


def code(
    name: NameArgument,
    *,
    boto3: Annotated[bool, typer.Option("--boto3", help="A Python program, which needs boto3.")] = False,
    cli: Annotated[bool, typer.Option("--cli", help="A bash script, which needs the AWS CLI.")] = False,
) -> None:
    """Print an experiment as a program without this project, to keep, to run on any endpoint, and to change."""
    from orderboard.lab.catalogue import find
    from orderboard.lab.programs import boto3_program, cli_program

    if boto3 == cli:
        raise UsageError("Choose one: --boto3 for a Python program, --cli for a bash script.")
    entry = find(name)
    sys.stdout.write(boto3_program(entry) if boto3 else cli_program(entry))


def _run_one(entry: "Entry", backend: "LabBackend", results: list["Result"], *, step: bool, quiet: bool) -> None:
    from orderboard.lab.timeline import Timeline, parties, show_outcome

    runner = _runner(entry, backend)
    results.append(runner.result)
    console = result_console()
    if not quiet:
        _head(entry)
        timeline = Timeline(console, parties(entry.experiment))
        timeline.head()
        runner.on_moment = timeline.show
    if step:
        runner.before_step = _wait_for_enter
    try:
        runner()
    finally:
        if not quiet:
            show_outcome(console, runner.result)


def _run_all(entries: list["Entry"], backend: "LabBackend", results: list["Result"], *, quiet: bool) -> None:
    from orderboard.lab.result import Outcome
    from orderboard.lab.timeline import sentence

    console = result_console()
    try:
        for entry in entries:
            runner = _runner(entry, backend)
            results.append(runner.result)
            runner()
            if not quiet:
                good = runner.result.outcome is not Outcome.DIFFERS
                text = f"{entry.name}: {sentence(runner.result)}"
                console.print(verdict(console, text, good=good), soft_wrap=True)
    finally:
        if not quiet:
            counts = {each: sum(result.outcome is each for result in results) for each in Outcome}
            text = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
            console.print(f"\n {len(results)} experiments on {backend.endpoint.name}: {text}.", markup=False)


def _runner(entry: "Entry", backend: "LabBackend") -> "Runner":
    from orderboard.lab.run import Runner

    return Runner(entry, backend, on_wait=_show_wait)


def _announce_waiting(entries: list["Entry"], backend: "LabBackend", *, shared: bool) -> None:
    if shared and (turned := sum(backend.seconds_of_turning(each.experiment) for each in entries)):
        _say(f"This engine's clock is turned by {turned:,.0f} s, also for the messages of others on it.")
    if seconds := sum(backend.seconds_of_waiting(each.experiment) for each in entries):
        _say(f"The clock of {backend.endpoint.name} cannot be turned: at least {seconds:,.0f} s of waiting.")


def _facts(entry: "Entry") -> dict[str, Any]:
    checks = [each.text for each in entry.experiment.checks]
    return {**entry.document(), "needs": sorted(entry.experiment.needs), "checks": checks}


def _head(entry: "Entry") -> None:
    console = result_console()
    console.print()
    console.print(Text(f" {entry.title}", style="bold"))
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_row(" Claim", Text(entry.experiment.claim))
    facts.add_row(Text(" Source", style="dim"), Text(entry.experiment.source, style="dim", overflow="fold"))
    console.print(facts)
    console.print()


def _wait_for_enter(step: "Step") -> None:
    from orderboard.lab.steps import Check, Remove, Settle

    if not isinstance(step, Check | Remove | Settle):
        input("  ⏎ ")


def _show_wait(passed: float, total: float) -> None:
    console = error_console()
    if console.is_terminal:
        console.print(f" {total - passed:5.0f} s to wait", end="\r", style="dim")


def _say(text: str) -> None:
    error_console().print(text, markup=False, soft_wrap=True)


# Name, command and examples of each subcommand.
COMMANDS: Final = (
    ("list", list_experiments, ("orderboard lab list",)),
    ("show", show, ("orderboard lab show sqs-visibility-timeout",)),
    (
        "run",
        run,
        (
            "orderboard lab run sqs-visibility-timeout",
            "orderboard lab run --all",
            "orderboard lab run sqs-visibility-timeout --backend localstack",
        ),
    ),
    (
        "code",
        code,
        (
            "orderboard lab code sqs-visibility-timeout --boto3 > visibility.py",
            "orderboard lab code sqs-visibility-timeout --cli > visibility.sh",
        ),
    ),
)
