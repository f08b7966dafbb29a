"""The AWS CLI and the JavaScript SDK, installed from their locks if they are missing.

Each needs its registry once, and stays in `.clients` (the CLI) or in `node_modules` beside the tests until its lock
changes. If one cannot be installed, its tests are skipped with the reason, or fail if ORDERBOARD_REQUIRE_CLIENTS=1.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
JAVASCRIPT = HERE / "javascript"
INSTALL_WITHIN_S = 150


def aws_cli() -> Path:
    """The program `aws` of the locked release, in a separate environment, since it has another botocore."""
    lock = HERE / "awscli.lock"
    home = HERE.parents[1] / ".clients" / f"awscli-{sys.version_info.major}.{sys.version_info.minor}"
    program = home / ("Scripts/aws.cmd" if os.name == "nt" else "bin/aws")
    if not _is_installed(lock, home):
        venv.create(home, clear=True, with_pip=True)
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _install([*install, "--requirement", str(lock)], lock, home)
    return program


def javascript_sdk() -> str:
    """The program `node`, with the locked SDK beside the JavaScript tests."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        refuse("Node.js or npm is missing: install both (Debian and Ubuntu: apt install nodejs npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 20:
        refuse(f"the JavaScript SDK needs Node.js 20 or newer; this is {version.strip()}")
    lock, home = JAVASCRIPT / "package-lock.json", JAVASCRIPT / "node_modules"
    if not _is_installed(lock, home):
        _install([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(JAVASCRIPT)], lock, home)
    return node


def refuse(reason: str) -> NoReturn:
    """Skip the test with a reason, or fail it if ORDERBOARD_REQUIRE_CLIENTS=1."""
    if os.environ.get("ORDERBOARD_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{reason} (ORDERBOARD_REQUIRE_CLIENTS=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


def _install(command: list[str], lock: Path, home: Path) -> None:
    """Install a lock into the folder, and record the lock there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_WITHIN_S)
    except subprocess.TimeoutExpired:
        refuse(f"{lock.name} could not be installed within {INSTALL_WITHIN_S} s: is the registry reachable?")
    if done.returncode != 0:
        refuse(f"{lock.name} could not be installed:\n{done.stderr[-2000:]}")
    _note(home).write_text(_digest(lock))


def _is_installed(lock: Path, home: Path) -> bool:
    """True if the folder was installed completely from this lock."""
    note = _note(home)
    return note.is_file() and note.read_text() == _digest(lock)


def _note(home: Path) -> Path:
    return home / ".installed-from"


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
