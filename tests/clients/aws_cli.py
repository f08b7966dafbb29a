"""The AWS CLI, with an engine as its endpoint and a home without settings."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from clients.installed import aws_cli


class AwsCli:
    """The program. The endpoint is an option, since version 1 of the CLI ignores AWS_ENDPOINT_URL for SQS."""

    def __init__(self, url: str, home: Path, region: str) -> None:
        self._command = [str(aws_cli()), "--endpoint-url", url]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONUTF8": "1",
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "1",
        }

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
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            encoding="utf-8",
        )
