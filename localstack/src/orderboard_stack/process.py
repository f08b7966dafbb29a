"""Child processes on this machine: free ports, readiness over HTTP past any proxy, log tails."""

import json
import socket
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
# Settings of glibc's heap for our processes. The threads of a Python process allocate one at a time, so one arena
# suffices. A threshold that is set does not grow with the largest block: what a peak took goes back to the system.
# https://man7.org/linux/man-pages/man3/mallopt.3.html
HEAP_SETTINGS: Final = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}

# A proxy that the user's shell names is not meant for this machine.
_no_proxy: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port(usual: int | None = None) -> int:
    """A port of 127.0.0.1 that is free at this moment: the usual one if it is."""
    if usual is not None and is_free(usual):
        return usual
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Return whether a service could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def listening_ports(pid: int, *, children: bool = False) -> set[int]:
    """The TCP ports on which this process listens, or also its children do; empty when it has ended."""
    import psutil  # noqa: PLC0415 - of the extra `backends`: deploying alone needs none of this

    found: set[int] = set()
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *(process.children(recursive=True) if children else ())):
            connections = each.net_connections("tcp4")
            found |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return found


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Return whether GET url answers 200."""
    try:
        with _no_proxy.open(url, timeout=timeout_s) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):  # refused, reset, broken off, timed out, or another status
        return False


def read_json(url: str, timeout_s: float) -> object:
    """GET a JSON document; None if there is none."""
    try:
        with _no_proxy.open(url, timeout=timeout_s) as response:
            return json.load(response)
    except (OSError, HTTPException, ValueError):  # refused, reset, broken off, timed out, a 404, not JSON
        return None


def tail(log_path: Path, lines: int = 12) -> str:
    """The last lines of a log, under a line that says where the rest is."""
    try:
        text = log_path.read_text(errors="replace").splitlines()
    except OSError:
        text = []
    return "\n".join([f"The end of the log ({log_path}):", *(f"  {line}" for line in text[-lines:] or ["(empty)"])])
