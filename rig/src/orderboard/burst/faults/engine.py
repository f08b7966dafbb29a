"""The embedded backend under faults: killed, configured to inject faults, out of disk space. It never waits.

The backend starts a killed engine again by itself; the engine then gets the settings again, which it does not keep.
"""

import math
import resource
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import psutil

from orderboard.burst.faults.schedule import Fault
from orderboard.errors import RigError
from orderboard.system import localbus
from orderboard.system.engine import engine_process
from orderboard.system.fault_settings import api_faults, delivery_faults
from orderboard.system.localbus import Localbus
from orderboard.system.system import System

HAS_FULL_DISK: Final = sys.platform == "linux"  # has prlimit(2)
_AGAIN_AFTER_S: Final = 0.1


class Engine:
    """The engine of a system. note: gets a time and an event."""

    def __init__(self, system: System, note: Callable[[float, str], None]) -> None:
        self._system = system
        self._note = note
        self._process: psutil.Process | None = None  # once it was looked for
        self._settings: dict[str, dict[str, Any]] = {}  # what it is to inject, by path
        self._to_send: set[str] = set()
        self._sending: Future[set[str]] | None = None  # what could not be sent
        self._sender = ThreadPoolExecutor(1, "fault-settings")
        self._look_at_s = self._send_at_s = 0.0
        self._away_since_s: float | None = None
        self._dead: psutil.Process | None = None  # the last one
        self._full_until_s = math.inf

    def apply(self, fault: Fault, now_s: float) -> bool:
        """Carry out a fault of the engine; return False if there is none at the moment."""
        match fault.action:
            case "disorder":
                self._set(localbus.DELIVERY_FAULTS, delivery_faults(fault.settings))
            case "faults":
                self._set(localbus.FAULTS, api_faults(fault.settings))
            case "kill-backend" | "fill-disk":
                if (process := self._running()) is None:
                    return False
                if fault.action == "kill-backend":
                    process.kill()
                    self._is_away(now_s)
                else:
                    _limit_files(process, full=True)
                    self._full_until_s = now_s + fault.lasts_s
        return True

    def keep_up(self, now_s: float) -> None:
        """Notice that it has died or answers again, end a full disk, and send what it is to inject."""
        if now_s >= self._full_until_s:
            self._free_disk(now_s)
        if self._process is not None and self._away_since_s is None and not self._process.is_running():
            self._is_away(now_s)
        if self._away_since_s is not None and now_s >= self._look_at_s:
            self._look_at_s = now_s + _AGAIN_AFTER_S
            if self._running() is not None:
                self._note(now_s, f"the backend answers again, after {now_s - self._away_since_s:.1f} s")
                self._away_since_s = None
                self._to_send = set(self._settings)
        self._send(now_s)

    def _free_disk(self, now_s: float) -> None:
        """Let it write again; one that was killed meanwhile writes already."""
        self._full_until_s = math.inf
        if (process := self._running()) is not None:
            _limit_files(process, full=False)
            self._note(now_s, "the backend's disk has room again")

    def lift(self) -> None:
        """End what it injects, so that evidence can be read. This waits until it is done."""
        self._settings = {path: {} for path in self._settings}
        self._to_send.clear()
        if self._sending is not None:
            self._sending.result()
            self._sending = None
        _send(str(self._system.target.endpoint.endpoint_url), self._settings)

    def close(self) -> None:
        """End the thread."""
        self._sender.shutdown(cancel_futures=True)

    def _set(self, path: str, document: dict[str, Any]) -> None:
        self._settings[path] = document
        self._to_send.add(path)

    def _send(self, now_s: float) -> None:
        """Send what was not sent, in a thread: a busy backend takes its time. What fails is sent again later."""
        if self._sending is not None and self._sending.done():
            self._to_send |= self._sending.result()
            self._sending = None
        if self._to_send and self._sending is None and self._away_since_s is None and now_s >= self._send_at_s:
            self._send_at_s = now_s + _AGAIN_AFTER_S
            documents = {path: self._settings[path] for path in self._to_send}
            self._to_send.clear()
            self._sending = self._sender.submit(_send, str(self._system.target.endpoint.endpoint_url), documents)

    def _is_away(self, now_s: float) -> None:
        self._dead, self._process, self._away_since_s = self._process, None, now_s

    def _running(self) -> psutil.Process | None:
        """Return its process; None while it is away."""
        if self._process is None and (pid := self._system.backend.pid) is not None:
            found = engine_process(pid, self._system.target.endpoint.endpoint_url)
            self._process = None if found == self._dead else found
        return self._process


def _send(url: str, documents: Mapping[str, dict[str, Any]]) -> set[str]:
    """Send documents by their paths; return the paths of those that failed."""
    engine, failed = Localbus(url), set()
    for path, document in documents.items():
        try:
            engine.change("PUT", path, document)
        except RigError:
            failed.add(path)
    engine.close()
    return failed


def _limit_files(process: psutil.Process, *, full: bool) -> None:
    """Let every write to a file fail as on a full disk, or no longer. Needs no privileges, and no disk."""
    with suppress(ProcessLookupError):  # it has just died
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0 if full else most, most))
