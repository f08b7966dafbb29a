"""The AWS CLI for the tests of several files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.warm_cli import warm_cli


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an AWS CLI that starts at once, for a person without any AWS setting but credentials."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONUTF8": "1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
    }
    with warm_cli(tmp_path_factory.mktemp("warm"), environment) as folder:
        yield folder
