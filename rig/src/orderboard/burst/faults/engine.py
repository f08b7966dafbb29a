"""The embedded backend under faults: killed, configured to inject faults, out of disk space. It hardly waits.

The backend starts a killed engine again by itself; the engine then gets the settings again, which it does not keep.
"""

import math
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
from orderboard_stack.process import listening_ports

from orderboard.burst.faults.engine_settings import api_faults, delivery_faults
from orderboard.burst.faults.schedule import Fault
from orderboard.errors import RigError
from orderboard.system import localbus
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
        self._send_at_s = 0.0
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
        if now_s < self._send_at_s or (self._away_since_s is None and not self._to_send):
            return
        self._send_at_s = now_s + _AGAIN_AFTER_S
        if self._away_since_s is not None:
            if self._running() is None:
                return
            self._note(now_s, f"the backend answers again, after {now_s - self._away_since_s:.1f} s")
            self._away_since_s = None
            self._to_send = set(self._settings)
        self._send()

    def _free_disk(self, now_s: float) -> None:
        """Let it write again; one that was killed meanwhile writes already."""
        self._full_until_s = math.inf
        if (process := self._running()) is not None:
            _limit_files(process, full=False)
            self._note(now_s, "the backend's disk has room again")

    def lift(self) -> None:
        """End what it injects, so that evidence can be read."""
        self._settings = {path: {} for path in self._settings}
        self._to_send = set(self._settings)
        self._send()

    def _set(self, path: str, document: dict[str, Any]) -> None:
        self._settings[path] = document
        self._to_send.add(path)
        self._send()

    def _send(self) -> None:
        """Send what was not sent; a part that fails is sent again later."""
        engine = Localbus(str(self._system.target.endpoint.endpoint_url))
        for path in sorted(self._to_send):
            with suppress(RigError):
                engine.change("PUT", path, self._settings[path])
                self._to_send.discard(path)
        engine.close()

    def _is_away(self, now_s: float) -> None:
        self._dead, self._process, self._away_since_s = self._process, None, now_s

    def _running(self) -> psutil.Process | None:
        """Return its process: the one of the backend's that listens on the backend's port."""
        if self._process is None and self._system.backend.pid is not None:
            port = urlsplit(self._system.target.endpoint.endpoint_url or "").port
            with suppress(psutil.Error):
                leader = psutil.Process(self._system.backend.pid)
                family = (leader, *leader.children(recursive=True))
                engines = (each for each in family if each != self._dead and port in listening_ports(each.pid))
                self._process = next(engines, None)
        return self._process


def _limit_files(process: psutil.Process, *, full: bool) -> None:
    """Let every write to a file fail as on a full disk, or no longer. Needs no privileges, and no disk."""
    with suppress(ProcessLookupError):  # it has just died
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0 if full else most, most))
