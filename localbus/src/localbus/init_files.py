"""The files of --init, which give an engine its resources before it is ready: CloudFormation templates and scripts.

A template becomes a stack named after its file, or updates it, with the default values of its parameters. A script runs
with the environment of an AWS client of this engine.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localbus.cloudformation.stack import Stack
from localbus.cloudformation.stack_actions import NO_UPDATES, create_stack, delete_stack, update_stack
from localbus.cloudformation.state import CloudFormation
from localbus.errors import AwsError
from localbus.protocol.service import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller

log = logging.getLogger("localbus")

_TEMPLATES: Final = {".json", ".template", ".yaml", ".yml"}
_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# Such a stack accepts no update: AWS, too, has it deleted and created again.
_MUST_BE_REPLACED: Final = {"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
_ENDS_WITHIN_S: Final = 5
_OUTPUT: Final = 2  # a script's output goes to standard error, as standard output has the engine's address


class InitError(Exception):
    """A file of --init that failed; the message names it and the reason."""


@dataclass(frozen=True)
class InitFile:
    """One file, as it was named. A template has the name of its stack, a script has none."""

    path: Path
    stack_name: str = ""

    @property
    def program(self) -> str:
        """The path to execute: absolute, since another one is looked up in PATH."""
        return str(self.path.absolute())


def parse_init_file(text: str) -> InitFile:
    """Read the argument of --init. Raises ValueError."""
    path = Path(text)
    if os.path.isdir(path):  # unlike Path.is_dir, false where the folder around it may not be read
        raise ValueError(f"{text} is a folder: name its files, each with --init")
    if not os.path.isfile(path):
        raise ValueError(f"{text} does not exist, or may not be read")
    if path.suffix.lower() in _TEMPLATES:
        name = re.sub("[^A-Za-z0-9]+", "-", path.name.partition(".")[0]).strip("-")
        return InitFile(path, name if name[:1].isalpha() else f"stack-{name}".rstrip("-"))
    if not os.access(path, os.X_OK):
        known = ", ".join(sorted(_TEMPLATES))
        raise ValueError(f"{text} is neither a template ({known}) nor executable. For a script: chmod +x {text}")
    return InitFile(path)


def check_names(files: Sequence[InitFile]) -> None:
    """Raise ValueError for two templates of one stack."""
    found: dict[str, Path] = {}
    for file in files:
        if file.stack_name and found.setdefault(file.stack_name, file.path) != file.path:
            both = f"{found[file.stack_name]} and {file.path}"
            raise ValueError(f"{both} are both named as the stack {file.stack_name}. Rename one")


async def apply(files: Sequence[InitFile], cfn: CloudFormation, url: str) -> None:
    """Apply the files in their order to the engine at this URL, with progress in the log. Raises InitError."""
    for file in files:
        begin = time.monotonic()
        log.info("--init %s: %s", file.path, f"stack {file.stack_name}" if file.stack_name else "running")
        if file.stack_name:
            result = await _Deployment(cfn, file, url).deploy()
        else:
            result = await _run(file, url)
        log.info("--init %s: %s after %.1f s", file.path, result, time.monotonic() - begin)


def client_environment(url: str) -> dict[str, str]:
    """Return what an AWS client of the engine at this URL needs in its environment, wherever that would lead else."""
    not_by_proxy = filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost"))
    return {
        "AWS_ACCESS_KEY_ID": _account() or "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": _region(),
        "AWS_DEFAULT_REGION": _region(),
        "AWS_ENDPOINT_URL": url,
        "AWS_PAGER": "",
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(not_by_proxy)),
    }


def _script_environment(url: str) -> dict[str, str]:
    """Return the environment of a script: this process's, without what leads to a real account, such as a profile."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | client_environment(url)


def _account() -> str:
    """Return the account that the environment names by an access key of twelve digits; empty if it names none."""
    key = os.environ.get("AWS_ACCESS_KEY_ID", "")
    return key if re.fullmatch("[0-9]{12}", key) else ""


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


class _Deployment:
    """The deployment of one template."""

    def __init__(self, cfn: CloudFormation, file: InitFile, url: str) -> None:
        self._cfn = cfn
        self._file = file
        self._caller = Caller(_account() or DEFAULT_ACCOUNT, _region(), url)

    async def deploy(self) -> str:
        """Create the stack or update it, and return what was done. Raises InitError."""
        try:
            text = self._file.path.read_text()
        except (OSError, UnicodeDecodeError) as exc:
            raise self._error(f"it cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
        try:
            return await self._deploy(text)
        except AwsError as exc:
            fix = f". Give each a Default in {self._file.path}" if "must have values" in exc.message else ""
            raise self._error(f"{exc.message.rstrip('.')}{fix}") from exc

    async def _deploy(self, text: str) -> str:
        name, request = self._file.stack_name, {"StackName": self._file.stack_name, "Capabilities": _CAPABILITIES}
        stack = self._cfn.stacks.look_up(name, self._caller)
        if stack is not None:
            await _end(stack)  # what a restart has interrupted goes on
            if stack.status in _MUST_BE_REPLACED:
                delete_stack(self._cfn, request, self._caller)
                await _end(stack)
        if stack is None or stack.is_deleted:
            created = await create_stack(self._cfn, {**request, "OnFailure": "DELETE"}, self._caller, text)
            return await self._ended(self._cfn.stacks.by_id(created["StackId"]), 0, "created")
        events = len(stack.events)
        try:
            await update_stack(self._cfn, request, self._caller, text)
        except AwsError as exc:
            if exc.message == NO_UPDATES:
                return "unchanged"
            raise
        return await self._ended(stack, events, "updated")

    async def _ended(self, stack: Stack, first_event: int, done: str) -> str:
        """Wait for the end, and return what was done. Raises InitError with the reasons if it failed."""
        await _end(stack)
        if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            count = len(stack.resources)
            return f"stack {stack.name} {done} ({count} resource{'s' * (count != 1)})"
        failed = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
            for event in stack.events[first_event:]
            if event["ResourceStatus"].endswith("_FAILED") and event["PhysicalResourceId"] != stack.id
        ]
        others = [each.get("ResourceStatusReason", "") for each in stack.events[first_event + 1 :]]
        reasons = "; ".join(failed) or next(filter(None, others), stack.status)
        raise self._error(f"the stack {stack.name} was not {done}. {reasons}")

    def _error(self, reason: str) -> InitError:
        return InitError(f"--init {self._file.path}: {reason.rstrip('.')}.")


async def _end(stack: Stack) -> None:
    """Wait until the operation on a stack has ended."""
    while stack.task is not None and not stack.task.done():
        await asyncio.wait([stack.task])


async def _run(file: InitFile, url: str) -> str:
    """Run a script to its end. If this task is cancelled, it ends with what it has started. Raises InitError."""
    try:
        script = await asyncio.create_subprocess_exec(
            file.program,
            env=_script_environment(url),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=_OUTPUT,
            start_new_session=True,
        )
    except OSError as exc:
        fix = "Does the program exist that its first line names?"
        raise InitError(f"--init {file.path}: it cannot be started: {exc.strerror}. {fix}") from exc
    try:
        code = await script.wait()
    finally:
        if script.returncode is None:
            await _end_group(script)
    if code:
        ending = f"exit code {code}" if code > 0 else signal.Signals(-code).name
        raise InitError(f"--init {file.path}: it ended with {ending}. Its output is above.")
    return "done"


async def _end_group(script: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(script.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDS_WITHIN_S):
                await script.wait()
                return
