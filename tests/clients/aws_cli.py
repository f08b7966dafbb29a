"""The AWS CLI, with an engine as its endpoint."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


class AwsCli:
    """The program in this folder. The endpoint is an option: version 1 of the CLI ignores AWS_ENDPOINT_URL for SQS."""

    def __init__(self, programs: Path, url: str, region: str) -> None:
        self._command = [str(programs / "aws"), "--endpoint-url", url, "--region", region]

    def __call__(self, *arguments: str) -> Any:
        """Run a command; its output parsed as JSON, None if there is none."""
        done = self.run("--output", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def error(self, *arguments: str) -> str:
        """Run a command that fails; its error output."""
        done = self.run(*arguments)
        assert done.returncode in {254, 255}, done.stdout
        return done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [*self._command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            encoding="utf-8",
        )
