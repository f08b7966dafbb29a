"""Clients of other makers, installed from their locks if they are missing.

Each needs its registry once, and stays in `.clients` (or in `node_modules` beside the JavaScript tests) until its lock
changes. If one cannot be installed, its tests are skipped with the reason, or fail if ORDERBOARD_REQUIRE_CLIENTS=1.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
JAVASCRIPT = HERE / "javascript"
CLIENTS = HERE.parents[1] / ".clients"
INSTALL_WITHIN_S = 150


def aws_cli() -> Path:
    """The program `aws` of the locked release, with `awslocal` beside it."""
    return python_environment(HERE / "awscli.lock") / ("aws.cmd" if os.name == "nt" else "aws")


def python_environment(lock: Path) -> Path:
    """The folder of the programs of a lock's packages, in a separate environment: they have other botocores."""
    home = CLIENTS / f"{lock.stem}-{sys.version_info.major}.{sys.version_info.minor}"
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    if not _is_installed(lock, home):
        venv.create(home, clear=True, with_pip=True)
        quiet = ["--quiet", "--no-compile", "--disable-pip-version-check"]
        install = [str(programs / "python"), "-m", "pip", "install", *quiet]
        _install([*install, "--require-hashes", "--requirement", str(lock)], lock, home)
    return programs


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


def npm_packages(packages: Sequence[str]) -> Path:
    """The folder `node_modules` of these packages, each with its version; others that they need are not locked."""
    npm = shutil.which("npm")
    if npm is None:
        refuse("npm is missing: install Node.js (Debian and Ubuntu: apt install nodejs npm)")
    home = CLIENTS / f"npm-{packages[0].partition('@')[0]}"
    home.mkdir(parents=True, exist_ok=True)
    wanted = home / "wanted.txt"
    wanted.write_text("\n".join(packages))
    if not _is_installed(wanted, home):
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix", str(home)]
        _install([npm, "install", *options, *packages], wanted, home)
    return home / "node_modules"


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
