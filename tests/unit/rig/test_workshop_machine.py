"""The checks of `doctor --workshop`, each with its fix."""

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from orderboard.cli.app import app
from orderboard.system.doctor import port
from orderboard.system.workspace import find_workspace
from orderboard.workshop import machine
from typer.testing import CliRunner

ROOT = find_workspace().root


def test_disk_and_memory() -> None:
    """Too little of either is bad; enough memory says for how many more systems."""
    assert machine.disk(499_000_000).verdict == "bad"
    assert machine.disk(500_000_000).verdict == "good"
    assert machine.memory(399_000_000).verdict == "bad"
    assert "so 4 more fit" in machine.memory(1_700_000_000).found


def test_a_proxy_between_this_machine_and_itself() -> None:
    """A proxy that curl and AWS's SDKs would use for 127.0.0.1 is bad, whichever variable names it."""
    assert machine.proxy({"http": "http://proxy:3128"}, False).verdict == "bad"
    assert machine.proxy({"all": "http://proxy:3128"}, False).verdict == "bad"
    assert machine.proxy({"http": "http://proxy:3128"}, True).verdict == "good"
    assert machine.proxy({"https": "http://proxy:3128"}, False).verdict == "good"
    assert "NO_PROXY=127.0.0.1" in machine.proxy({"http": "http://proxy:3128"}, False).fix


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that cannot be made is bad; one that can is made, and nothing is left in it."""
    (tmp_path / "file").touch()

    assert machine.folder(tmp_path / "file" / "workshop").verdict == "bad"
    assert machine.folder(tmp_path / "workshop").verdict == "good"
    assert list((tmp_path / "workshop").iterdir()) == []


def test_a_clock_behind_the_files() -> None:
    """`make` would set .venv up each time anew, and AWS would reject each call."""
    assert machine.clock(1_700_000_000, 1_700_000_061).verdict == "bad"
    assert machine.clock(1_700_000_000, 1_700_000_030).verdict == "good"
    assert machine.clock(1_700_000_000, 1_600_000_000).verdict == "good"


def test_terminal() -> None:
    """A terminal that is too narrow is optional; no terminal is none."""
    assert [machine.terminal(columns).verdict for columns in (79, 80, None)] == ["optional", "good", "good"]


def test_browser() -> None:
    """The browser is here, or at the other end of a container or of SSH, or nowhere."""

    def none(_: str) -> str | None:
        return None

    assert machine.browser({}, lambda name: f"/usr/bin/{name}" if name == "chromium" else None).found == "chromium"
    assert machine.browser({"CODESPACES": "true"}, none).verdict == "good"
    assert "ssh -L 8080:127.0.0.1:8080" in machine.browser({"SSH_CONNECTION": "10.0.0.2 5 10.0.0.1 22"}, none).fix
    assert machine.browser({}, none).verdict == "optional"


def test_systems_of_other_attendees() -> None:
    """Those of other state folders are listed; one's own is not."""
    ours, theirs = Path("/home/ada/orderboard"), Path("/home/bob/orderboard")

    assert "none" in machine.others([(ours, "ada")], ours).found
    assert machine.others([(ours, "ada"), (theirs, "bob")], ours).found.endswith("/home/bob/orderboard (bob)")


def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    """It is optional, with the consequence."""
    workspace = replace(find_workspace(), state_dir=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        finding = port(workspace, taken.getsockname()[1], "another is used")

    assert (finding.verdict, finding.found) == ("optional", "taken by another program; another is used")


def test_wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is optional, since .venv is set up; one that is not whole is bad, with the fixes of install.py."""
    monkeypatch.delenv("ORDERBOARD_WHEELHOUSE", raising=False)
    (tmp_path / "offline").mkdir()
    shutil.copy(ROOT / "offline" / "wheelhouse.py", tmp_path / "offline")
    for lock in ("requirements.lock", "requirements-build.lock"):
        (tmp_path / lock).write_text("")

    assert machine.wheelhouse(tmp_path).verdict == "optional"
    (tmp_path / "wheelhouse").mkdir()
    finding = machine.wheelhouse(tmp_path)
    assert finding.verdict == "bad"
    assert "has no wheelhouse.json" in finding.found
    assert "make wheelhouse" in finding.fix


def test_the_command_has_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor --workshop --json` has the checks of `doctor` and those of the workshop; what is bad is the exit code."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("ORDERBOARD_WHEELHOUSE", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")

    printed = CliRunner().invoke(app, ["doctor", "--workshop", "--json"])

    found = {each["subject"]: each for each in json.loads(printed.stdout)}
    assert {"Python", "Port 8000", "Docker", "Port 8080", "Port 8090", "Wheelhouse", "Other systems"} <= found.keys()
    assert found["Docker"]["verdict"] == "optional"
    assert found["Proxy"]["verdict"] == "bad"
    assert printed.exit_code == 1
