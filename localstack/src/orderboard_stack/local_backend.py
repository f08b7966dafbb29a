"""The backends that are processes of this machine and need no Docker: embedded and ministack.

`embedded` is localbus (queues, topics, buses, tables, stacks) in front of MiniStack (everything else); each is started
again when it dies, and what it acknowledged is there. `ministack` is MiniStack alone, and its state is gone when it
ends. Both listen on free ports of 127.0.0.1. Functions run on this machine's own Python, as children of MiniStack.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from orderboard_stack.backend import DEFAULT_REGION, HEALTH_PATHS, Endpoint
from orderboard_stack.local_processes import scratch_folder, stop_local
from orderboard_stack.process import HEAP_SETTINGS, HOST, free_port, listening_ports, read_json, tail

LocalName = Literal["embedded", "ministack"]

LOCAL_NAMES: Final[tuple[LocalName, ...]] = get_args(LocalName)
_MODULES: Final[Mapping[LocalName, str]] = {
    "embedded": "orderboard_stack.embedded_child",
    "ministack": "orderboard_stack.ministack_child",
}
_STARTS: Final = 3
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class LocalStartError(Exception):
    """A process ended or did not answer in time; the message has the end of its log."""


class _PortTakenError(Exception):
    """Another program took a port after it was chosen and before it was used."""


@dataclass(frozen=True)
class _Ports:
    """The port of the backend and that of MiniStack: the same where MiniStack is alone."""

    front: int
    ministack: int


@dataclass
class LocalBackend:
    """A backend that was started. pid is its first process: MiniStack, or the one that keeps both engines running."""

    name: LocalName
    endpoint: Endpoint
    pid: int
    log_path: Path
    _ports: _Ports = field(repr=False)
    _child: "subprocess.Popen[bytes]" = field(repr=False)

    def wait(self, within_s: float = 30) -> None:
        """Wait until all of it answers. Raises LocalStartError, or _PortTakenError when another try may help."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                log = tail(self.log_path, 20)
                raise (_PortTakenError if self._is_taken(log) else LocalStartError)(f"The backend ended.\n{log}")
            if self._is_ready():
                return
            time.sleep(0.02)
        log = tail(self.log_path, 20)
        raise LocalStartError(f"The backend did not answer within {within_s:g} s.\n{log}")

    def stop(self) -> None:
        """End it with its functions and remove its files. It may have ended already."""
        stop_local(self.pid, self.log_path)
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait(timeout=10)

    def _is_taken(self, log: str) -> bool:
        """Return whether one of these two was taken: for other ports, such as MQTT's, MiniStack only logs a warning."""
        ours = (str(self._ports.front), str(self._ports.ministack))
        return any("already in use" in line and any(port in line for port in ours) for line in log.splitlines())

    def _is_ready(self) -> bool:
        """Return whether all of it answers, from our own processes and not from a program that took the port first."""
        ports = self._ports
        if not {ports.front, ports.ministack} <= listening_ports(self.pid, children=True):
            return False
        addresses = {(self.name, ports.front), ("ministack", ports.ministack)}
        return all(read_json(f"{_url(port)}{HEALTH_PATHS[each]}", 2) is not None for each, port in addresses)


def start_local(
    name: LocalName,
    log_path: Path,
    *,
    port: int | None = None,
    detached: bool = False,
    within_s: float = 30,
    data_dir: Path | None = None,
    disorder: str | None = None,
    manual_clock: bool = False,
) -> LocalBackend:
    """Start it and wait until it answers; raise LocalStartError when it does not.

    It ends with the calling process, however that ends, unless detached: then stop_local ends it. port: None takes a
    free one. Its output goes to log_path; its files are beside the log and are removed when it ends, unless data_dir
    names a folder where embedded keeps what it acknowledged. disorder is the --disorder of `python -m localbus`,
    manual_clock its --manual-clock; raise ValueError when the disorder is not valid, or when the backend has no
    localbus.
    """
    options = _localbus_options(name, disorder, manual_clock=manual_clock)
    if data_dir is not None and name != "embedded":
        raise ValueError(f"the backend {name} has no data folder; embedded has")
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _STARTS + 1):
        front = port or free_port()
        ports = _Ports(front, front if name == "ministack" else free_port())
        backend = _spawn(name, log_path, ports, options, data_dir, detached=detached)
        try:
            backend.wait(within_s)
        except _PortTakenError as exc:
            backend.stop()
            if port is not None or attempt == _STARTS:
                raise LocalStartError(f"Port {front} on {HOST} is taken: {exc}") from exc
        except BaseException:
            backend.stop()
            raise
        else:
            return backend
    raise AssertionError("unreachable")


