"""`orderboard compare-workers`: the worker as processes and as a Lambda function, under the same loads."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import signal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import error_console, print_json, result_console

if TYPE_CHECKING:
    from orderboard.burst.plan import PlannedBurst
    from orderboard.compute.model import Comparison

EXAMPLES: Final = (
    "orderboard compare-workers",
    "orderboard compare-workers --loads steady,spike --rate 200 --duration 30s",
    "orderboard compare-workers --memory-mb 1769 --tasks 1 --price fargate-vcpu=0.03238 --json",
    "orderboard compare-workers --markdown > comparison.md",
)
_STOPPED: Final = 128 + signal.SIGINT


def _cost(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The cost on AWS", **more)


def compare_workers(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    loads: Annotated[
        str, typer.Option(help="Some of idle, steady and spike, with commas between them.", metavar="NAME,...")
    ] = "idle,steady,spike",
    rate: Annotated[
        float, typer.Option(help="Orders a second of steady, and the mean of spike; idle has a hundredth of it.")
    ] = 50,
    duration: Annotated[str, typer.Option(help="Length of each load, such as 40s or 2m.")] = "20s",
    mix: Annotated[
        str | None,
        typer.Option(help="Percent of each kind of order, as of `burst`.", show_default="express=20,large=2"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Number of worker processes.", metavar="N")] = 1,
    memory_mb: Annotated[
        int, _cost("Memory of the function; with it comes its share of a processor.", min=128, max=10_240)
    ] = 512,
    invocation_ms: Annotated[
        float | None,
        _cost(
            "Billed time of an invocation, such as one that you measured on AWS, in place of the one here.",
            min=1,
            max=900_000,
            metavar="MS",
            show_default="as measured",
        ),
    ] = None,
    tasks: Annotated[
        int, _cost("The least number of tasks on Fargate; two are highly available.", min=1, max=1000)
    ] = 2,
    task_vcpu: Annotated[float, _cost("Size of a task.", min=0.25, max=16)] = 0.25,
    task_gb: Annotated[float, _cost("Memory of a task.", min=0.5, max=120)] = 0.5,
    utilisation: Annotated[
        float, _cost("Use of a task's processor from which on another one is needed.", min=0.05, max=1)
    ] = 0.6,
    price: Annotated[
        list[str] | None,
        _cost(
            "A rate in USD: lambda-gb-second, lambda-requests (a million), fargate-vcpu, fargate-gb, "
            "sqs-requests (a million). Repeatable.",
            metavar="RATE=USD",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Run the same bursts on the worker as processes and as a Lambda function, and compare latency and cost.

    Six bursts, each in a new system, take about four minutes. Each is kept, and `orderboard bursts` lists it.
    Ctrl-C ends the comparison and prints what was measured until then.

    Exit 0: every burst was valid. 1: one was not. 2: wrong usage. 130: stopped by Ctrl-C.
    """
    from orderboard.burst.measured_system import Where
    from orderboard.compute import report
    from orderboard.compute.compare import Wanted
    from orderboard.compute.compare import compare_workers as compare
    from orderboard.compute.loads import MIX, parse_loads
    from orderboard.compute.model import Sizes
    from orderboard.compute.prices import parse_rate
    from orderboard.option_values import parsed

    if markdown and json_output:
        raise UsageError("--markdown and --json exclude each other.")
    wanted = Wanted(
        loads=parse_loads(loads),
        rate=rate,
        duration=duration,
        mix=mix or MIX,
        workers=workers,
        sizes=Sizes(
            memory_mb=memory_mb,
            task_vcpu=task_vcpu,
            task_gb=task_gb,
            least_tasks=tasks,
            utilisation=utilisation,
            invocation_ms=invocation_ms,
        ),
        given_rates=dict(parsed("--price", parse_rate, text) for text in price or ()),
    )
    found = compare(
        wanted, Where(backend, endpoint_url, yes=yes), _say, lambda planned, runs: _agree(planned, runs, yes=yes)
    )
    if json_output:
        print_json(found.model_dump(mode="json"))
    elif markdown:
        print(report.markdown(found), end="")
    else:
        report.show(found, result_console())
    raise typer.Exit(_exit_code(found))


def _agree(planned: "PlannedBurst", runs: int, *, yes: bool) -> None:
    """Say what the comparison costs on AWS, and ask before it is spent."""
    from orderboard.burst.targets.estimate import in_words, planned_orders
    from orderboard.terminal.progress import confirm

    if not planned.may_cost:
        return
    _say(in_words(planned.estimated, planned_orders(planned.plan.streams), runs))
    confirm("This deploys a stack on AWS for each run, and deletes it afterwards.", yes=yes)


def _say(text: str) -> None:
    error_console().print(to_paste(text), markup=False, soft_wrap=True)


def _exit_code(found: "Comparison") -> int:
    if not all(run.valid for run in found.runs):
        return 1
    return _STOPPED if found.broken_off else 0
