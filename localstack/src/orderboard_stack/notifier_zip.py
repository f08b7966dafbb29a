"""Packs the notifier Lambda into a zip: the project's own packages and the dependencies of orderboard-notifier.

The same input gives the same bytes: entries are sorted, times and permissions fixed (with the same zlib). boto3 comes
with the Lambda runtime, so it is neither declared nor packed. `notifier_wheels` fetches the Linux wheels.
"""

import platform
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from orderboard_stack.notifier_wheels import WheelsError, linux_environment, linux_wheels

Architecture = Literal["x86_64", "arm64"]
Entry = tuple[str, bytes]

# This project's own distributions, and the package of each. They are read from their folders.
PROJECT_PACKAGES: Final[Mapping[str, str]] = {
    "orderboard-notifier": "notifier",
    "orderboard-contracts": "orderboard_contracts",
}
# Caches, type stubs, and the web page of Powertools' HTTP handler (1.7 MB): no import ever opens them.
_NEVER_OPENED: Final = frozenset((".pyc", ".pyi", ".typed", ".js", ".css"))
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
# For Lambda: three times as fast as level 6 on these files, and 7 % larger. For this host: see _write.
_DEFLATE_LEVEL: Final = 3


class NotifierZipError(Exception):
    """The zip cannot be made; the message says what is missing and how to fix it."""


def host_architecture() -> Architecture:
    """This machine's architecture in Lambda's words. A LocalStack here runs functions on the same processor."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


@dataclass(frozen=True)
class HostTarget:
    """The Python that runs now, with the packages installed beside it: for backends that run a Lambda as a process."""


@dataclass(frozen=True)
class LinuxTarget:
    """Lambda's own Linux (and LocalStack's containers), with the wheels pinned in requirements.lock."""

    architecture: Architecture = "x86_64"
    python: str = "3.13"


def build_notifier_zip(
    out: Path, target: HostTarget | LinuxTarget, *, progress: Callable[[str], None] = lambda _line: None
) -> Path:
    """Write the zip for this target to `out` and return it; raise NotifierZipError.

    The host's zip takes a fraction of a second and no network. The first zip for each Linux target fetches its wheels
    into .orderboard/cache, and reports that to `progress`.
    """
    match target:
        case HostTarget():
            names = _needed_distributions({key: str(value) for key, value in default_environment().items()})
            third_party = _installed_files(names)
        case LinuxTarget():
            environment = linux_environment(target.architecture, target.python)
            names = _needed_distributions(environment)
            try:
                wheels = linux_wheels(names, target.architecture, target.python, progress)
            except WheelsError as exc:
                raise NotifierZipError(str(exc)) from exc
            third_party = _wheel_files(wheels)
    entries = [*_project_files(), *third_party]
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.unfinished")
    _write(unfinished, entries, compressed=isinstance(target, LinuxTarget))
    return unfinished.replace(out)


def _needed_distributions(environment: Mapping[str, str]) -> list[str]:
    """The names of all distributions outside the project that orderboard-notifier needs there, also indirectly."""
    seen: set[tuple[str, str]] = set()
    pending = [("orderboard-notifier", "")]
    while pending:
        name, extra = pending.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for requirement in map(Requirement, _installed(name).requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
                needed = canonicalize_name(requirement.name)
                pending += [(needed, each) for each in ("", *requirement.extras)]
    return sorted({name for name, _ in seen} - PROJECT_PACKAGES.keys())


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as exc:
        raise NotifierZipError(
            f"{name} is not installed beside {sys.executable}; run `make` again to set it up"
        ) from exc


def _installed_files(names: Iterable[str]) -> Iterator[Entry]:
    for name in names:
        for path in _installed(name).files or ():
            if _is_packed(PurePosixPath(path)):
                yield path.as_posix(), path.locate().read_bytes()  # type: ignore[attr-defined]


def _wheel_files(wheels: Iterable[Path]) -> Iterator[Entry]:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and _is_packed(PurePosixPath(name)):
                    yield name, archive.read(name)


def _project_files() -> Iterator[Entry]:
    for package in PROJECT_PACKAGES.values():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise NotifierZipError(f"the package {package} is not installed beside {sys.executable}")
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
    )


def _write(out: Path, entries: Iterable[Entry], *, compressed: bool) -> None:
    # Compressing takes 0.4 s of a start, and a zip for this host does not travel.
    compression = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", compression, compresslevel=_DEFLATE_LEVEL) as archive:
        for name, content in sorted(entries):
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.create_system = 3  # Unix, so that the permissions count
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.compress_type = compression
            archive.writestr(info, content)
