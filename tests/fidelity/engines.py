"""The engines that are compared: each is started fresh, and ended with everything that it started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from orderboard_stack.local_backend import local_backend
from orderboard_stack.localstack import DEFAULT_IMAGE, localstack

Start = Callable[[], AbstractContextManager[str]]


@contextmanager
def localbus_engine() -> Iterator[str]:
    """localbus as a process of its own, with MiniStack behind it for what it has not."""
    with (
        ministack_engine() as upstream,
        subprocess.Popen(
            [sys.executable, "-m", "localbus", "--port", "0", "--upstream", upstream],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as child,
    ):
        try:
            assert child.stdout is not None
            yield child.stdout.readline().split()[-1]
        finally:
            child.terminate()


@contextmanager
def ministack_engine() -> Iterator[str]:
    """MiniStack, from PyPI."""
    with TemporaryDirectory() as folder, local_backend("ministack", Path(folder) / "ministack.log") as endpoint:
        yield str(endpoint.endpoint_url)


@contextmanager
def localstack_engine() -> Iterator[str]:
    """LocalStack, in Docker."""
    with localstack() as endpoint:
        yield str(endpoint.endpoint_url)


ENGINES: Final[dict[str, Start]] = {
    "localbus": localbus_engine,
    "LocalStack": localstack_engine,
    "MiniStack": ministack_engine,
}


def version_of(engine: str) -> str:
    """The version that is run."""
    if engine == "LocalStack":
        return (os.environ.get("ORDERBOARD_LOCALSTACK_IMAGE") or DEFAULT_IMAGE).rpartition(":")[2]
    return version("ministack" if engine == "MiniStack" else "orderboard-localbus")
