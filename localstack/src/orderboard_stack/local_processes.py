"""The processes of a local backend: their roles, the engines that were started again, and their end."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from orderboard_stack.embedded_child import ENGINES_FILE

Role = Literal["supervisor", "localbus", "MiniStack"]

_ROLES: Final[Mapping[str, Role]] = {
    "orderboard_stack.embedded_child": "supervisor",
    "orderboard_stack.localbus_child": "localbus",
    "orderboard_stack.ministack_child": "MiniStack",
}


@dataclass(frozen=True)
class EngineState:
    """An engine that is kept running. last_ending is the signal or exit code of its last death."""

    pid: int | None
    restarts: int
    last_ending: str | None


def stop_local(pid: int, log_path: Path) -> bool:
    """End a backend by its pid, from any process, and return whether it was running.

    A pid that belongs to another program by now is left alone.
    """
    running = role_of(pid) is not None
    if running:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).suspend()  # it starts no engine meanwhile
        while members := _session(pid):
            for each in members:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(members, timeout=10)
    shutil.rmtree(scratch_folder(log_path), ignore_errors=True)
    return running


def role_of(pid: int) -> Role | None:
    """Return the role of this process in a backend that start_local started; None for a function or another program."""
    with suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
        return next((role for module, role in _ROLES.items() if module in words), None)
    return None


def read_engines(log_path: Path) -> dict[str, EngineState]:
    """Return the engines of the embedded backend with this log, by name; none for another backend."""
    try:
        document = json.loads((scratch_folder(log_path) / ENGINES_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {name: EngineState(**each) for name, each in document.items()}


def _session(leader: int) -> list[psutil.Process]:
    """Return the processes of a session that have not ended."""
    found = []
    for each in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(each.pid) == leader and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
    return found


def scratch_folder(log_path: Path) -> Path:
    """The folder of a backend's files, beside its log. It goes when the backend ends."""
    return log_path.with_name(f"{log_path.name}.files").absolute()
