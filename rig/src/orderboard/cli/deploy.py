"""`orderboard deploy`: the stack on a backend that runs."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import sys
from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, YesOption
from orderboard.terminal.progress import print_json, progress_screen

EXAMPLES: Final = (
    "orderboard deploy --endpoint-url http://127.0.0.1:4566",
    "orderboard deploy --backend aws --parameter AlertEmail=ada@example.com",
    'eval "$(orderboard deploy --env)"',
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
    from orderboard.system.deploy import export_lines, read_parameters, run_deploy

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
        print_json(environment)
    else:
        sys.stdout.writelines(export_lines(environment, export=env))
