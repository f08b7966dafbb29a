"""localbus through the AWS SDK for JavaScript and libraries on it. The claims are in javascript/*.test.mjs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from clients.installed import JAVASCRIPT, javascript_sdk
from localbus.engine import Options, Tls
from localbus.http.tls import certificate_file
from localbus.pytest_plugin import Localbus


@pytest.mark.parametrize("tests", ["sqs", "sns", "eventbridge", "workers"])
def test_the_javascript_sdk(localbus: Localbus, tests: str) -> None:
    """The JavaScript tests of a service, and of workers for queues, pass."""
    _run(f"{tests}.test.mjs", localbus)


@pytest.mark.parametrize(
    ("validator", "public_url"),
    [("sns-validator", None), ("sns-payload-validator", "https://sns.eu-west-1.amazonaws.com")],
    ids=["by-pattern", "at-the-host-of-aws"],
)
def test_validators_of_sns_messages(tmp_path: Path, validator: str, public_url: str | None) -> None:
    """Validators accept messages of an engine with https: by a pattern for its host, or by the host's name of AWS."""
    localbus = Localbus(Options(tls=Tls(tmp_path), public_url=public_url)).start()
    more = {"VALIDATOR": validator, "HTTPS_PORT": str(localbus.engine.sns.signer.https_port)}
    try:
        _run("validator.test.mjs", localbus, NODE_EXTRA_CA_CERTS=str(certificate_file(tmp_path)), **more)
    finally:
        localbus.stop()


def _run(file: str, localbus: Localbus, **more: str) -> None:
    """Run a file of JavaScript tests, which must pass."""
    node = javascript_sdk()
    environment = os.environ | {
        "AWS_ENDPOINT_URL": localbus.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "NODE_NO_WARNINGS": "1",
        **more,
    }

    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", file],
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
