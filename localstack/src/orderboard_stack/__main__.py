"""`python -m orderboard_stack`: deploy from a shell or a container, without the rig.

Endpoint, region and credentials come from the AWS environment. An account on AWS is never used by accident: without
AWS_ENDPOINT_URL, `deploy` requires --aws.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, get_args

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orderboard_stack.backend import BackendUnreachableError
from orderboard_stack.deploy import DeployFailedError, deploy
from orderboard_stack.function_zip import (
    Architecture,
    FunctionName,
    FunctionZipError,
    HostTarget,
    LinuxTarget,
    build_function_zip,
    host_architecture,
)

_FAILED: Final = 1
_WRONG_USAGE: Final = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except (BackendUnreachableError, BotoCoreError, ClientError, DeployFailedError, FunctionZipError) as exc:
        _report(str(exc))
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orderboard_stack", description="Deploy Order Board's stack.")
    commands = parser.add_subparsers(required=True)

    for function in get_args(FunctionName):
        pack = commands.add_parser(f"{function}-zip", help=f"pack the {function} as a Lambda function")
        pack.add_argument("out", type=Path, help="the zip to write")
        pack.add_argument("--target", choices=("host", *get_args(Architecture)), default=host_architecture())
        pack.add_argument("--traces", action="store_true", help="pack OpenTelemetry too; on the host it is installed")
        pack.set_defaults(run=_pack, function=function)

    put = commands.add_parser("deploy", help="create the stack, or update it to the template")
    put.add_argument("--notifier-zip", type=Path, required=True, help="the zip that notifier-zip wrote")
    put.add_argument("--worker-zip", type=Path, help="the zip that worker-zip wrote; the worker is then a function")
    put.add_argument("--env-file", type=Path, help="write the services' environment here, one NAME=value a line")
    put.add_argument("--stack-name", default="orderboard")
    put.add_argument("--prefix", default="orderboard", help="the start of every physical name")
    put.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="a template parameter")
    put.add_argument("--aws", action="store_true", help="use an account on AWS")
    put.set_defaults(run=_deploy)
    return parser


def _pack(chosen: argparse.Namespace) -> int:
    target = HostTarget() if chosen.target == "host" else LinuxTarget(chosen.target, traces=chosen.traces)
    content = build_function_zip(chosen.out, target, chosen.function, progress=_report).read_bytes()
    _report(f"{chosen.out}  {len(content)} bytes  sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


def _deploy(chosen: argparse.Namespace) -> int:
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint_url is None and not chosen.aws:
        _report("AWS_ENDPOINT_URL is not set. Set it to a local backend's URL, or add --aws to use an account on AWS.")
        return _WRONG_USAGE
    outputs = deploy(
        boto3.Session(),
        endpoint_url,
        notifier_zip=chosen.notifier_zip,
        worker_zip=chosen.worker_zip,
        stack_name=chosen.stack_name,
        prefix=chosen.prefix,
        parameters={
            "NotifierArchitecture": host_architecture(),
            **dict(parameter.split("=", 1) for parameter in chosen.parameter),
        },
        progress=_report,
    )
    if chosen.env_file:
        write_environment(chosen.env_file, outputs.environment())
    return 0


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write all variables or none, for a shell's `.` and for Docker's --env-file: no value needs quotes."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in sorted(environment.items())))
    unfinished.replace(path)


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
