"""`python -m orderboard_stack`: deploy from a shell or a container, without the rig.

The endpoint is AWS_ENDPOINT_URL's, the region and the credentials are the AWS environment's. An account on AWS is never
meant by accident: without AWS_ENDPOINT_URL, `deploy` asks for --aws.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orderboard_stack.backend import BackendUnreachableError
from orderboard_stack.deploy import DeployFailedError, deploy
from orderboard_stack.notifier_zip import LinuxTarget, NotifierZipError, build_notifier_zip, host_architecture

_CANNOT: Final = 1
_WRONG_USE: Final = 2


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the process's exit code."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except (BackendUnreachableError, BotoCoreError, ClientError, DeployFailedError, NotifierZipError) as exc:
        _say(str(exc))
        return _CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orderboard_stack", description="Deploy Order Board's stack.")
    commands = parser.add_subparsers(required=True)

    pack = commands.add_parser("notifier-zip", help="pack the notifier for Lambda on this machine's architecture")
    pack.add_argument("out", type=Path, help="the zip to write")
    pack.set_defaults(run=_pack)

    put = commands.add_parser("deploy", help="make the stack, or change it to what the template says")
    put.add_argument("--notifier-zip", type=Path, required=True, help="the notifier, packed")
    put.add_argument("--env-file", type=Path, help="write what the services read here, one NAME=value a line")
    put.add_argument("--stack-name", default="orderboard")
    put.add_argument("--prefix", default="orderboard", help="every physical name starts with it")
    put.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="one of the template's")
    put.add_argument("--aws", action="store_true", help="an account on AWS is meant")
    put.set_defaults(run=_deploy)
    return parser


def _pack(chosen: argparse.Namespace) -> int:
    build_notifier_zip(chosen.out, LinuxTarget(host_architecture()), progress=_say)
    return 0


def _deploy(chosen: argparse.Namespace) -> int:
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint_url is None and not chosen.aws:
        _say("AWS_ENDPOINT_URL is not set. Set it to a local backend's, or say --aws if an account on AWS is meant.")
        return _WRONG_USE
    outputs = deploy(
        boto3.Session(),
        endpoint_url,
        notifier_zip=chosen.notifier_zip,
        stack_name=chosen.stack_name,
        prefix=chosen.prefix,
        parameters={
            "NotifierArchitecture": host_architecture(),
            **dict(parameter.split("=", 1) for parameter in chosen.parameter),
        },
        progress=_say,
    )
    if chosen.env_file:
        write_environment(chosen.env_file, outputs.environment())
    return 0


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write it whole or not at all, for a shell's `.` and for Docker's --env-file: no value needs quotes."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in sorted(environment.items())))
    unfinished.replace(path)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
