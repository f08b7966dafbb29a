"""localbus through the AWS SDK for JavaScript, version 3. The claims are in javascript/*.test.mjs."""

from __future__ import annotations

import os
import subprocess

import pytest
from clients.installed import JAVASCRIPT, javascript_sdk
from localbus.pytest_plugin import Localbus


@pytest.mark.parametrize("service", ["sqs", "sns", "eventbridge"])
def test_the_javascript_sdk(localbus: Localbus, service: str) -> None:
    """The service's JavaScript tests pass."""
    node = javascript_sdk()
    environment = os.environ | {
        "AWS_ENDPOINT_URL": localbus.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "NODE_NO_WARNINGS": "1",
    }

    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", f"{service}.test.mjs"],
        cwd=JAVASCRIPT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ℹ fail 0" in done.stdout
    assert "ℹ pass 0" not in done.stdout
