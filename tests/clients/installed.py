"""Clients of other makers, installed from their locks where they are missing: the AWS CLI, and the JavaScript SDK.

Each needs its registry once; then it lies in `.clients` (the CLI) and beside its tests (`node_modules`), until its lock
changes. What cannot be had is skipped with its reason, or fails the test where ORDERBOARD_REQUIRE_CLIENTS=1.
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
MOST_INSTALL_S = 150


def aws_cli() -> Path:
    """The program `aws` of the locked release, in an environment of its own: it brings its own botocore."""
    lock = HERE / "awscli.lock"
    home = HERE.parents[1] / ".clients" / f"awscli-{sys.version_info.major}.{sys.version_info.minor}"
    program = home / ("Scripts/aws.cmd" if os.name == "nt" else "bin/aws")
    if not _is_of(lock, home):
        venv.create(home, clear=True, with_pip=True)
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _install([*install, "--requirement", str(lock)], lock, home)
    return program


def javascript_sdk() -> str:
    """The program `node`, with the locked SDK beside the tests in JavaScript."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        refuse("Node.js or npm is not here: install both (Debian and Ubuntu: apt install nodejs npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 20:
        refuse(f"the JavaScript SDK needs Node.js 20 or newer; this is {version.strip()}")
    lock, home = JAVASCRIPT / "package-lock.json", JAVASCRIPT / "node_modules"
    if not _is_of(lock, home):
        _install([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(JAVASCRIPT)], lock, home)
    return node


def refuse(reason: str) -> NoReturn:
    """Skip the test for this reason; with ORDERBOARD_REQUIRE_CLIENTS=1 fail instead."""
    if os.environ.get("ORDERBOARD_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{reason} (ORDERBOARD_REQUIRE_CLIENTS=1 makes this a failure)", pytrace=False)
    pytest.skip(reason)


def _install(command: list[str], lock: Path, home: Path) -> None:
    """Install what the lock says into the folder, and note there from which lock."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST_INSTALL_S)
    except subprocess.TimeoutExpired:
        refuse(f"{lock.name} could not be installed within {MOST_INSTALL_S} s: is the registry reachable?")
    if done.returncode != 0:
        refuse(f"{lock.name} could not be installed:\n{done.stderr[-2000:]}")
    _note(home).write_text(_digest(lock))


def _is_of(lock: Path, home: Path) -> bool:
    """Whether the folder was installed, whole, from this very lock."""
    note = _note(home)
    return note.is_file() and note.read_text() == _digest(lock)


def _note(home: Path) -> Path:
    return home / ".installed-from"


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
