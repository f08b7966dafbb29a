"""Packs a Lambda function into a zip: the project's own packages and what the target's runtime does not have.

The same input gives the same bytes: entries are sorted, times and permissions fixed (with the same zlib). boto3 comes
with the Lambda runtime, so the notifier neither declares nor packs it; the worker packs the botocore that its
aiobotocore is made for, with the models of its services alone. `function_wheels` fetches the Linux wheels.
"""

import platform
import sys
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final, Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from orderboard_stack.function_wheels import WheelsError, linux_environment, linux_wheels

Architecture = Literal["x86_64", "arm64"]
FunctionName = Literal["notifier", "worker"]
Entry = tuple[str, bytes]

# This project's own distributions, and the package of each. They are read from their folders.
PROJECT_PACKAGES: Final[Mapping[str, str]] = {
    "orderboard-notifier": "notifier",
    "orderboard-worker": "worker",
    "orderboard-contracts": "orderboard_contracts",
    "orderboard-aws-client": "orderboard_aws_client",
}
# Caches, type stubs, sources of native code, and the web page of Powertools' HTTP handler (1.7 MB): no import ever
# opens them.
_NEVER_OPENED: Final = frozenset((".pyc", ".pyi", ".typed", ".js", ".css", ".c", ".h", ".pyx", ".pxd", ".hash"))
# The worker's process runs on it; a function handles one batch at a time, and starts sooner without its 16 MB.
_OF_PROCESSES: Final = frozenset(("uvloop",))
# botocore's models are 24 MB; these are of the services that a function calls with it.
_MODELS: Final = PurePosixPath("botocore/data")
_CALLED: Final = frozenset(("dynamodb", "events", "sqs"))
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
# Three times as fast as level 6 on these files, and 7 % larger.
_DEFLATE_LEVEL: Final = 3


class FunctionZipError(Exception):
    """The zip cannot be made; the message says what is missing and how to fix it."""


def host_architecture() -> Architecture:
    """This machine's architecture in Lambda's words. A LocalStack here runs functions on the same processor."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


@dataclass(frozen=True)
class HostTarget:
    """The Python that runs now, for backends that run a Lambda as a process of it: the dependencies are installed.

    So they are imported as they are, compiled and shared with the other processes: a function takes 10 MB less and
    starts in half the time, and the backend does not keep 9 MB of zip.
    """


@dataclass(frozen=True)
class LinuxTarget:
    """Lambda's own Linux (and LocalStack's containers), with the wheels pinned in requirements.lock.

    traces: pack OpenTelemetry too, 1.5 MB; a Lambda layer of OpenTelemetry is the other way.
    """

    architecture: Architecture = "x86_64"
    python: str = "3.13"
    traces: bool = False


def build_function_zip(
    out: Path,
    target: HostTarget | LinuxTarget,
    function: FunctionName = "notifier",
    *,
    instead: Mapping[str, bytes] = MappingProxyType({}),
    progress: Callable[[str], None] = lambda _line: None,
) -> Path:
    """Write the function's zip for this target to `out` and return it; raise FunctionZipError.

    The host's zip needs no network. The first zip for each Linux target fetches its wheels into .orderboard/cache, and
    reports that to `progress`. instead: the content of files of the project, by their names in the zip.
    """
    environment = linux_environment(target.architecture, target.python) if isinstance(target, LinuxTarget) else {}
    traces = isinstance(target, LinuxTarget) and target.traces
    needed = _needed_distributions(f"orderboard-{function}", environment, traces=traces)
    entries = [(name, instead.get(name, content)) for name, content in _project_files(needed)]
    if isinstance(target, LinuxTarget):
        others = sorted(needed - PROJECT_PACKAGES.keys() - _OF_PROCESSES)
        try:
            wheels = linux_wheels(others, target.architecture, target.python, progress, of=function)
        except WheelsError as exc:
            raise FunctionZipError(str(exc)) from exc
        entries += _wheel_files(wheels)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.unfinished")
    _write(unfinished, entries)
    return unfinished.replace(out)


def _needed_distributions(root: str, environment: Mapping[str, str], *, traces: bool) -> set[str]:
    """The names of all distributions that this one needs there, also indirectly, and its name."""
    seen: set[tuple[str, str]] = set()
    pending = [(root, ""), *([(root, "otlp")] if traces else [])]
    while pending:
        name, extra = pending.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for requirement in map(Requirement, _installed(name).requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
                needed = canonicalize_name(requirement.name)
                pending += [(needed, each) for each in ("", *requirement.extras)]
    return {name for name, _ in seen}


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as exc:
        raise FunctionZipError(
            f"{name} is not installed beside {sys.executable}; run `make` again to set it up"
        ) from exc


def _wheel_files(wheels: Iterable[Path]) -> Iterator[Entry]:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and _is_packed(PurePosixPath(name)):
                    yield name, archive.read(name)


def _project_files(needed: Collection[str]) -> Iterator[Entry]:
    for package in [package for name, package in PROJECT_PACKAGES.items() if name in needed]:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise FunctionZipError(f"the package {package} is not installed beside {sys.executable}")
        folder = Path(spec.origin).parent
        for file in folder.rglob("*"):
            name = PurePosixPath(file.relative_to(folder.parent))
            if file.is_file() and _is_packed(name):
                yield str(name), file.read_bytes()


def _is_packed(path: PurePosixPath) -> bool:
    top = path.parts[0]
    return (
        not top.endswith((".dist-info", ".data"))
        and not {"..", "__pycache__", "tests", "test_cases.py"} & set(path.parts)
        and path.suffix not in _NEVER_OPENED
        and _is_called(path)
    )


def _is_called(path: PurePosixPath) -> bool:
    """Return False for the models of services that the functions never call."""
    if not path.is_relative_to(_MODELS):
        return True
    service = path.relative_to(_MODELS).parts[0]
    return service.endswith(".json") or service in _CALLED


def _write(out: Path, entries: Iterable[Entry]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL) as archive:
        for name, content in sorted(entries):
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.create_system = 3  # Unix, so that the permissions count
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
