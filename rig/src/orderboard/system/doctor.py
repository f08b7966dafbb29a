"""`doctor`: what this machine has and lacks, and the mend for each. It changes nothing."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal

from orderboard_stack.aws import NoAccountError, account
from orderboard_stack.backend import BackendName
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from rich.console import Console
from rich.table import Table

from orderboard.errors import RigError
from orderboard.system.lifecycle import DEFAULT_PORT
from orderboard.system.services import is_free
from orderboard.system.state import StateFile
from orderboard.system.workspace import Workspace

Verdict = Literal["good", "optional", "bad"]

OLDEST_PYTHON: Final = (3, 11)
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
_SHOWN: Final = 4


@dataclass(frozen=True)
class Finding:
    """One thing looked at. optional: missing, but only what it names needs it. bad: it must be mended."""

    subject: str
    verdict: Verdict
    found: str
    mend: str = ""


def examine(workspace: Workspace, backend: BackendName) -> list[Finding]:
    """Look at everything that this backend needs, and at what the others would need."""
    findings = [
        python(sys.version_info[:2]),
        dependencies(workspace.lock.read_text(), installed_version),
        _writable(workspace.state_dir),
        _system(workspace),
        _port(workspace),
        *_docker(needed=backend == "localstack"),
    ]
    return [*findings, _credentials()] if backend == "aws" else findings


def python(running: tuple[int, int]) -> Finding:
    """Whether this Python is new enough."""
    text = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        return Finding("Python", "bad", text, "Use 3.11 or newer: make clean, then make PYTHON=python3.13 demo")
    return Finding("Python", "good", text)


def dependencies(lock: str, installed: Callable[[str], str | None]) -> Finding:
    """Whether what is installed is what the lock pins."""
    wrong = [
        f"{name} {found or 'missing'} instead of {wanted}"
        for name, wanted in pins(lock)
        if (found := installed(name)) != wanted
    ]
    if not wrong:
        return Finding("Dependencies", "good", f"all {sum(1 for _ in pins(lock))} as requirements.lock pins them")
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Finding(
        "Dependencies", "bad", ", ".join(wrong[:_SHOWN]) + more, "Set .venv up again: make clean, then make demo"
    )


def pins(lock: str) -> Iterator[tuple[str, str]]:
    """The names and versions that the lock pins for this machine."""
    for name, wanted, marker in _PIN.findall(lock):
        if not marker or Marker(marker).evaluate():
            yield canonicalize_name(name), wanted


def installed_version(name: str) -> str | None:
    """The version that is installed beside this command."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def render(findings: list[Finding], console: Console) -> None:
    """Print the findings and their mends."""
    unicode = console.encoding.lower().startswith("utf")
    signs = {"good": "✓" if unicode else "ok", "optional": "-", "bad": "✗" if unicode else "BAD"}
    styles = {"good": "green", "optional": "dim", "bad": "bold red"}
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        table.add_row(f" [{styles[each.verdict]}]{signs[each.verdict]}[/]", each.subject, each.found)
        if each.mend:
            table.add_row("", "", f"[b]{each.mend}[/]")
    console.print(table)


def _writable(state_dir: Path) -> Finding:
    probe = state_dir / "doctor"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as exc:
        return Finding(
            "State folder",
            "bad",
            f"{state_dir}: {exc.strerror}",
            "Set ORDERBOARD_STATE_DIR to one that you may write to",
        )
    return Finding("State folder", "good", str(state_dir))


def _system(workspace: Workspace) -> Finding:
    try:
        state = StateFile(workspace.state_dir).read()
    except RigError as exc:
        return Finding("System", "bad", str(exc))
    if state is None:
        return Finding("System", "good", "none runs here; start one with `orderboard up`")
    dead = [each.name for each in state.processes if each.find() is None]
    if dead:
        return Finding(
            "System", "bad", f"{', '.join(dead)} ended by itself", f"orderboard down, and see {workspace.logs_dir}"
        )
    return Finding("System", "good", f"runs at {state.api_url}")


def _port(workspace: Workspace) -> Finding:
    subject = f"Port {DEFAULT_PORT}"
    if is_free(DEFAULT_PORT):
        return Finding(subject, "good", "free")
    state = StateFile(workspace.state_dir).read()
    if state is not None and state.api_url.endswith(f":{DEFAULT_PORT}"):
        return Finding(subject, "good", "is order-api's, of the system that runs here")
    return Finding(subject, "optional", "taken by another program; `orderboard up` takes a free one instead")


def _docker(*, needed: bool) -> Iterator[Finding]:
    # The Docker SDK takes a while to import.
    from orderboard_stack.localstack import DEFAULT_IMAGE, DockerUnavailableError, engine  # noqa: PLC0415

    missing: Verdict = "bad" if needed else "optional"
    try:
        client = engine()
    except DockerUnavailableError:
        mend = "Install Docker and start it, or set DOCKER_HOST" if needed else ""
        yield Finding("Docker", missing, "no engine answers; only the localstack backend needs one", mend)
        return
    yield Finding("Docker", "good", f"engine {client.version()['Version']}")
    here = {tag for image in client.images.list() for tag in image.tags}
    found = "is here" if DEFAULT_IMAGE in here else "is not here yet; it is pulled when it is needed (about 1 GB)"
    yield Finding("LocalStack", "good" if DEFAULT_IMAGE in here else "optional", f"image {DEFAULT_IMAGE} {found}")


def _credentials() -> Finding:
    try:
        who = account()
    except NoAccountError as exc:
        return Finding("AWS", "bad", "no usable credentials", str(exc))
    return Finding("AWS", "good", f"account {who.account_id} in {who.endpoint.region}, as {who.arn}")
