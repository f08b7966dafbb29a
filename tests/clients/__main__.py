"""python -m clients: run every tool of the catalogue on localbus, and print a table.

python -m clients                    all tools
python -m clients celery cdk         those whose names contain one of these words
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from clients.catalogue import TOOLS, Tool
from clients.installed import CLIENTS, HERE, aws_cli, npm_packages, python_environment
from orderboard_stack.local_backend import local_backend

PROGRAMS = HERE / "tools"
WITHIN_S = 300


def main() -> int:
    """Run the tools; exit with 1 if one fails."""
    parser = argparse.ArgumentParser(prog="clients", description="Runs tools of other makers on localbus.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="run the tools whose names contain this (default: all)"
    )
    names = [name.lower() for name in parser.parse_args().names]
    chosen = [one for one in TOOLS if not names or any(name in one.name.lower() for name in names)]
    CLIENTS.mkdir(exist_ok=True)
    results = [_tried(one) for one in chosen]
    return int("failed" in results)


def _tried(tool: Tool) -> str:
    """Run a tool and print its line; its output too if it fails."""
    begin = time.monotonic()
    try:
        result, output = _run(tool)
    except (pytest.skip.Exception, pytest.fail.Exception) as exc:
        result, output = "skipped", str(exc)
    seconds = time.monotonic() - begin
    sys.stdout.write(f"{tool.name:<24}{tool.versions:<50}{result:<9}{seconds:5.0f} s\n")
    if result != "works":
        sys.stdout.write("".join(f"    {line}\n" for line in output.splitlines()[-40:]))
    sys.stdout.flush()
    return result


def _run(tool: Tool) -> tuple[str, str]:
    """Run a tool's program in a temporary folder, with a new engine. Return its result and output."""
    if tool.needs is not None and not Path(tool.needs).exists():
        return "skipped", f"{tool.needs} is missing"
    python = python_environment(PROGRAMS / "python.lock")
    node = npm_packages(tool.npm) if tool.npm else None
    with TemporaryDirectory(prefix="clients-") as folder, _engine(tool, Path(folder)) as url:
        return _run_on(url, tool, Path(folder) / "work", python, node)


@contextmanager
def _engine(tool: Tool, folder: Path) -> Iterator[str]:
    """The embedded backend, or localbus alone with https."""
    if not tool.alone:
        with local_backend("embedded", folder / "engine.log") as endpoint:
            yield str(endpoint.endpoint_url)
        return
    command = [sys.executable, "-m", "localbus", "--port", "0", "--tls", str(folder), "--tls-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        try:
            assert engine.stdout is not None
            yield engine.stdout.readline().rpartition(" ")[2].strip()
        finally:
            engine.terminate()


def _run_on(url: str, tool: Tool, folder: Path, python: Path, node: Path | None) -> tuple[str, str]:
    folder.mkdir()
    paths = [str(python), *([str(node / ".bin")] if node else []), str(aws_cli().parent), os.environ["PATH"]]
    environment = {
        "PATH": os.pathsep.join(paths),
        "HOME": str(folder),
        "NODE_PATH": str(node or ""),
        "TOOLS": str(PROGRAMS),
        "LOCALBUS_PYTHON": sys.executable,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "REQUESTS_CA_BUNDLE": str(folder.parent / "ca.pem") if tool.alone else "",
        "NO_COLOR": "1",
    }
    program = PROGRAMS / tool.program
    command = (
        [str(python / "python"), str(program)]
        if program.suffix == ".py"
        else ["bash", "-euo", "pipefail", str(program)]
    )
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
    except subprocess.TimeoutExpired as exc:
        return "failed", f"{exc.output or ''}\nnot done after {WITHIN_S} s"
    return ("works" if done.returncode == 0 else "failed"), done.stdout


if __name__ == "__main__":
    sys.exit(main())
