"""`orderboard deploy`: the stack on a running backend."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import re
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.errors import UsageError
from orderboard.terminal.progress import print_json, progress_screen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderboard_stack.change_set import Change

EXAMPLES: Final = (
    "orderboard deploy --endpoint-url http://127.0.0.1:4566",
    "orderboard deploy --backend aws --parameter AlertEmail=ada@example.com",
    "orderboard deploy --backend aws --worker lambda --dry-run",
    'eval "$(orderboard deploy --env)"',
)

_PREFIX: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")  # as in template.yaml
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


def deploy(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: Annotated[str, typer.Option(help="The CloudFormation stack's name.", metavar="NAME")] = "orderboard",
    prefix: Annotated[str, typer.Option(help="The start of every resource's name.", metavar="PREFIX")] = "orderboard",
    worker: Annotated[
        Literal["container", "lambda"] | None,
        typer.Option(
            help="The worker as processes (container) or as a Lambda function (lambda).",
            metavar="container|lambda",
            show_default="as deployed, container for a new stack",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of template.yaml.", metavar="NAME=VALUE", show_default=False)
    ] = None,
    env: Annotated[bool, typer.Option("--env", help="Print export lines for a shell.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would change, line by line, and change nothing.")
    ] = False,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Create or update the stack on a running backend, and print the environment that the services need.

    With --dry-run: the lines of a change set. A ! marks one that deletes a resource with what is in it; a ? one that
    does so if a value that the update finds differs.
    """
    from orderboard.system.deploy import deploy_to_running, review_on_running

    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"--prefix {prefix!r}: expected lower-case letters, digits and hyphens, a letter first, 32 at most."
        )
    if not _STACK_NAME.fullmatch(stack_name):
        raise UsageError(
            f"--stack-name {stack_name!r}: expected letters, digits and hyphens, a letter first, 128 at most."
        )
    parameters = dict(map(pair, parameter or []))
    match parameters.get("WorkerCompute"):  # the same in the template's words
        case None:
            pass
        case "lambda" | "container" as named if worker in (None, named):
            worker = named
        case other:
            raise UsageError(f"--parameter WorkerCompute={other}: expected container or lambda, as --worker if given.")
    if dry_run:
        with progress_screen() as screen:
            changes = review_on_running(
                backend,
                endpoint_url,
                stack_name=stack_name,
                prefix=prefix,
                parameters=parameters,
                worker=worker,
                screen=screen,
            )
        if json_output:
            print_json(changes)
        else:
            _show(changes)
        return
    with progress_screen() as screen:
        environment = deploy_to_running(
            backend,
            endpoint_url,
            stack_name=stack_name,
            prefix=prefix,
            parameters=parameters,
            worker=worker,
            yes=yes,
            screen=screen,
        )
    if json_output:
        print_json(environment)
    else:
        export = "export " if env else ""
        sys.stdout.writelines(f"{export}{name}={shlex.quote(value)}\n" for name, value in environment.items())


def _show(changes: "Iterable[Change]") -> None:
    lines = [f"{'!' if each.deletes else '?' if each.may_delete else ' '} {each}\n" for each in changes]
    sys.stdout.writelines(lines or ["Nothing would change.\n"])


def pair(text: str) -> tuple[str, str]:
    """Return the name and the value of a --parameter; raise UsageError for anything else."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(
            f"--parameter {text!r} is not a parameter. Give it as NAME=VALUE, such as LargeOrderCents=5000."
        )
    return name, value
