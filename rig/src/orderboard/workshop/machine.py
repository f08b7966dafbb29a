"""Checks of a machine for the workshop: room for a system, ports, no need for a network, a browser, others' systems."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from orderboard.system.doctor import Finding, port
from orderboard.system.ports import CONSOLE_PORT, WALL_PORT
from orderboard.system.workspace import STATE_DIR_VARIABLE, Workspace

_SYSTEM_MB: Final = 400  # of memory, for one system with its notifier and console, as `orderboard status` measures it
_DISK_MB: Final = 500  # the state, logs, bursts and functions of a day
_COLUMNS: Final = 80
_CLOCK_BEHIND_S: Final = 60
_BROWSERS: Final = (
    *("firefox", "chromium", "chromium-browser", "google-chrome", "microsoft-edge", "brave-browser"),
    *("wslview", "explorer.exe", "open"),  # WSL and macOS
)
_BACKENDS: Final = ("orderboard_stack.embedded_child", "orderboard_stack.ministack_child")


def examine_for_workshop(workspace: Workspace, files: Path) -> list[Finding]:
    """Check what a workshop needs beyond what `doctor` checks. files: the folder of the attendee's own files."""
    newest = max((workspace.root / name).stat().st_mtime for name in ("pyproject.toml", "requirements.lock"))
    return [
        wheelhouse(workspace.root),
        disk(shutil.disk_usage(workspace.root).free),
        memory(psutil.virtual_memory().available),
        port(workspace, CONSOLE_PORT, "the console uses a free one instead; `orderboard up` prints it"),
        port(workspace, WALL_PORT, "`orderboard workshop wall --port PORT` takes another"),
        proxy(urllib.request.getproxies(), urllib.request.proxy_bypass("127.0.0.1")),
        folder(files),
        clock(time.time(), newest),
        terminal(_columns()),
        browser(os.environ, shutil.which),
        others(list(_running_systems()), workspace.state_dir),
    ]


def wheelhouse(root: Path) -> Finding:
    """Check the packages for a room without a network, as install.py would."""
    done = subprocess.run(
        [sys.executable, str(root / "offline" / "wheelhouse.py")], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return Finding("Wheelhouse", "good", done.stdout.strip())
    if done.returncode == 2:
        found = "none is here. Nothing more is downloaded on this machine; one without .venv needs a network, or this"
        return Finding("Wheelhouse", "optional", found, "make wheelhouse")
    found, _, fix = done.stderr.strip().partition("\n")
    return Finding("Wheelhouse", "bad", found, fix)


def disk(free_bytes: int) -> Finding:
    """Check that the disk has room for a day."""
    free = free_bytes / 1e6
    if free < _DISK_MB:
        return Finding("Disk", "bad", f"{free:.0f} MB are free; a day takes up to {_DISK_MB} MB", "Free some space")
    return Finding("Disk", "good", f"{free / 1000:.1f} GB are free")


def memory(available_bytes: int) -> Finding:
    """Check that one more system fits into memory; a trainer sees how many do."""
    systems = int(available_bytes / 1e6 / _SYSTEM_MB)
    found = f"{available_bytes / 1e9:.1f} GB are available; each system takes up to {_SYSTEM_MB} MB"
    if systems == 0:
        return Finding("Memory", "bad", found, "End other programs, or the systems that others left running")
    return Finding("Memory", "good", f"{found}, so {systems} more fit")


def proxy(proxies: Mapping[str, str], bypassed: object) -> Finding:
    """Check that requests to this machine do not go through a proxy: curl and AWS's SDKs would send them there."""
    named = [proxies[scheme] for scheme in ("http", "all") if proxies.get(scheme)]
    if named and not bypassed:
        found = f"requests to 127.0.0.1 would go to {named[0]}"
        return Finding("Proxy", "bad", found, "export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost")
    return Finding("Proxy", "good", "none stands between this machine and itself")


def folder(files: Path) -> Finding:
    """Check that the attendee's files can be written."""
    try:
        files.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=files):
            pass
    except OSError as exc:
        fix = f"Name a state folder that is yours: export {STATE_DIR_VARIABLE}=~/orderboard"
        return Finding("Your files", "bad", f"{files} cannot be written: {exc.strerror}", fix)
    return Finding("Your files", "good", f"go to {files}")


def clock(now_s: float, newest_file_s: float) -> Finding:
    """Check that the clock is not behind the files of this clone, which have the time of the commit or of the clone."""
    day = "%Y-%m-%d %H:%M"
    found = time.strftime(day, time.localtime(now_s))
    if now_s < newest_file_s - _CLOCK_BEHIND_S:
        found = f"it is {found} here, before these files were made: {time.strftime(day, time.localtime(newest_file_s))}"
        fix = "Set the clock: sudo timedatectl set-ntp true; in WSL: sudo hwclock --hctosys"
        return Finding("Clock", "bad", found, fix)
    return Finding("Clock", "good", found)


def terminal(columns: int | None) -> Finding:
    """Check that tables fit. columns: None if no terminal is there."""
    if columns is None:
        return Finding("Terminal", "good", "not one: the output goes elsewhere")
    if columns < _COLUMNS:
        fix = "Make the window wider, or its type smaller"
        return Finding("Terminal", "optional", f"{columns} columns; tables need {_COLUMNS}", fix)
    return Finding("Terminal", "good", f"{columns} columns")


def browser(environment: Mapping[str, str], which: Callable[[str], str | None]) -> Finding:
    """Check that the console can be seen from here."""
    if environment.get("CODESPACES") or environment.get("REMOTE_CONTAINERS"):
        return Finding("Browser", "good", "yours: this container forwards the console's port to it")
    if environment.get("SSH_CONNECTION"):
        forward = f"-L {CONSOLE_PORT}:127.0.0.1:{CONSOLE_PORT}"
        fix = f"Forward the console's port, as `orderboard status` has it: ssh {forward} HOST"
        return Finding("Browser", "optional", "yours is elsewhere: this is a session over SSH", fix)
    named = (environment.get("BROWSER"), *_BROWSERS)
    found = next((each for each in named if each and which(each) is not None), None)
    if found is None:
        fix = "Install one. All but the console works without"
        return Finding("Browser", "optional", "none was found", fix)
    return Finding("Browser", "good", Path(found).name)


def others(running: list[tuple[Path, str]], ours: Path) -> Finding:
    """Report the systems of other state folders. running: each state folder and its user."""
    found = [f"{state_dir} ({user})" for state_dir, user in running if state_dir != ours]
    if not found:
        return Finding("Other systems", "good", "none on this machine")
    return Finding("Other systems", "good", f"{len(found)} on this machine, each on other ports: {', '.join(found)}")


def _running_systems() -> Iterator[tuple[Path, str]]:
    """The systems that `up` started on this machine; those of other users only if the system shows their processes."""
    for process in psutil.process_iter(["cmdline", "username"]):
        words = process.info["cmdline"] or ()
        for module in _BACKENDS:
            if module in words[:-2] and "detached" in words:
                scratch = Path(words[words.index(module) + 1])  # STATE_DIR/logs/backend.log.files
                yield scratch.parents[1], process.info["username"] or "another user"


def _columns() -> int | None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns
    return None
