"""Checks of this machine for `doctor`: each with its finding and, if something is wrong, its fix. Changes nothing."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from orderboard_stack.aws import NoAccountError, account
from orderboard_stack.backend import BackendName
from orderboard_stack.process import is_free
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from orderboard.errors import RigError
from orderboard.system.host import installed_version
from orderboard.system.kept_data import kept_data
from orderboard.system.ports import API_PORT
from orderboard.system.state import StateFile
from orderboard.system.workspace import Workspace

Verdict = Literal["good", "optional", "bad"]

OLDEST_PYTHON: Final = (3, 11)
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
_SHOWN: Final = 4


@dataclass(frozen=True)
class Finding:
    """The result of one check. optional: missing, but only the named feature needs it. bad: it must be fixed."""

    subject: str
    verdict: Verdict
    found: str
    fix: str = ""


def examine(workspace: Workspace, backend: BackendName) -> list[Finding]:
    """Check everything that this backend needs, and what the others would need."""
    findings = [
        python(sys.version_info[:2]),
        dependencies(workspace.lock.read_text(), installed_version),
        _state_folder(workspace.state_dir),
        *_kept(workspace),
        _system(workspace),
        port(workspace, API_PORT, "`orderboard up` uses a free one instead"),
        *_docker(needed=backend == "localstack"),
    ]
    return [*findings, _credentials()] if backend == "aws" else findings


def python(running: tuple[int, int]) -> Finding:
    """Check that this Python is new enough."""
    text = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        return Finding("Python", "bad", text, "Use 3.11 or newer: make clean, then make PYTHON=python3.13 demo")
    return Finding("Python", "good", text)


def dependencies(lock: str, installed: Callable[[str], str | None]) -> Finding:
    """Check that the installed versions are those that the lock pins."""
    pinned = list(pins(lock))
    wrong = [
        f"{name} {found or 'missing'} instead of {version}"
        for name, version in pinned
        if (found := installed(name)) != version
    ]
    if not wrong:
        return Finding(
            "Dependencies", "good", f"all {len(pinned)} that this platform needs, as requirements.lock pins them"
        )
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    found = ", ".join(wrong[:_SHOWN]) + more
    return Finding("Dependencies", "bad", found, "Set .venv up again: make clean, then make demo")


def pins(lock: str) -> Iterator[tuple[str, str]]:
    """The names and versions that the lock pins for this machine."""
    for name, version, marker in _PIN.findall(lock):
        if not marker or Marker(marker).evaluate():
            yield canonicalize_name(name), version


def _state_folder(state_dir: Path) -> Finding:
    probe = state_dir / "doctor"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as exc:
        fix = "Set ORDERBOARD_STATE_DIR to a folder that you can write to"
        return Finding(
            "State folder",
            "bad",
            f"{state_dir} cannot be {'used' if state_dir.is_dir() else 'created'}: {exc.strerror}",
            fix,
        )
    return Finding("State folder", "good", str(state_dir))


def _kept(workspace: Workspace) -> Iterator[Finding]:
    kept = kept_data(workspace.data_dir)
    if kept is not None:
        found = f"{kept.megabytes} in {kept.path}, with which `orderboard up` goes on"
        yield Finding("Kept state", "good", f"{found}; `orderboard reset` removes it")


def _system(workspace: Workspace) -> Finding:
    try:
        state = StateFile(workspace.state_dir).read()
    except RigError as exc:
        return Finding("System", "bad", str(exc))
    except OSError:
        return Finding("System", "optional", "unknown: the state folder cannot be read")
    if state is None:
        return Finding("System", "good", "none is running; start one with `orderboard up`")
    ended = [each.name for each in state.processes if each.find() is None]
    if ended:
        fix = f"orderboard down; the logs are in {workspace.logs_dir}"
        return Finding("System", "bad", f"ended unexpectedly: {', '.join(ended)}", fix)
    return Finding("System", "good", f"running at {state.api_url}")


def port(workspace: Workspace, number: int, otherwise: str) -> Finding:
    """Check that a usual port is free, or used by the system running here. otherwise: the consequence if it is not."""
    subject = f"Port {number}"
    if is_free(number):
        return Finding(subject, "good", "free")
    state = None
    with suppress(RigError, OSError):  # _system reports it
        state = StateFile(workspace.state_dir).read()
    for each in () if state is None else state.processes:
        if (each.url or "").endswith(f":{number}"):
            return Finding(subject, "good", f"used by {each.name} of the system running here")
    return Finding(subject, "optional", f"taken by another program; {otherwise}")


def _docker(*, needed: bool) -> Iterator[Finding]:
    # The Docker SDK takes a while to import.
    from orderboard_stack.localstack import DEFAULT_IMAGE, DockerUnavailableError, engine  # noqa: PLC0415

    missing: Verdict = "bad" if needed else "optional"
    try:
        client = engine()
    except DockerUnavailableError:
        fix = "Install Docker and start it, or set DOCKER_HOST" if needed else ""
        yield Finding(
            "Docker",
            missing,
            "no engine answers; only the localstack backend and the workshop's last exercise use one",
            fix,
        )
        return
    with closing(client):
        version = client.version()["Version"]
        here = {tag for image in client.images.list() for tag in image.tags}
    yield Finding("Docker", "good", f"engine {version}")
    found = "is here" if DEFAULT_IMAGE in here else "is not here yet; it is pulled when it is needed (about 1 GB)"
    yield Finding("LocalStack", "good" if DEFAULT_IMAGE in here else "optional", f"image {DEFAULT_IMAGE} {found}")


def _credentials() -> Finding:
    try:
        who = account()
    except NoAccountError as exc:
        return Finding("AWS", "bad", "no usable credentials", str(exc))
    return Finding("AWS", "good", f"account {who.account_id} in {who.endpoint.region}, as {who.arn}")
