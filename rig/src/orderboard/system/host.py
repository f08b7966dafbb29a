"""The machine that a measurement ran on, and the versions of what it measured."""

import importlib.metadata
import platform
from pathlib import Path
from typing import Final

import psutil

from orderboard.burst.model import Machine

_PACKAGES: Final = (
    *("orderboard", "orderboard-localbus", "ministack"),
    *("aiobotocore", "aiohttp", "fastapi", "uvicorn", "uvloop", "pydantic"),
)


def machine() -> Machine:
    """Look at it."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cpus=len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count() or 1,
        memory_megabytes=round(psutil.virtual_memory().total / 1e6),
        python=platform.python_version(),
        versions={name: version for name in _PACKAGES if (version := _version(name)) is not None},
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
