"""The backends that are processes of this machine and need no Docker: embedded and ministack.

`embedded` is localbus (SQS, SNS, EventBridge) in front of MiniStack (everything else), `ministack` is MiniStack alone.
Both listen on free ports of 127.0.0.1. All state is in memory and gone when they end. Functions run on this machine's
own Python, as processes of the same group.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import psutil
from localbus.delivery_faults import parse_faults

from orderboard_stack.backend import DEFAULT_REGION, HEALTH_PATHS, Endpoint, read_json

LocalName = Literal["embedded", "ministack"]

HOST: Final = "127.0.0.1"
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
    """Somebody else took a port between our choice and its use."""


@dataclass
class LocalBackend:
    """A running backend. pid leads the process group of the engines and their functions."""

    endpoint: Endpoint
    pid: int
    log_path: Path
    _child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def stop(self) -> None:
        """End it with its functions and remove its files. Ending one that has ended is fine."""
        stop_local(self.pid, self.log_path)
        if self._child is not None:
            if self._child.stdin is not None:
                self._child.stdin.close()
            self._child.wait(timeout=10)


@dataclass(frozen=True)
class _Ports:
    """Where the backend answers, and where MiniStack does: the same where it is alone."""

    front: int
    ministack: int


def start_local(
    name: LocalName,
    log_path: Path,
    *,
    port: int | None = None,
    detached: bool = False,
    within_s: float = 30,
    disorder: str | None = None,
    manual_clock: bool = False,
) -> LocalBackend:
    """Start it and wait until it answers; raise LocalStartError when it does not.

    It ends with the calling process, however that ends, unless detached: then stop_local ends it. port: None takes a
    free one. What it writes goes to log_path and to a folder beside it, which goes when it ends. disorder is what
    `python -m localbus --disorder` takes, manual_clock its --manual-clock; raise ValueError when the disorder is wrong,
    or when there is no localbus.
    """
    localbus_options = _localbus_options(name, disorder, manual_clock=manual_clock)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _STARTS + 1):
        front = port or _free_port()
        ports = _Ports(front, front if name == "ministack" else _free_port())
        try:
            return _start(name, log_path, ports, localbus_options, detached=detached, within_s=within_s)
        except _PortTakenError as exc:
            if port is not None or attempt == _STARTS:
                raise LocalStartError(f"Port {port or 'of our choice'} on {HOST} is taken: {exc}") from exc
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
    if disorder is None and not manual_clock:
        return ()
    if name != "embedded":
        raise ValueError(f"{name} knows no {'disorder' if disorder is not None else 'manual clock'}; embedded does")
    clock = ("--manual-clock",) if manual_clock else ()
    if disorder is None:
        return clock
    parse_faults(disorder)
    return ("--disorder", disorder, *clock)


def stop_local(pid: int, log_path: Path) -> bool:
    """End a backend by its pid, from any process, and say whether it was still running.

    A pid that now belongs to something else is left alone.
    """
    running = is_engine(pid)
    if running:
        process = psutil.Process(pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=10)
    shutil.rmtree(_scratch(log_path), ignore_errors=True)
    return running


def is_engine(pid: int) -> bool:
    """Whether this process is an engine that start_local started, and neither a function of one nor a stranger."""
    with suppress(psutil.Error):
        return not set(_MODULES.values()).isdisjoint(psutil.Process(pid).cmdline())
    return False


def _start(
    name: LocalName,
    log_path: Path,
    ports: _Ports,
    localbus_options: Sequence[str],
    *,
    detached: bool,
    within_s: float,
) -> LocalBackend:
    scratch = _scratch(log_path)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    arguments = [str(scratch), "detached" if detached else "attached"]
    if name == "embedded":
        arguments += ["--host", HOST, "--port", str(ports.front), "--upstream", _url(ports.ministack)]
        arguments += localbus_options
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", _MODULES[name], *arguments],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(ports, scratch),
            start_new_session=True,  # Ctrl-C is for us; and one group to end
        )
    tables_url = _url(ports.ministack) if ports.ministack != ports.front else None
    endpoint = Endpoint(name, _url(ports.front), tables_url=tables_url)
    backend = LocalBackend(endpoint, child.pid, log_path, child)
    try:
        _wait_until_ready(name, child, ports, log_path, within_s)
    except BaseException:
        backend.stop()
        raise
    return backend


def _environment(ports: _Ports, scratch: Path) -> Mapping[str, str]:
    """What MiniStack reads; nothing else of ours, so that no proxy and no AWS account of the user leaks into it."""
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Its functions inherit these: they publish where we do, and reach tables without the way through localbus.
        "AWS_ENDPOINT_URL": _url(ports.front),
        "AWS_ENDPOINT_URL_DYNAMODB": _url(ports.ministack),
        "BIND_HOST": HOST,
        "DOCKER_HOST": f"unix://{scratch}/no-docker",  # it would look for containers of its own to remove
        "GATEWAY_PORT": str(ports.ministack),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "30",  # of all but the first process of a function: each takes 40 MB
        "LOG_LEVEL": "WARNING",
        "MINISTACK_HOST": HOST,  # the host in queue URLs
        "MINISTACK_REGION": DEFAULT_REGION,
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "state"),
        "TMPDIR": str(scratch),
    }


def _wait_until_ready(
    name: LocalName, child: "subprocess.Popen[bytes]", ports: _Ports, log_path: Path, within_s: float
) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if child.poll() is not None:
            if _says_taken(tail := _tail(log_path), ports):
                raise _PortTakenError(tail)
            raise LocalStartError(f"The backend ended at once. Its log, {log_path}:\n{tail}")
        if _is_ready(name, child.pid, ports):
            return
        time.sleep(0.02)
    raise LocalStartError(f"The backend did not answer within {within_s} s. Its log, {log_path}:\n{_tail(log_path)}")


def _says_taken(log: str, ports: _Ports) -> bool:
    """Whether it is one of these that was taken: of others, such as MiniStack's for MQTT, a log warns and goes on."""
    ours = (str(ports.front), str(ports.ministack))
    return any("already in use" in line and any(port in line for port in ours) for line in log.splitlines())


def _is_ready(name: LocalName, pid: int, ports: _Ports) -> bool:
    """Whether all of it answers, and it is our own processes that do and not somebody who was faster."""
    if not {ports.front, ports.ministack} <= _listening(pid):
        return False
    addresses = {(name, ports.front), ("ministack", ports.ministack)}
    return all(read_json(f"{_url(port)}{HEALTH_PATHS[each]}", 2) is not None for each, port in addresses)


def _listening(pid: int) -> set[int]:
    """The ports on which this process and its children listen."""
    found: set[int] = set()
    with suppress(psutil.Error):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            connections = process.net_connections("tcp4")
            found |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return found


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _scratch(log_path: Path) -> Path:
    return log_path.with_name(f"{log_path.name}.files").absolute()


def _tail(log_path: Path, lines: int = 20) -> str:
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
