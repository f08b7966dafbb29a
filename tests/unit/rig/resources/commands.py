"""Runs commands in this process against a localbus alone."""

import json
from typing import Any

from localbus.pytest_plugin import Localbus
from orderboard.cli.app import app
from typer.testing import CliRunner, Result


def run(localbus: Localbus, *arguments: str, stdin: str | None = None) -> Result:
    """Run a command with this localbus as its backend."""
    return CliRunner().invoke(app, [*arguments, "--endpoint-url", localbus.url], input=stdin)


def run_json(localbus: Localbus, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    """Run a command that must succeed, and return its JSON document."""
    done = run(localbus, *arguments, "--json", stdin=stdin)
    assert done.exit_code == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