@contextmanager
def local_backend(name: LocalName, log_path: Path) -> Iterator[Endpoint]:
    """Run it for the length of a with block."""
    backend = start_local(name, log_path)
    try:
        yield backend.endpoint
    finally:
        backend.stop()


def _localbus_options(name: LocalName, disorder: str | None, *, manual_clock: bool) -> Sequence[str]:
    wanted = {"disorder": disorder is not None, "manual clock": manual_clock}
    for what in (what for what, is_wanted in wanted.items() if is_wanted and name != "embedded"):
        raise ValueError(f"the backend {name} has no {what}; embedded has")
    clock = ("--manual-clock",) if manual_clock else ()
    if disorder is None:
        return clock
    from localbus.delivery_faults import parse_faults  # noqa: PLC0415 - a demo is ready sooner without localbus in here

    parse_faults(disorder)
    return ("--disorder", disorder, *clock)


def _spawn(
    name: LocalName,
    log_path: Path,
    ports: _Ports,
    localbus_options: Sequence[str],
    data_dir: Path | None,
    *,
    detached: bool,
) -> LocalBackend:
    scratch = scratch_folder(log_path)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    data_dir = scratch / "data" if data_dir is None else data_dir.absolute()
    arguments = [str(scratch), "detached" if detached else "attached"]
    if name == "embedded":
        arguments += ["--host", HOST, "--port", str(ports.front), "--upstream", _url(ports.ministack)]
        arguments += ["--data", str(data_dir / "localbus"), *localbus_options]
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", _MODULES[name], *arguments],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(ports, scratch) | (_kept_in(data_dir / "ministack") if name == "embedded" else {}),
            start_new_session=True,  # Ctrl-C reaches only us, and there is one group to end
        )
    upstream_url = _url(ports.ministack) if ports.ministack != ports.front else None
    endpoint = Endpoint(name, _url(ports.front), upstream_url=upstream_url)
    return LocalBackend(name, endpoint, child.pid, log_path, ports, child)


def _environment(ports: _Ports, scratch: Path) -> dict[str, str]:
    """MiniStack's settings, and nothing else of ours: no proxy and no AWS account of the user leaks into it."""
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **HEAP_SETTINGS,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": _url(ports.front),  # its functions inherit it: they reach the queues and tables that we do
        "BIND_HOST": HOST,
        "DOCKER_HOST": f"unix://{scratch}/no-docker",  # it would look for containers to remove
        "GATEWAY_PORT": str(ports.ministack),
        "IOT_MTLS_ENABLED": "0",  # its MQTT server listens on every interface, and slows the start down
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "5",  # of all but the first process of a function, looked at every 30 s
        "LOG_LEVEL": "WARNING",
        "MINISTACK_HOST": HOST,  # the host in queue URLs
        "MINISTACK_REGION": DEFAULT_REGION,
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(scratch / "s3"),
        "SFTP_ENABLED": "0",  # as IOT_MTLS_ENABLED, where asyncssh is installed
        "STATE_DIR": str(scratch / "state"),
        "TMPDIR": str(scratch),
    }


def _kept_in(folder: Path) -> dict[str, str]:
    """MiniStack's settings for a state that is kept in this folder; see kept_state."""
    return {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "buckets"),
    }


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
