"""The host of a measurement: operating system, processor, memory, and the versions of the measured packages."""

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil
from pydantic import BaseModel, ConfigDict

_PACKAGES: Final = (
    *("orderboard", "orderboard-localbus", "ministack"),
    *("aiobotocore", "aiohttp", "fastapi", "uvicorn", "uvloop", "pydantic"),
)


class Host(BaseModel):
    """A computer. cpus counts those that this process may use; versions are by distribution name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    processor: str
    cpus: int
    memory_megabytes: int
    python: str
    versions: Mapping[str, str]


def this_host() -> Host:
    """Describe the computer that this process runs on."""
    return Host(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cpus=len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count() or 1,
        memory_megabytes=round(psutil.virtual_memory().total / 1e6),
        python=platform.python_version(),
        versions={name: version for name in _PACKAGES if (version := installed_version(name)) is not None},
    )


def installed_version(distribution: str) -> str | None:
    """The version installed beside this command; None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
