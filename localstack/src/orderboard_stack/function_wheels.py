"""Fetches the wheels of a function's zip for Linux, as requirements.lock pins them, into a cache.

pip fetches them from the index that this machine is configured for. `function_zip` decides which are packed.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from packaging.markers import Marker
from packaging.utils import canonicalize_name

_ROOT: Final = Path(__file__).resolve().parents[3]
LOCK: Final = _ROOT / "requirements.lock"
CACHE: Final = _ROOT / ".orderboard" / "cache"
# Lambda's architectures in the words of wheels and markers.
MACHINES: Final[Mapping[str, str]] = {"x86_64": "x86_64", "arm64": "aarch64"}
# python3.12 and newer run on Amazon Linux 2023, whose glibc is 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_PLATFORMS: Final = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.*?))? \\$", re.MULTILINE)
_HASH: Final = re.compile(r"^ +--hash=\S+", re.MULTILINE)


class WheelsError(Exception):
    """The wheels cannot be fetched; the message says why and what to do."""


class _Pin(NamedTuple):
    name: str
    marker: Marker | None
    text: str


def linux_environment(architecture: str, python: str) -> dict[str, str]:
    """The values of environment markers on that Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def linux_wheels(
    names: Iterable[str], architecture: str, python: str, progress: Callable[[str], None], *, of: str
) -> list[Path]:
    """The wheels of these distributions for that Linux, from the cache or from the package index."""
    pins = _pins(LOCK.read_text(), frozenset(names), linux_environment(architecture, python))
    key = hashlib.sha256(f"{architecture} {python} {_PLATFORMS}\n{pins}".encode()).hexdigest()[:16]
    kept = CACHE / f"{of}-wheels-{architecture}-{python}-{key}"
    if not kept.is_dir():
        progress(f"Fetching the {of}'s wheels for Python {python} on Linux {architecture} (once) ...")
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            fetched = Path(folder) / "wheels"
            _fetch(pins, fetched, architecture, python, of)
            try:
                fetched.rename(kept)
            except OSError:
                if not kept.is_dir():  # else another process was quicker
                    raise
    return sorted(kept.glob("*.whl"))


def _pins(lock: str, names: frozenset[str], environment: Mapping[str, str]) -> str:
    """The part of the lock that pins these names. Markers are evaluated here: pip would use this machine's values."""
    chosen = [
        pin
        for pin in _parse(lock)
        if pin.name in names and (pin.marker is None or pin.marker.evaluate(dict(environment)))
    ]
    missing = names - {pin.name for pin in chosen}
    if missing:
        raise WheelsError(f"{LOCK.name} does not pin {', '.join(sorted(missing))}; resolve it again with `make lock`")
    return "".join(pin.text for pin in chosen)


def _parse(lock: str) -> Iterator[_Pin]:
    heads = list(_PIN.finditer(lock))
    ends = [head.start() for head in heads[1:]] + [len(lock)]
    for head, end in zip(heads, ends, strict=True):
        hashes = _HASH.findall(lock, head.end(), end)
        pinned = f"{head['name']}=={head['version']}"
        yield _Pin(
            name=canonicalize_name(head["name"]),
            marker=Marker(head["marker"]) if head["marker"] else None,
            text=" \\\n".join((pinned, *hashes)) + "\n",
        )


def _fetch(pins: str, folder: Path, architecture: str, python: str, of: str) -> None:
    folder.mkdir()
    requirements = folder.parent / "requirements.txt"
    requirements.write_text(pins)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries=2", "--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={python}"]
    command += [f"--platform={platform}_{MACHINES[architecture]}" for platform in _PLATFORMS]
    command += [f"--requirement={requirements}", f"--dest={folder}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise WheelsError(
            f"pip could not fetch the {of}'s wheels for Python {python} on Linux {architecture}; "
            f"is the package index reachable? pip says:\n{done.stderr.strip()}"
        )
