"""The devcontainer: what it names exists, and its ports are those of the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from orderboard.system.ports import API_PORT, CONSOLE_PORT, WALL_PORT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def devcontainer() -> Any:
    """The document without its comments, each of which has a line to itself."""
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def test_its_ports_are_those_of_the_code(devcontainer: Any) -> None:
    """order-api, the console and the wall are forwarded, and each has a label."""
    ports = [API_PORT, CONSOLE_PORT, WALL_PORT]

    assert devcontainer["forwardPorts"] == ports
    assert [int(port) for port in devcontainer["portsAttributes"]] == ports
    assert all(each["label"] for each in devcontainer["portsAttributes"].values())


def test_what_it_runs_exists(devcontainer: Any) -> None:
    """It installs by a target of the Makefile, and the command `orderboard` is on its PATH."""
    make, target = devcontainer["postCreateCommand"].split()

    assert make == "make"
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert devcontainer["remoteEnv"]["PATH"].startswith("${containerWorkspaceFolder}/.venv/bin:")


def test_its_image_has_a_python_that_is_new_enough(devcontainer: Any) -> None:
    """The tag names the version of Python and of Debian; the slim images have no make and no git."""
    tag = re.fullmatch(r"python:3\.(\d+)-[a-z]+", devcontainer["image"])

    assert tag is not None
    assert int(tag[1]) >= 11
    assert "slim" not in devcontainer["image"]
