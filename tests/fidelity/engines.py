"""The engines that are compared. Each is started for a run and stopped with everything it started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fidelity.aws import Clients
from orderboard_stack.backend import Endpoint
from orderboard_stack.local_backend import LocalName, local_backend
from orderboard_stack.localstack import DEFAULT_IMAGE, engine, localstack

Start = Callable[[], AbstractContextManager[Clients]]


@contextmanager
def _local_engine(backend: LocalName) -> Iterator[Clients]:
    """A backend of this machine: embedded is localbus with MiniStack as its upstream, ministack is MiniStack alone."""
    with TemporaryDirectory() as folder, local_backend(backend, Path(folder) / "engine.log") as endpoint:
        yield from _clients(endpoint)


@contextmanager
def _localstack_engine() -> Iterator[Clients]:
    """LocalStack in Docker; this machine is the gateway of its network."""
    network = engine().networks.get("bridge").attrs
    with localstack() as endpoint:
        yield from _clients(endpoint, network["IPAM"]["Config"][0]["Gateway"])


def _clients(endpoint: Endpoint, callback_host: str = "127.0.0.1") -> Iterator[Clients]:
    with closing(Clients(str(endpoint.endpoint_url), callback_host)) as clients:
        yield clients


ENGINES: Final[dict[str, Start]] = {
    "localbus": partial(_local_engine, "embedded"),
    "LocalStack": _localstack_engine,
    "MiniStack": partial(_local_engine, "ministack"),
}


def version_of(name: str) -> str:
    """Return the version of an engine."""
    if name == "LocalStack":
        return (os.environ.get("ORDERBOARD_LOCALSTACK_IMAGE") or DEFAULT_IMAGE).rpartition(":")[2]
    return version("ministack" if name == "MiniStack" else "orderboard-localbus")
