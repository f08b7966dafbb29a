"""The examples of docs/use-localbus.md, run as they stand, but for the port: 4566 may be in use here.

CDK is run by `make clients`, Docker by tests/localstack.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from clients.installed import JAVASCRIPT, javascript_sdk
from clients.page import commands, files
from orderboard_stack.process import free_port

PORT, COMMAND = "4566", "python -m localbus"
WORKFLOW = ".github/workflows/test.yaml"
# What the user's own plugins for pytest are not.
_OTHER_PLUGINS = "-p no:schemathesis -p no:hypothesispytest -p no:xdist -p no:asyncio -p no:cacheprovider"


@pytest.fixture
def port() -> str:
    """A free port."""
    return str(free_port())


@pytest.fixture
def shop(tmp_path: Path, port: str) -> Path:
    """The folder of the project, with its files and Order Board's checkout."""
    for name, text in files().items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(PORT, port).replace(COMMAND, f"{COMMAND} --port {port}"))
    (tmp_path / "infra" / "seed.py").chmod(0o755)
    (tmp_path / "order-board").symlink_to(Path(__file__).parents[2])
    return tmp_path


@contextmanager
def running(shop: Path, script: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A script in the project's folder, without anything of ours in its environment. It ends with all it started."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST"))}
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(shop)}
    with (shop / "output").open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-e", "-c", script],
            cwd=shop,
            env={**inherited, **own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_workflow(shop: Path, port: str) -> None:
    """Each `run` of the job passes: the installation, the tests with the fixture, and those of JavaScript.

    pip builds and installs localbus into the test's folder, from what is here.
    """
    javascript_sdk()
    (shop / "node_modules").symlink_to(JAVASCRIPT / "node_modules")
    workflow: Any = yaml.safe_load((shop / WORKFLOW).read_text())
    job = workflow["jobs"]["test"]
    script = "\n".join(step["run"] for step in job["steps"] if "run" in step)
    pip = {
        "NO_INDEX": "1",
        "NO_DEPS": "1",
        "NO_BUILD_ISOLATION": "0",
        "NO_COMPILE": "0",
        "TARGET": str(shop / "installed"),
    }
    environment = {**job["env"], **{f"PIP_{name}": value for name, value in pip.items()}}

    with running(shop, script, environment | {"PYTEST_ADDOPTS": _OTHER_PLUGINS}) as process:
        code = process.wait(timeout=150)

    output = (shop / "output").read_text()
    assert code == 0, output
    assert "Successfully installed orderboard-localbus" in output
    assert "2 passed" in output
    assert re.search(r"^# pass 1$|^ℹ pass 1$", output, re.MULTILINE)


def test_the_seeds(shop: Path, port: str) -> None:
    """A stack and what a script sent to it are there once localbus says that it listens."""
    [line] = [line for line in commands("Resources from the start") if "--init" in line]
    url = f"http://127.0.0.1:{port}/_localbus"

    with (
        running(shop, line.replace(COMMAND, f"{COMMAND} --port {port}"), {}),
        httpx.Client(transport=httpx.HTTPTransport(retries=10)) as client,
    ):
        status = client.get(f"{url}/health").status_code
        while status == 503:
            status = client.get(f"{url}/health").status_code
        queues = {queue["name"]: queue for queue in client.get(f"{url}/queues").json()["queues"]}

    assert (status, set(queues)) == (200, {"work", "dead"})
    assert queues["work"]["visible"] == 1


def test_the_page_has_the_variables_of_every_client() -> None:
    """A client of any language needs the same variables in the text and in the files."""
    variables = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    [exported] = [line for line in commands("Resources from the start") if line.startswith("export")]

    assert set(re.findall(r"(\w+)=", exported)) == variables
    assert yaml.safe_load(files()[WORKFLOW])["jobs"]["test"]["env"].keys() == variables
    assert yaml.safe_load(files()["compose.yaml"])["services"]["app"]["environment"].keys() == variables
