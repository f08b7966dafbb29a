"""`orderboard env` and `orderboard aws`: other programs on the running system."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import os
import sys
from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.errors import RigError
from orderboard.system.client_environment import Shell
from orderboard.system.command_line import orderboard
from orderboard.terminal.progress import print_json

ENV_EXAMPLES: Final = (
    'eval "$(orderboard env)"',
    "orderboard env --shell fish | source",
    "orderboard env --json",
)
AWS_EXAMPLES: Final = (
    "orderboard aws sqs list-queues",
    "orderboard aws dynamodb scan --table-name orderboard-orders --output table",
)
AWS_SETTINGS: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_TO_SET: Final = {
    "sh": '# To set them: eval "$({} env)"',
    "fish": "# To set them: {} env --shell fish | source",
    "powershell": "# To set them: {} env --shell powershell | Out-String | Invoke-Expression",
}


def env(
    *,
    shell: Annotated[
        Shell,
        typer.Option(
            help="The language of the lines: sh (also for bash and zsh), fish or powershell.", metavar="SHELL"
        ),
    ] = "sh",
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Print the variables that lead AWS clients to the running system, with the names and URLs of its parts.

    Variables of your shell that would lead past it, such as AWS_PROFILE, are unset; in --json they are null.
    """
    from orderboard.resources.account import Account
    from orderboard.system.client_environment import client_environment, in_shell, system_environment

    account = Account.connect(backend, endpoint_url, stack_name)
    system = account.system()
    if system is None and stack_name is not None:
        raise RigError(f"The stack {stack_name} does not exist, or is not one of Order Board.")
    environment = client_environment(account.endpoint, os.environ)
    environment |= {} if system is None else system_environment(system)
    if json_output:
        print_json(environment)
        return
    sys.stdout.writelines(f"{line}\n" for line in in_shell(environment, shell))
    if sys.stdout.isatty():
        print(_TO_SET[shell].format(orderboard()))


def aws(
    arguments: Annotated[list[str], typer.Argument(help="What follows `aws`.", metavar="ARGS...", show_default=False)],
) -> None:
    """Run the AWS CLI, version 1 or 2, on the running system. Its exit code is returned.

    The endpoint, the region and the credentials are set; any other option is the CLI's own, also --output json.
    """
    from orderboard.system.client_environment import aws_command
    from orderboard.system.connect import running

    command, environment = aws_command(running()[0], arguments, os.environ)
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - in place of this process: its terminal, signals, exit code
